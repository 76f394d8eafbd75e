"""What the columns of a table of runs mean: hyperparameters, metrics, steps, states, times. Pure.

Knows the tables of this studio, of MLflow (`params.`, `metrics.`), of Optuna (`params_`) and W&B.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from experiments.imports.build import Given
from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief

_PREFIXES: Final = {
    "params.": "param",
    "config.": "param",
    "config:": "param",
    "metrics.": "metric",
    "summary.": "metric",
    "summary:": "metric",
    "tags.": "tag",
}
_OPTUNA_PREFIXES: Final = {"params_": "param", "user_attrs_": "tag", "system_attrs_": ""}
_LEFT_OUT: Final = (
    *("name", "user", "notes", "tags", "sweep", "runtime", "duration", "group", "job type"),
    *("_step", "_runtime", "_timestamp", "_wandb", "worker", "host", "hostname"),
    *("experiment_id", "artifact_uri", "exit_code", "retry_of", "properties"),
)
# Columns that many tables have, by their names in small letters.
_RESERVED: Final = {
    **dict.fromkeys(("run", "run_id", "number", "trial", "id"), "run"),
    **dict.fromkeys(("status", "state"), "status"),
    "reason": "reason",
    "step": "step",
    **dict.fromkeys(("time", "timestamp"), "time"),
    **dict.fromkeys(("created", "createdat"), "created"),
    **dict.fromkeys(("started", "start_time", "datetime_start"), "started"),
    **dict.fromkeys(("ended", "end_time", "datetime_complete"), "ended"),
    **dict.fromkeys(_LEFT_OUT, ""),
}


@dataclass(frozen=True, slots=True)
class Roles:
    """The places of the columns by what they mean; names of hyperparameters and metrics."""

    params: dict[int, str] = field(default_factory=dict)
    metrics: dict[int, str] = field(default_factory=dict)
    tags: dict[int, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_header(header: Sequence[str], given: Given) -> Roles:
    """Return what each column means.

    Raises:
        ProblemsError: a column is there twice, one that was named is missing, or nobody says which
            columns are metrics.
    """
    names = [name.strip().lstrip("\ufeff") for name in header]
    problems = [
        Problem("line 1", f"The column {brief(name)} is there twice; rename one of them.")
        for name in dict.fromkeys(names)
        if name and names.count(name) > 1
    ]
    asked = [*given.metrics, *given.params, *given.ignored]
    own = _own_table(names)
    known = {_bare(name, names)[0] for name in names} | set(names)
    problems += [
        Problem("line 1", f"There is no column {brief(name)}; there are {_listed(names)}.")
        for name in asked
        if name not in known
    ]
    if problems:
        raise ProblemsError(problems)
    return _own_roles(names) if own and not given.params else _roles(names, given)


def _own_table(names: Sequence[str]) -> bool:
    """Tell whether the file is one that this studio's table of runs has written."""
    return (
        len(names) > 4
        and names[:2] == ["run", "status"]
        and names[3] == "at_interval"
        and f"{names[2]}.last" in names
    )


def _own_roles(names: Sequence[str]) -> Roles:
    metric, after = names[2], names.index(f"{names[2]}.last")
    return Roles(
        params={i: names[i] for i in range(4, after)},
        metrics={2: metric},
        places={
            role: names.index(role)
            for role in ("run", "status", "reason", "created", "started", "ended")
            if role in names
        },
    )


def _roles(names: Sequence[str], given: Given) -> Roles:
    roles = Roles()
    open_places: dict[int, str] = {}
    for i, name in enumerate(names):
        bare, role = _bare(name, names)
        asked = {name, bare}
        if not name or asked & given.ignored or name.startswith("Unnamed: "):
            continue
        if asked & set(given.metrics):
            roles.metrics[i] = bare if bare in given.metrics else name
        elif asked & set(given.params):
            roles.params[i] = bare if bare in given.params else name
        elif role in {"param", "metric", "tag"}:
            {"param": roles.params, "metric": roles.metrics, "tag": roles.tags}[role][i] = bare
        elif role is None:
            open_places[i] = name
        elif role and role not in roles.places:
            roles.places[role] = i
    if given.params:
        for i in [i for i, name in roles.params.items() if name not in given.params]:
            del roles.params[i]
    _settle(roles, open_places, given)
    return roles


def _settle(roles: Roles, open_places: dict[int, str], given: Given) -> None:
    """Decide about the columns that nobody has named and whose names say nothing."""
    if not roles.metrics:
        text = (
            "Nobody says which columns are metrics: --metric NAME, the primary one first. There "
            f"are {_listed(list(open_places.values()))}."
        )
        raise ProblemsError([Problem("metric", text)])
    if not roles.params:
        roles.params.update(open_places)
    elif open_places:
        roles.notes.append(f"Left out: {_listed(list(open_places.values()))}.")


def _bare(name: str, names: Sequence[str]) -> tuple[str, str | None]:
    """Return a name without its prefix and what the prefix says; None: nothing says anything."""
    prefixes = dict(_PREFIXES)
    is_optuna = any(other.startswith("params_") for other in names)
    if is_optuna:
        prefixes |= _OPTUNA_PREFIXES
    for prefix, role in prefixes.items():
        if name.startswith(prefix) and len(name) > len(prefix):
            return name[len(prefix) :], role
    if is_optuna and (name == "value" or name.startswith("values_")):
        return name, "metric"
    return name, _RESERVED.get(name.lower())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(brief(name) for name in names if name) or "none"
