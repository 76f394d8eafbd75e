"""Sweeps as people handle them: submit, check, cancel, pause, resume."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from experiments import clock
from experiments.models import ComputeTarget, Event, Experiment, Snapshot, Sweep, Workspace
from experiments.models.experiment import OF_CHECKS
from experiments.problems import Problem, ProblemsError
from experiments.services.advance import advance_sweep
from experiments.services.dispatch import enqueue_advance
from experiments.services.events import bump, notify, write_event
from experiments.services.snapshots import mark_used, snapshot_directory
from experiments.services.submission import Checked, check_submission, find_compute
from experiments.services.transitions import StaleState, move_sweep
from experiments.services.warm_start import store_lineage
from experiments.spec import SweepSpec
from experiments.states import EndReason, SweepState

# Seeds stay exact in JSON and in JavaScript.
_SEED_BITS: Final = 31


def create_sweep(
    spec: SweepSpec,
    *,
    owner: User,
    workspace: Workspace,
    snapshot: Snapshot,
    kind: Sweep.Kind = Sweep.Kind.SWEEP,
    target: ComputeTarget | None = None,
) -> Sweep:
    """Create a sweep of a valid specification and let the controller start it after the commit.

    `target` takes the place of the compute target that the specification names.

    Raises:
        ProblemsError: the workspace has no such compute target, or no such earlier sweeps and runs
            to go on from.
    """
    compute = target or find_compute(spec.compute, workspace)
    if isinstance(compute, Problem):
        raise ProblemsError([compute])
    with transaction.atomic():
        mark_used(snapshot)
        # It may come from another workspace of the owner.
        snapshot.workspaces.add(workspace)
        name = OF_CHECKS if kind == Sweep.Kind.CHECK else spec.experiment
        experiment, _ = Experiment.objects.get_or_create(workspace=workspace, name=name)
        sweep = Sweep.objects.create(
            experiment=experiment,
            owner=owner,
            compute=compute,
            snapshot=snapshot,
            kind=kind,
            name=spec.name,
            description=spec.description,
            tags=spec.tags,
            spec=spec.dump(),
            seed=_seed(spec),
            max_total_runs=spec.max_total_runs,
            max_concurrent_runs=spec.effective_concurrency,
            metric_name=spec.metric_name,
            goal=spec.goal,
        )
        store_lineage(sweep, spec, workspace)
        write_event(
            sweep.pk,
            bump(sweep.pk),
            Event.Kind.SWEEP,
            f"Sweep: submitted by {owner.get_username()}",
            payload={"state": SweepState.QUEUED, "end_reason": ""},
            by=owner,
        )
        notify(sweep.pk)
        enqueue_advance(sweep.pk)
    return Sweep.objects.get(pk=sweep.pk)


def submit_spec(
    raw: Mapping[str, Any] | str,
    *,
    owner: User,
    workspace: Workspace | None,
    base_directory: Path | None = None,
    snapshot_digest: str | None = None,
    allow_server_paths: bool = False,
) -> tuple[Sweep, list[str]]:
    """Check a specification in whole and create its sweep; return it with the warnings.

    Raises:
        ProblemsError: every problem there is; nothing was created.
    """
    checked = check_submission(
        raw,
        user=owner,
        workspace=workspace,
        base_directory=base_directory,
        snapshot_digest=snapshot_digest,
        allow_server_paths=allow_server_paths,
    )
    if checked.problems or checked.spec is None or workspace is None:
        raise ProblemsError(checked.problems)
    sweep = create_sweep(
        checked.spec, owner=owner, workspace=workspace, snapshot=snapshot_of(checked, workspace)
    )
    return sweep, checked.warnings


def check_spec(
    raw: Mapping[str, Any] | str,
    *,
    user: User,
    workspace: Workspace | None,
    base_directory: Path | None = None,
    snapshot_digest: str | None = None,
    allow_server_paths: bool = False,
) -> tuple[SweepSpec | None, list[Problem], list[str]]:
    """Return the specification (None when it cannot be read), every problem and every warning."""
    checked = check_submission(
        raw,
        user=user,
        workspace=workspace,
        base_directory=base_directory,
        snapshot_digest=snapshot_digest,
        allow_server_paths=allow_server_paths,
    )
    return checked.spec, checked.problems, checked.warnings


def cancel_sweep(sweep: Sweep, *, user: User) -> bool:
    """Cancel a sweep for a person: no new runs, all runs are stopped, results stay.

    False when it has ended or was being canceled already.
    """
    try:
        move_sweep(
            sweep.pk,
            SweepState.CANCEL_REQUESTED,
            end_reason=EndReason.USER,
            reason=f"Canceled by {user.get_username()}.",
            by=user,
        )
    except StaleState:
        return False
    advance_sweep(sweep.pk)
    return True


def pause_sweep(sweep: Sweep, *, user: User) -> bool:
    """Start no new runs for now; live runs go on. False when the sweep is not running.

    Runs that no worker has taken yet wait for the resume. The sweep's duration goes on counting.
    """
    try:
        reason = f"Paused by {user.get_username()}."
        move_sweep(sweep.pk, SweepState.PAUSED, reason=reason, by=user)
    except StaleState:
        return False
    advance_sweep(sweep.pk)
    return True


def resume_sweep(sweep: Sweep, *, user: User) -> bool:
    """Go on after a pause; False when the sweep is not paused."""
    try:
        move_sweep(
            sweep.pk,
            SweepState.RUNNING,
            message=f"Sweep: resumed by {user.get_username()}",
            sources={SweepState.PAUSED},
            by=user,
            resumed_at=clock.now(),
        )
    except StaleState:
        return False
    advance_sweep(sweep.pk)
    return True


def snapshot_of(checked: Checked, workspace: Workspace) -> Snapshot:
    """Return the files of a checked specification, storing its directory if they are none yet.

    Raises:
        ProblemsError: there are no files, or the directory cannot be submitted.
    """
    if checked.snapshot is not None:
        return checked.snapshot
    if checked.directory is None:
        raise ProblemsError([Problem("source_directory", "There are no files to run.")])
    return snapshot_directory(checked.directory, workspace=workspace)


def _seed(spec: SweepSpec) -> int:
    seed = spec.sampler_options.get("seed")
    return secrets.randbits(_SEED_BITS) if seed is None else int(seed)
