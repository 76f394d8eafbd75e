"""The specification of a sweep: one model for form, file, REST and SDK.

`SweepSpec.parse` reports every problem at once, each with its path, and returns the canonical form;
`parse(spec.dump()) == spec`. Touches neither database nor files.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief
from experiments.space.space import SearchSpace
from experiments.spec_azure import azure_problems, import_azure, is_azure
from experiments.spec_checks import (
    check_extent,
    check_keys,
    check_policy_fits,
    check_start,
    check_stored,
    check_texts,
    check_words,
    field_problems,
    in_order,
    join_problems,
)
from experiments.spec_command import command_words, environment_of, pair_words, script_words
from experiments.spec_limits import CONTRACT, SpecLimits
from experiments.spec_reading import (
    read_arguments,
    read_metric,
    read_pairs,
    read_policy,
    read_sampling,
    read_space,
)
from experiments.spec_warm_start import check_warm_start, read_run_ids, read_sweep_ids
from experiments.spec_warnings import find_warnings
from experiments.spec_yaml import dump_yaml, load_yaml, read_mapping

__all__ = ["PrimaryMetric", "SweepSpec", "load_yaml"]

MAX_CONCURRENT: Final = 100
_ALWAYS_SHOWN: Final = ("name", "experiment", "sampling", "max_total_runs")

Words = Annotated[str, Field(min_length=1, max_length=255)]
Limit = Annotated[int, Field(ge=1, le=1000)]


class PrimaryMetric(BaseModel):
    """What is optimised: the exact name that the script logs, and the direction."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    name: Words
    goal: Literal["maximize", "minimize"]


class SweepSpec(BaseModel):
    """Everything that defines a sweep; field names are those of the YAML file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Words = Field("sweep", description="What people call the sweep.")
    experiment: Words = Field("default", description="The series it belongs to.")
    source_directory: str | None = Field(".", description="Folder that is copied for every run.")
    snapshot: str | None = Field(None, description="Id of an uploaded source_directory, instead.")
    script: str | None = Field(None, description="Python file in source_directory.")
    command: str | None = Field(
        None, description="Instead of script: words with ${{search_space.<name>}}; no shell."
    )
    arguments: list[str] = Field([], description="Fixed arguments; sampled ones follow.")
    python: str | None = Field(None, description="Interpreter; null: the compute target's.")
    environment: dict[str, str] = Field({}, description="Environment variables of each run.")
    compute: Words = Field("local", description="Name of a compute target.")
    search_space: dict[str, str | dict[str, Any] | list[Any]] = Field(
        description=(
            "Hyperparameters in order, each with its expression as text (loguniform(-6, -1)), "
            "mapping ({type: uniform, min_value: 0, max_value: 1}) or nested list."
        ),
        min_length=1,
    )
    sampling: str | dict[str, Any] = Field(
        "random", description="random, sobol or grid, or {type: random, seed: 7}."
    )
    primary_metric: PrimaryMetric
    early_termination: dict[str, Any] | None = Field(
        None, description="{type: bandit, slack_factor: 0.1, ...}; null: runs end by themselves."
    )
    max_total_runs: Limit = Field(description="Runs in all.")
    max_concurrent_runs: int | None = Field(
        None, ge=1, le=MAX_CONCURRENT, description="Runs at once; null: as many as possible."
    )
    max_duration_minutes: int | float = Field(
        10080, ge=1, le=43200, description="Time for the whole sweep."
    )
    run_timeout_minutes: int | float | None = Field(
        None, gt=0, le=43200, description="Time for each run; null: no limit."
    )
    max_failed_runs: Limit | None = Field(
        None, description="Failures in a row that pause the sweep; null: none do."
    )
    resume_from: list[str] = Field(
        [],
        max_length=5,
        description="Ids of ended sweeps whose results count: the sampler learns from them, "
        "the early-termination policy compares with their runs.",
    )
    resume_child_runs: list[str] = Field(
        [],
        description="Ids of ended runs to run again first, with the same hyperparameters "
        "and --resume-from <folder with their outputs>.",
    )
    tags: dict[str, str] = {}
    description: str = Field("", max_length=10_000)

    _import_warnings: list[str] = PrivateAttr(default_factory=list)

    def __eq__(self, other: object) -> bool:
        # Not what was noticed on the way in: a spec equals what its dump is read as.
        return isinstance(other, SweepSpec) and self.dump() == other.dump()

    @classmethod
    def parse(
        cls,
        raw: Mapping[Any, Any] | str,
        *,
        base_directory: Path | None = None,
        compute_targets: Sequence[str] = (),
        limits: SpecLimits = CONTRACT,
    ) -> Self:
        """Return the specification that a mapping or a YAML text describes.

        With `base_directory`, the folder of its file, a relative source_directory starts there.
        An Azure ML file whose cluster is none of `compute_targets` uses the first of them.
        `limits` say what is assumed where it is silent; whether it keeps them is asked elsewhere.

        Raises:
            ProblemsError: with everything that is wrong.
        """
        mapping = read_mapping(raw) if isinstance(raw, str) else raw
        if not isinstance(mapping, Mapping):
            text = f"The specification is {brief(mapping)}; it must be a mapping of keys to values."
            raise ProblemsError([Problem("", text)])
        check_extent(mapping)
        faults = check_texts(mapping)
        try:
            if is_azure(mapping):
                spec = cls._parse_azure(mapping, base_directory, compute_targets, limits)
            else:
                spec = cls._parse_fields(mapping, base_directory, limits)
        except ProblemsError as error:
            raise ProblemsError(join_problems(faults, error.problems)) from error
        if faults:
            raise ProblemsError(join_problems(faults, []))
        return spec

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
        return {
            key: value
            for key, value in self.dump().items()
            if key in _ALWAYS_SHOWN or value != type(self).model_fields[key].default
        }

    def warnings(self) -> list[str]:
        """Return what is legal and probably not meant."""
        return [*self._import_warnings, *find_warnings(self)]

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
        """Return the whole command line, word by word; the spec's own `python` comes first."""
        ordered, interpreter = self._ordered(params), self.python or python
        if self.command is not None:
            return command_words(self.command, ordered, interpreter)
        return script_words(self.script or "", self.arguments, ordered, interpreter)

    def environment_for(self, params: Mapping[str, Any]) -> dict[str, str]:
        """Return the variables that carry the hyperparameters."""
        return environment_of(self._ordered(params))

    @classmethod
    def _parse_fields(
        cls, raw: Mapping[Any, Any], base_directory: Path | None, limits: SpecLimits
    ) -> Self:
        fields = limits.filled({str(key): value for key, value in raw.items()})
        problems = check_keys(fields, list(cls.model_fields))
        values, notes = _read_parts(fields, problems)
        if base_directory is not None:
            values["source_directory"] = _below(base_directory, values.get("source_directory"))
        spec = None
        try:
            spec = cls.model_validate(values)
        except ValidationError as error:
            problems += field_problems(error, values, problems)
        if problems or spec is None:
            raise ProblemsError(in_order(problems, list(cls.model_fields)))
        if too_large := check_stored(spec.dump()):
            raise ProblemsError(too_large)
        spec._import_warnings.extend(notes)
        return spec

    @classmethod
    def _parse_azure(
        cls,
        raw: Mapping[Any, Any],
        base_directory: Path | None,
        compute_targets: Sequence[str],
        limits: SpecLimits,
    ) -> Self:
        found: list[Problem] = []
        fields, warnings = import_azure(raw, compute_targets, found)
        try:
            spec = cls._parse_fields(fields, base_directory, limits)
        except ProblemsError as error:
            raise ProblemsError(azure_problems(raw, found, error.problems)) from error
        if found:
            raise ProblemsError(found)
        spec._import_warnings[:0] = warnings
        return spec

    def _ordered(self, params: Mapping[str, Any]) -> dict[str, Any]:
        # Whoever stored or sent the values may have lost their order; the declared one holds.
        return {name: params[name] for name in self.search_space if name in params}


