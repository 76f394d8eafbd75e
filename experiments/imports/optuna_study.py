"""Runs from an Optuna study; optuna is imported only when this is used.

Intermediate values become the history of the metric, the final value its last report.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from experiments.imports.build import Found, Given
from experiments.imports.observed import ObservedRun, ObservedSeries
from experiments.imports.space import choice_of, log_range_of, range_of
from experiments.problems import Problem, ProblemsError
from experiments.space.literals import brief

_SQLITE: Final = b"SQLite format 3\x00"
_MAX_CHOICES: Final = 64
_NO_OPTUNA: Final = (
    "Reading an Optuna storage needs the package optuna: pip install 'sweep-studio[import]'."
)
# State -> (status, end reason); a waiting trial has not run and is left out.
_STATES: Final = {
    "COMPLETE": ("Completed", ""),
    "PRUNED": ("Canceled", "policy"),
    "FAIL": ("Failed", ""),
    "RUNNING": ("Running", ""),
}


def read_optuna(storage: str, study_name: str, given: Given) -> Found:
    """Return the trials of a study in a storage: a database address, a database or journal file.

    Raises:
        ProblemsError: optuna is missing, nothing can be read there, or there are several studies.
    """
    if find_spec("optuna") is None:
        raise ProblemsError([Problem("", _NO_OPTUNA)])
    optuna = import_module("optuna")
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(logging.ERROR)
    try:
        # What is experimental in its interface says so at every call.
        with warnings.catch_warnings(action="ignore"):
            study = _study(optuna, storage, study_name)
            return _found(study, storage, given)
    finally:
        optuna.logging.set_verbosity(level)


def _study(optuna: Any, storage: str, study_name: str) -> Any:
    opened = _open(optuna, storage)
    try:
        names = optuna.get_all_study_names(opened)
        if not names:
            text = f"{_shown(storage)} holds no Optuna study."
            raise ProblemsError([Problem("storage", text)])
        chosen = _chosen(names, study_name)
        return optuna.load_study(study_name=chosen, storage=opened)
    except ProblemsError:
        raise
    except Exception as error:  # whatever its database driver raises
        text = f"{_shown(storage)} cannot be read as an Optuna storage: {error}"
        raise ProblemsError([Problem("storage", text.splitlines()[0])]) from error


def _open(optuna: Any, storage: str) -> Any:
    if "://" in storage:
        name = storage.partition("sqlite:///")[2]
        # It would be made, empty.
        if name and not Path(name.partition("?")[0]).is_file():
            raise ProblemsError([Problem("storage", f"There is no file {name}.")])
        return storage
    path = Path(storage)
    if not path.is_file():
        text = f"{storage} is no file; give a database address like sqlite:///study.db, or a file."
        raise ProblemsError([Problem("storage", text)])
    with path.open("rb") as file:
        is_database = file.read(len(_SQLITE)) == _SQLITE
    if is_database:
        return f"sqlite:///{path.resolve()}"
    journal = import_module("optuna.storages.journal")
    return optuna.storages.JournalStorage(journal.JournalFileBackend(str(path)))


def _chosen(names: Sequence[str], wanted: str) -> str:
    known = ", ".join(brief(name) for name in names) or "none"
    if wanted and wanted not in names:
        text = f"There is no study {brief(wanted)}; there are: {known}."
        raise ProblemsError([Problem("study", text)])
    if wanted or len(names) == 1:
        return wanted or names[0]
    text = f"The storage has {len(names)} studies; choose one with --study: {known}."
    raise ProblemsError([Problem("study", text)])


def _shown(storage: str) -> str:
    """Return an address without the password in it."""
    scheme, separator, rest = storage.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else storage


def _found(study: Any, storage: str, given: Given) -> Found:
    names = _metric_names(study, given)
    # The name of the primary metric decides about its place among several objectives.
    primary = given.metrics[0] if given.metrics and given.metrics[0] in names else names[0]
    waiting = [trial for trial in study.trials if trial.state.name not in _STATES]
    trials = [trial for trial in study.trials if trial.state.name in _STATES]
    notes = [f"{len(waiting)} trials that wait to be run are left out."] if waiting else []
    directions = [direction.name.lower() for direction in study.directions]
    return Found(
        kind="optuna",
        source=f"study {study.study_name} in {_shown(storage)}",
        name=study.study_name,
        runs=[_run(trial, names, number) for number, trial in enumerate(trials)],
        metric=primary,
        goal=directions[names.index(primary)],
        space=_space(trials),
        notes=notes,
    )


def _metric_names(study: Any, given: Given) -> list[str]:
    """Return the names of the objectives: Optuna's, else what a person says, else usual ones."""
    if study.metric_names:
        return list(study.metric_names)
    count = len(study.directions)
    if len(given.metrics) == count:
        return list(given.metrics)
    return ["value"] if count == 1 else [f"value_{i}" for i in range(count)]


