"""The specification of a sweep: one model for form, file, REST and SDK.

`SweepSpec.parse` reports every problem at once, each with its path, and returns the canonical form;
`parse(spec.dump()) == spec`. Touches neither database nor files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from experiments.problems import Problem, ProblemsError
from experiments.space.space import SearchSpace
from experiments.spec_azure import import_azure, is_azure
from experiments.spec_command import (
    check_command,
    command_words,
    environment_of,
    pair_words,
    script_words,
)
from experiments.spec_reading import (
    read_arguments,
    read_metric,
    read_pairs,
    read_policy,
    read_sampling,
    read_space,
    unknown_key,
)
from experiments.spec_yaml import dump_yaml, load_yaml, read_mapping

__all__ = ["PrimaryMetric", "SweepSpec", "load_yaml"]

MAX_CONCURRENT: Final = 100
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NO_WARM_START: Final = "this studio cannot continue earlier sweeps yet; leave it empty."

Words = Annotated[str, Field(min_length=1, max_length=255)]


class PrimaryMetric(BaseModel):
    """What is optimised: the exact name that the script logs, and the direction."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    name: Words
    goal: Literal["maximize", "minimize"]


class SweepSpec(BaseModel):
    """Everything that defines a sweep; field names are those of the YAML file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Words = "sweep"
    experiment: Words = "default"
    source_directory: str | None = "."
    snapshot: str | None = None
    script: str | None = None
    command: str | None = None
    arguments: list[str] = []
    python: str | None = None
    environment: dict[str, str] = {}
    compute: Words = "local"
    search_space: dict[str, str | dict[str, Any] | list[Any]]
    sampling: str | dict[str, Any] = "random"
    primary_metric: PrimaryMetric
    early_termination: dict[str, Any] | None = None
    max_total_runs: int = Field(ge=1, le=1000)
    max_concurrent_runs: int | None = Field(default=None, ge=1, le=MAX_CONCURRENT)
    max_duration_minutes: int | float = Field(default=10080, ge=1, le=43200)
    run_timeout_minutes: int | float | None = Field(default=None, gt=0, le=43200)
    max_failed_runs: int | None = Field(default=None, ge=1, le=1000)
    resume_from: list[str] = Field(default=[], max_length=5)
    resume_child_runs: list[str] = []
    tags: dict[str, str] = {}
    description: str = Field(default="", max_length=10_000)

    _import_warnings: list[str] = PrivateAttr(default_factory=list)

    @classmethod
    def parse(cls, raw: Mapping[Any, Any] | str) -> Self:
        """Return the specification that a mapping or a YAML text describes.

        Raises:
            ProblemsError: with everything that is wrong.
        """
        mapping = read_mapping(raw) if isinstance(raw, str) else raw
        if not isinstance(mapping, Mapping):
            text = f"The specification is {mapping!r}; it must be a mapping of names to values."
            raise ProblemsError([Problem("", text)])
        warnings: list[str] = []
        problems: list[Problem] = []
        if is_azure(mapping):
            mapping, warnings = import_azure(mapping, problems)
        fields = {str(key): value for key, value in mapping.items()}
        problems += [
            Problem(key, unknown_key(key, list(cls.model_fields)))
            for key in fields
            if key not in cls.model_fields
        ]
        canonical = _read_parts(fields, problems)
        spec = cls._validated(canonical, problems)
        if problems or spec is None:
            raise ProblemsError(_in_order(problems, list(cls.model_fields)))
        spec._import_warnings.extend(warnings)
        return spec

    @classmethod
    def parse_yaml(cls, text: str) -> Self:
        """Return the specification that a YAML or JSON text describes; see `parse`."""
        return cls.parse(text)

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> Self:
        """Return a specification from its own dump, without checking it again."""
        values = dict(stored)
        values["primary_metric"] = PrimaryMetric.model_construct(**values["primary_metric"])
        return cls.model_construct(**values)

    def dump(self) -> dict[str, Any]:
        """Return the canonical mapping, ready for JSON."""
        return self.model_dump(mode="json")

    def dump_yaml(self) -> str:
        """Return the specification as YAML in the order of the fields, defaults left out."""
        return dump_yaml(self.brief())

    def brief(self) -> dict[str, Any]:
        """Return the mapping without the fields that are at their defaults."""
        values = self.dump()
        return {
            key: value
            for key, value in values.items()
            if key in _ALWAYS_SHOWN or value != type(self).model_fields[key].default
        }

    def warnings(self) -> list[str]:
        """Return what is legal and probably not meant."""
        found = [*self._import_warnings, *self.space.warnings()]
        total = self.space.cardinality()
        if total is not None and total < self.max_total_runs:
            found.append(
                f"The search space has {total} configurations, fewer than max_total_runs "
                f"{self.max_total_runs}: the sweep ends after {total} runs."
            )
        elif self.sampler_name == "grid" and total is not None and total > self.max_total_runs:
            found.append(
                f"The grid has {total} combinations; the first {self.max_total_runs} are tried."
            )
        return found

    @cached_property
    def space(self) -> SearchSpace:
        """The search space."""
        return SearchSpace.parse(self.search_space)

    @property
    def sampler_name(self) -> str:
        """The name of the sampling method."""
        return self.sampling if isinstance(self.sampling, str) else str(self.sampling["type"])

    @property
    def sampler_options(self) -> dict[str, Any]:
        """The options of the sampling method, `seed` among them when it was given."""
        if isinstance(self.sampling, str):
            return {}
        return {key: value for key, value in self.sampling.items() if key != "type"}

    @property
    def early_termination_config(self) -> dict[str, Any] | None:
        """The early-termination policy as `{type: ..., ...}`; None without one."""
        return self.early_termination

    @property
    def metric_name(self) -> str:
        """The name of the primary metric."""
        return self.primary_metric.name

    @property
    def goal(self) -> Literal["maximize", "minimize"]:
        """The direction of the primary metric."""
        return self.primary_metric.goal

    @property
    def effective_concurrency(self) -> int:
        """The most runs at once: as given, or as many as the studio allows."""
        return min(self.max_concurrent_runs or MAX_CONCURRENT, self.max_total_runs)

    def arguments_for(self, params: Mapping[str, Any]) -> list[str]:
        """Return the fixed arguments, then `--name value` for each hyperparameter."""
        return pair_words(self.arguments, self._ordered(params))

    def argv(self, params: Mapping[str, Any], python: str) -> list[str]:
        """Return the whole command line, word by word."""
        ordered = self._ordered(params)
        if self.command is not None:
            return command_words(self.command, ordered, python)
        return script_words(self.script or "", self.arguments, ordered, python)

    def environment_for(self, params: Mapping[str, Any]) -> dict[str, str]:
        """Return the variables that carry the hyperparameters."""
        return environment_of(self._ordered(params))

    @classmethod
    def _validated(cls, values: dict[str, Any], problems: list[Problem]) -> Self | None:
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            _add_field_problems(error, values, problems)
            return None

    def _ordered(self, params: Mapping[str, Any]) -> dict[str, Any]:
        # JSON columns of PostgreSQL do not keep the order of keys; the declared order holds.
        return {name: params[name] for name in self.search_space if name in params}


_ALWAYS_SHOWN: Final = ("name", "experiment", "sampling", "max_total_runs")


def _read_parts(fields: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """Return the known fields with the parts of many forms made canonical."""
    known = {key: value for key, value in fields.items() if key in SweepSpec.model_fields}
    space = read_space(known.get("search_space"), problems)
    known["search_space"] = space.to_text() if space else {}
    known["sampling"] = read_sampling(known.get("sampling") or "random", space, problems)
    known["early_termination"] = read_policy(known.get("early_termination"), problems)
    known["primary_metric"] = read_metric(known.get("primary_metric"), problems)
    known["arguments"] = read_arguments(known.get("arguments"), problems)
    for name in ("environment", "tags"):
        known[name] = read_pairs(known.get(name), name, problems)
    for name in ("resume_from", "resume_child_runs"):
        known[name] = known.get(name) or []
        if known[name]:
            problems.append(Problem(name, f"{name} is {known[name]!r}; {_NO_WARM_START}"))
            known[name] = []
    problems += _check_start(known, list(space.expressions) if space else None)
    problems += _check_texts(known)
    return {key: value for key, value in known.items() if value is not None or key in _NULLABLE}


_NULLABLE: Final = frozenset(
    name for name, field in SweepSpec.model_fields.items() if field.default is None
)


def _check_start(known: Mapping[str, Any], names: list[str] | None) -> list[Problem]:
    script, command = known.get("script"), known.get("command")
    if script is None and command is None:
        return [Problem("script", "script and command are both missing; give one of them.")]
    if script is not None and command is not None:
        return [Problem("command", "script and command are both given; remove one of them.")]
    if command is not None:
        if not isinstance(command, str):
            return []
        problems = check_command(command, names)
        if known.get("arguments"):
            text = "arguments goes with script; write them into command instead."
            problems.append(Problem("arguments", text))
        return problems
    if isinstance(script, str) and (not script.strip() or "\0" in script):
        return [Problem("script", f"script is {script!r}; use the path of a Python file.")]
    return []


def _check_texts(known: Mapping[str, Any]) -> list[Problem]:
    problems = []
    experiment, snapshot = known.get("experiment"), known.get("snapshot")
    if isinstance(experiment, str) and experiment and not _NAME.fullmatch(experiment):
        text = (
            f"experiment is {experiment!r}; start with a letter or digit and use only letters, "
            "digits, hyphens and underscores."
        )
        problems.append(Problem("experiment", text))
    if isinstance(snapshot, str) and not _DIGEST.fullmatch(snapshot):
        text = f"snapshot is {snapshot!r}; use the 64 hex digits that POST /snapshots returned."
        problems.append(Problem("snapshot", text))
    return problems


_ALLOWED: Final = {
    "name": "use 1 to 255 characters",
    "experiment": "use 1 to 255 characters",
    "source_directory": "use the path of a folder",
    "snapshot": "use the id that POST /snapshots returned",
    "script": "use the path of a Python file in source_directory",
    "command": "use text such as python train.py --lr ${{search_space.lr}}",
    "python": "use the path of an interpreter, or null for the compute target's",
    "compute": "use the name of a compute target",
    "max_total_runs": "use a whole number from 1 to 1000",
    "max_concurrent_runs": "use a whole number from 1 to 100, or leave it out",
    "max_duration_minutes": "use a number from 1 to 43200",
    "run_timeout_minutes": "use a number above 0 up to 43200, or null for no limit",
    "max_failed_runs": "use a whole number from 1 to 1000, or null for no limit",
    "description": "use text of up to 10000 characters",
}


def _add_field_problems(
    error: ValidationError, values: dict[str, Any], problems: list[Problem]
) -> None:
    reported = {re.split(r"[.\[]", problem.path)[0] for problem in problems}
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0])
        if name in reported:
            continue
        reported.add(name)
        shown = "missing" if detail["type"] == "missing" else _brief(values.get(name))
        allowed = _ALLOWED.get(name, str(detail["msg"]))
        problems.append(Problem(name, f"{name} is {shown}; {allowed}."))


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _in_order(problems: list[Problem], fields: list[str]) -> list[Problem]:
    def place(problem: Problem) -> int:
        name = re.split(r"[.\[]", problem.path)[0]
        return fields.index(name) if name in fields else len(fields)

    return sorted(dict.fromkeys(problems), key=place)