_NULLABLE: Final = frozenset(
    name for name, field in SweepSpec.model_fields.items() if field.default is None
)


def _read_parts(
    fields: Mapping[str, Any], problems: list[Problem]
) -> tuple[dict[str, Any], list[str]]:
    """Return the known fields with the parts of many forms made canonical, and what to know."""
    known = {key: value for key, value in fields.items() if key in SweepSpec.model_fields}
    sampling = known.get("sampling")
    sampling = "random" if sampling is None else sampling
    space, notes = read_space(known.get("search_space"), sampling, problems)
    # A wrong space is reported already, and the model wants one.
    known["search_space"] = space.to_text() if space else {"x": "choice(0)"}
    known["sampling"] = read_sampling(sampling, space, problems)
    known["early_termination"] = read_policy(known.get("early_termination"), problems)
    known["primary_metric"] = read_metric(known.get("primary_metric"), problems)
    known["arguments"] = read_arguments(known.get("arguments"), problems)
    for name in ("environment", "tags"):
        known[name] = read_pairs(known.get(name), name, problems)
    known["resume_from"] = read_sweep_ids(known.get("resume_from"), problems)
    known["resume_child_runs"] = read_run_ids(known.get("resume_child_runs"), problems)
    problems += check_start(known, list(space.expressions) if space else None)
    problems += check_words(known)
    problems += check_warm_start(known)
    problems += check_policy_fits(known["sampling"], known["early_termination"])
    kept = {key: value for key, value in known.items() if value is not None or key in _NULLABLE}
    return kept, notes


def _below(folder: Path, source_directory: Any) -> Any:
    if source_directory is None:
        return str(folder)
    if not isinstance(source_directory, str) or source_directory.startswith("~"):
        return source_directory
    return os.path.normpath(folder / source_directory)