def _run(trial: Any, names: Sequence[str], number: int) -> ObservedRun:
    status, end_reason = _STATES[trial.state.name]
    reason = ""
    if end_reason:
        last = trial.last_step
        where = "" if last is None else f" at step {last}"
        reason = f"Pruned by Optuna{where}."
    tags = {str(name)[:100]: _text(value) for name, value in trial.user_attrs.items()}
    return ObservedRun(
        number=number,
        params=dict(trial.params),
        status=status,
        end_reason=end_reason,
        reason=reason,
        tags=tags,
        properties={"optuna.trial": str(trial.number)},
        created=_moment(trial.datetime_start),
        started=_moment(trial.datetime_start),
        ended=_moment(trial.datetime_complete),
        series=list(_series(trial, names)),
    )


def _series(trial: Any, names: Sequence[str]) -> Iterator[ObservedSeries]:
    finals = trial.values or [None] * len(names)
    for place, (name, final) in enumerate(zip(names, finals, strict=True)):
        # Trials report intermediate values of a single objective only.
        steps = sorted(trial.intermediate_values) if place == 0 and len(names) == 1 else []
        values = [float(trial.intermediate_values[step]) for step in steps]
        whole: list[float | None] = [float(step) for step in steps]
        if final is not None and (not values or values[-1] != final):
            values.append(float(final))
            whole.append(None)
        if values:
            yield ObservedSeries(name, values, whole if steps else None)


def _space(trials: Sequence[Any]) -> dict[str, str]:
    """Return the distributions that all trials agree about; the others are guessed from values."""
    seen: dict[str, dict[str, Any]] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            seen.setdefault(name, {})[repr(distribution)] = distribution
    return {
        name: text
        for name, found in seen.items()
        if len(found) == 1 and (text := _expression(next(iter(found.values()))))
    }


def _expression(distribution: Any) -> str:
    choices = getattr(distribution, "choices", None)
    if choices is not None:
        return choice_of(choices)
    low, high, step = distribution.low, distribution.high, distribution.step
    if low == high:
        return choice_of([low])
    is_whole = type(distribution).__name__ == "IntDistribution"
    if distribution.log and is_whole:
        few = high - low < _MAX_CHOICES
        return range_of(low, high) if few else f"qloguniform{log_range_of(low, high)[10:-1]}, 1)"
    if distribution.log:
        return log_range_of(low, high)
    if is_whole and step == 1:
        return range_of(low, high)
    if step:
        return _stepped(low, high, step)
    return f"uniform({float(low)!r}, {float(high)!r})"


def _stepped(low: float, high: float, step: float) -> str:
    count = math.floor((high - low) / step + 1e-9) + 1
    if count <= _MAX_CHOICES:
        begin, width = Decimal(str(low)), Decimal(str(step))
        return choice_of([type(low)(begin + i * width) for i in range(count)])
    return f"quniform({low!r}, {high!r}, {step!r})"


def _text(value: Any) -> str:
    return (value if isinstance(value, str) else brief(value))[:1000]


def _moment(time: Any) -> Any:
    """Return a time of Optuna's, which is a local one without an offset."""
    return None if time is None else time.astimezone()
