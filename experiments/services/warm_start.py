"""Warm starts: check the earlier sweeps and runs of a specification against the rows, keep them,
and hand out the runs that are to be resumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from experiments.models import Resumption, Run, Sweep, WarmStart, Workspace
from experiments.problems import Problem, ProblemsError
from experiments.queries import in_declared_order
from experiments.samplers import load_sampler
from experiments.services.new_runs import NewRun
from experiments.services.sampling import arguments_of
from experiments.space.base import Expression
from experiments.space.configuration import read_configuration
from experiments.space.literals import brief, identity
from experiments.spec import SweepSpec
from experiments.spec_warm_start import MAX_CHAIN_RUNS
from experiments.states import RUN_TERMINAL, RunState, SweepState
from experiments.storable import is_storable
from experiments.storage.chosen import tree_of

_MAX_TEXT: Final = 80
CONTINUABLE: Final = frozenset({SweepState.COMPLETED, SweepState.CANCELED})


@dataclass(slots=True)
class Lineage:
    """The earlier sweeps and runs of a specification, in its order, and what is wrong with them."""

    parents: list[Sweep] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def find_lineage(spec: SweepSpec, workspace: Workspace) -> Lineage:
    """Return the rows that a specification names, and every problem of going on from them.

    Sweeps and runs of other workspaces do not exist here. Parts of the specification that are
    wrong themselves may be missing; what needs them is not checked then.
    """
    found = Lineage()
    if spec.resume_from:
        _add_parents(found, spec, workspace)
    if spec.resume_child_runs:
        _add_runs(found, spec, workspace)
    return found


def store_lineage(sweep: Sweep, spec: SweepSpec, workspace: Workspace) -> None:
    """Note where a new sweep comes from; part of the transaction that creates it.

    Raises:
        ProblemsError: it cannot go on from them (any more).
    """
    found = find_lineage(spec, workspace)
    if found.problems:
        raise ProblemsError(found.problems)
    WarmStart.objects.bulk_create(
        WarmStart(
            sweep=sweep,
            position=place,
            parent=parent,
            parent_public_id=parent.public_id,
            parent_name=parent.name,
        )
        for place, parent in enumerate(found.parents)
    )
    Resumption.objects.bulk_create(
        Resumption(
            sweep=sweep,
            position=place,
            source=run,
            source_public_id=run.public_id,
            params=in_declared_order(run.params, run.sweep.spec),
        )
        for place, run in enumerate(found.runs)
    )


def runs_to_resume(sweep: Sweep, count: int) -> list[NewRun]:
    """Return up to `count` runs that the sweep has to resume still; they come before samples."""
    if not sweep.spec.get("resume_child_runs"):
        return []
    spec = SweepSpec.from_stored(sweep.spec)
    waiting = Resumption.objects.filter(sweep=sweep, runs__isnull=True).order_by("position")
    return [
        NewRun(
            params=row.params,
            arguments=arguments_of(spec, row.params),
            note=f"Resumes run {row.source_public_id}.",
            origin=Run.Origin.RESUMED,
            resumption_id=row.pk,
        )
        for row in waiting[:count]
    ]


def _add_parents(found: Lineage, spec: SweepSpec, workspace: Workspace) -> None:
    ids = [one for one in spec.resume_from if is_storable(one)]
    rows = Sweep.objects.filter(
        public_id__in=ids,
        experiment__workspace=workspace,
        kind=Sweep.Kind.SWEEP,
        trashed_at__isnull=True,
    )
    known = {sweep.public_id: sweep for sweep in rows}
    for i, one in enumerate(spec.resume_from):
        path, sweep = f"resume_from[{i}]", known.get(one)
        if sweep is None:
            found.problems.append(Problem(path, _not_found("sweep", one)))
            continue
        found.parents.append(sweep)
        found.problems += [Problem(path, text) for text in sweep_faults(sweep, spec)]
    found.problems += _chain_problems(found.parents, spec)


def _add_runs(found: Lineage, spec: SweepSpec, workspace: Workspace) -> None:
    ids = [one for one in spec.resume_child_runs if is_storable(one)]
    rows = Run.objects.filter(
        public_id__in=ids,
        sweep__experiment__workspace=workspace,
        sweep__kind=Sweep.Kind.SWEEP,
        sweep__trashed_at__isnull=True,
    ).select_related("sweep")
    known = {run.public_id: run for run in rows}
    told: set[int] = set()
    for i, one in enumerate(spec.resume_child_runs):
        path, run = f"resume_child_runs[{i}]", known.get(one)
        if run is None:
            found.problems.append(Problem(path, _not_found("run", one)))
            continue
        found.runs.append(run)
        # What is wrong with a sweep is said at the first of its runs.
        texts = [] if run.sweep_id in told else _misfits(run.sweep, spec)
        told.add(run.sweep_id)
        texts += run_faults(run, spec)
        found.problems += [Problem(path, text) for text in texts]


def _not_found(what: str, one: str) -> str:
    return (
        f"There is no {what} {brief(one)} in this workspace; name the id of one of its {what}s, "
        f"as on the {what}'s page."
    )


def sweep_faults(sweep: Sweep, spec: SweepSpec) -> list[str]:
    """Return why a specification cannot go on from a sweep, a sentence each."""
    state = [] if sweep.state in CONTINUABLE else [_not_continuable(sweep)]
    return [*state, *_misfits(sweep, spec)]


def _not_continuable(sweep: Sweep) -> str:
    if sweep.state == SweepState.FAILED:
        how, advice = "has failed", "name another one"
    else:
        how, advice = f"is {sweep.state}", "wait for its end or cancel it"
    rule = "only completed and canceled sweeps can be continued"
    return f"{title_of(sweep)} {how}; {rule}, so {advice}."


def _misfits(sweep: Sweep, spec: SweepSpec) -> list[str]:
    """Return why the results of a sweep mean something else than those of the new one."""
    texts = []
    metric = getattr(spec, "primary_metric", None)
    if metric is not None and (sweep.metric_name, sweep.goal) != (metric.name, metric.goal):
        theirs = f"{brief(sweep.metric_name)} ({sweep.goal})"
        ours = f"{brief(metric.name)} ({metric.goal})"
        texts.append(
            f"{title_of(sweep)} has the primary metric {theirs} and this sweep {ours}; "
            "name and goal must be the same."
        )
    is_known = getattr(spec, "search_space", None) is not None
    if is_known and load_sampler(spec.sampler_name).needs_same_space:
        stored = SweepSpec.from_stored(sweep.spec)
        other = _difference(stored.space.expressions, spec.space.expressions)
        if other:
            texts.append(
                f"{title_of(sweep)} has another search space ({other}); {spec.sampler_name} "
                "sampling learns only from the identical one."
            )
    return texts


def _difference(theirs: Mapping[str, Expression], ours: Mapping[str, Expression]) -> str:
    """Name the first hyperparameter that two search spaces do not share; "" when there is none."""
    for name in (*theirs, *ours):
        there, here = theirs.get(name), ours.get(name)
        if there is None or here is None or _meaning(there) != _meaning(here):
            return f"{name} is {_shown(there)} there and {_shown(here)} here"
    return ""


def _meaning(expression: Expression) -> tuple[str, list[Any]]:
    """Return what tells expressions apart: 1.0 is 1 as a bound, but another option of a choice."""
    arguments = expression.arguments()
    if expression.name == "choice":
        return expression.name, [identity(option) for option in arguments["values"]]
    return expression.name, [float(argument) for argument in arguments.values()]


def _shown(expression: Expression | None) -> str:
    if expression is None:
        return "missing"
    text = expression.to_text()
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"


def _chain_problems(parents: Iterable[Sweep], spec: SweepSpec) -> list[Problem]:
    own = getattr(spec, "max_total_runs", None)
    if own is None:
        return []
    totals = [own, *(parent.max_total_runs for parent in parents)]
    if sum(totals) <= MAX_CHAIN_RUNS:
        return []
    shown = " + ".join(map(str, totals))
    text = (
        f"max_total_runs of this sweep and of those in resume_from are {shown} = {sum(totals)}; "
        f"together at most {MAX_CHAIN_RUNS} are allowed. Lower max_total_runs or "
        "name fewer sweeps."
    )
    return [Problem("resume_from", text)]


def run_faults(run: Run, spec: SweepSpec) -> list[str]:
    """Return why a specification cannot resume a run, whatever its sweep; a sentence each."""
    title = f"Run {run.number} of {title_of(run.sweep)}"
    if run.state not in RUN_TERMINAL:
        return [
            f"{title} is {RunState(run.state)}; only completed, canceled and failed runs can be "
            "resumed, so wait for its end or cancel it."
        ]
    texts = []
    if getattr(spec, "search_space", None) is not None:
        try:
            read_configuration(spec.space, run.params)
        except ProblemsError as error:
            reasons = " ".join(problem.message for problem in error.problems)
            texts.append(f"{title} has other hyperparameters than search_space. {reasons}")
    if not _has_outputs(run):
        text = "has left no file in ./outputs, so there is nothing to go on from"
        texts.append(f"{title} {text}; leave it out.")
    return texts


def _has_outputs(run: Run) -> bool:
    if Path(run.directory).is_absolute():
        return next(tree_of(run.directory).outputs(), None) is not None
    # A form asks for many runs: rows answer at once, also while the bucket is away.
    return run.artifacts.filter(path__startswith="outputs/").exists()


def title_of(sweep: Sweep) -> str:
    """Name a sweep in a sentence, with its id."""
    return f"{brief(sweep.name)} ({sweep.public_id})"
