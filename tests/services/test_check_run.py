"""Checks before a launch: what is created, what counts them (nothing), who sees them, their end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import F

from experiments import queries
from experiments.models import CheckRun, Experiment, Membership, Run, Snapshot, Sweep
from experiments.problems import ProblemsError
from experiments.queries.sweep_list import state_counts, sweep_list
from experiments.services.advance import advance_sweep
from experiments.services.check_run import (
    KEPT,
    cancel_check,
    remove_old_checks,
    start_check,
)
from experiments.services.snapshots import snapshot_directory
from experiments.services.sweeps import submit_spec
from experiments.states import EndReason, SweepState
from tests.factories import (
    SPEC,
    claim,
    make_check,
    make_compute,
    make_sweep,
    make_user,
    make_workspace,
    report,
)
from tests.web.sweep_world import many_runs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Path) -> None:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    make_compute()


@pytest.fixture
def alice() -> User:
    alice = make_user("alice")
    make_workspace(alice)
    return alice


@pytest.fixture
def snapshot(tmp_path: Path, alice: User) -> Snapshot:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)\n")
    return snapshot_directory(folder, workspace=make_workspace(alice))


def begin(user: User, snapshot: Snapshot, *, seconds: Any = 60, **changes: Any) -> Sweep:
    raw = {key: value for key, value in SPEC.items() if key != "source_directory"}
    sweep, _ = start_check(
        {**raw, **changes},
        owner=user,
        workspace=make_workspace(),
        seconds=seconds,
        snapshot_digest=snapshot.digest,
    )
    return sweep


def test_check_has_one_run_and_the_limits_of_a_check(alice: User, snapshot: Snapshot) -> None:
    sweep = begin(
        alice,
        snapshot,
        seconds=30,
        early_termination={"type": "bandit", "slack_factor": 0.1},
        max_failed_runs=2,
        run_timeout_minutes=5,
    )
    advance_sweep(sweep.pk)

    sweep = Sweep.objects.get(pk=sweep.pk)
    assert (sweep.kind, sweep.max_total_runs, sweep.max_concurrent_runs) == ("check", 1, 1)
    assert sweep.spec["run_timeout_minutes"] == 0.5
    assert sweep.spec["early_termination"] is None
    assert sweep.spec["max_failed_runs"] is None
    assert Run.objects.filter(sweep=sweep).count() == 1
    assert sweep.check_run.spec["max_total_runs"] == 4
    assert sweep.check_run.seconds == 30


def test_own_limit_of_a_run_that_is_shorter_stays(alice: User, snapshot: Snapshot) -> None:
    sweep = begin(alice, snapshot, run_timeout_minutes=0.25)

    assert sweep.spec["run_timeout_minutes"] == 0.25


@pytest.mark.parametrize("sampling", [{"type": "random", "seed": 7}, "grid"])
def test_configuration_is_the_first_of_the_sweep(
    alice: User, snapshot: Snapshot, sampling: Any
) -> None:
    space = {"lr": "choice(0.1, 0.2, 0.3)", "layers": "choice(1, 2, 3)"}
    check = begin(alice, snapshot, sampling=sampling, search_space=space)
    sweep, _ = submit_spec(
        {**SPEC, "sampling": sampling, "search_space": space},
        owner=alice,
        workspace=make_workspace(),
        snapshot_digest=snapshot.digest,
    )
    advance_sweep(check.pk)
    advance_sweep(sweep.pk)

    tried = Run.objects.get(sweep=check)
    first = Run.objects.get(sweep=sweep, number=0)
    assert tried.params == first.params
    assert tried.arguments == first.arguments


def test_nothing_counts_a_check(alice: User, snapshot: Snapshot) -> None:
    check = begin(alice, snapshot)
    advance_sweep(check.pk)
    run = Run.objects.get(sweep=check)

    assert sweep_list(alice).total == 0
    assert state_counts(alice) == {"all": 0, "active": 0}
    assert not queries.sweeps_for(alice).exists()
    assert not queries.runs_for(alice).exists()
    assert not queries.experiments_for(alice).exists()
    assert not Experiment.objects.filter(name="digits").exists()
    with pytest.raises(Sweep.DoesNotExist):
        queries.get_sweep(alice, check.public_id)
    with pytest.raises(Run.DoesNotExist):
        queries.get_run(alice, run.public_id)


def test_members_of_the_workspace_see_it_and_strangers_do_not(
    alice: User, snapshot: Snapshot
) -> None:
    bob, charlie = make_user("bob"), make_user("charlie")
    make_workspace(bob, role=Membership.Role.READER)
    make_workspace(charlie, name="Elsewhere")
    check = begin(alice, snapshot)

    assert queries.find_check(bob, check.public_id) == check
    for user, public_id in ((charlie, check.public_id), (alice, "HD_x"), (alice, "\x00")):
        with pytest.raises(Sweep.DoesNotExist):
            queries.find_check(user, public_id)


def test_sweep_is_no_check(alice: User) -> None:
    sweep = make_sweep(owner=alice)

    with pytest.raises(Sweep.DoesNotExist):
        queries.find_check(alice, sweep.public_id)


@pytest.mark.parametrize("seconds", [0, 601, -1, "60", None, True, float("nan"), float("inf")])
def test_wrong_limit_is_told_with_all_else_and_nothing_is_created(
    alice: User, snapshot: Snapshot, seconds: Any
) -> None:
    with pytest.raises(ProblemsError) as caught:
        begin(alice, snapshot, seconds=seconds, max_total_runs=0)

    assert {problem.path for problem in caught.value.problems} == {"seconds", "max_total_runs"}
    assert not Sweep.objects.exists()
    assert not CheckRun.objects.exists()


def test_newest_check_of_a_person_cancels_the_one_before(alice: User, snapshot: Snapshot) -> None:
    bob = make_user("bob")
    make_workspace(bob)
    first, of_bob = begin(alice, snapshot), begin(bob, snapshot)
    advance_sweep(first.pk)
    claim(Run.objects.get(sweep=first))

    second = begin(alice, snapshot)

    first.refresh_from_db()
    assert first.state == SweepState.CANCEL_REQUESTED
    assert first.reason == "Another check took its place."
    states = Sweep.objects.filter(pk__in=[second.pk, of_bob.pk]).values_list("state", flat=True)
    assert list(states) == [SweepState.QUEUED, SweepState.QUEUED]


def test_waiting_check_is_canceled_at_once(alice: User, snapshot: Snapshot) -> None:
    check = begin(alice, snapshot)
    advance_sweep(check.pk)

    assert cancel_check(check, user=alice)

    check.refresh_from_db()
    assert (check.state, check.end_reason) == (SweepState.CANCELED, EndReason.USER)
    verdict = queries.check_view(check).verdict
    assert verdict.outcome == "canceled"
    assert verdict.lines[0].text == "Canceled by alice."
    assert not cancel_check(check, user=alice)


def test_old_checks_go_with_their_files_and_sweeps_stay(
    alice: User, snapshot: Snapshot, settings: Any
) -> None:
    bob = make_user("bob")
    make_workspace(bob)
    old, fresh = begin(alice, snapshot), begin(bob, snapshot)
    sweep = make_sweep(owner=alice)
    for one in (old, fresh, sweep):
        advance_sweep(one.pk)
        folder = settings.STUDIO_STORAGE_ROOT / "runs" / one.public_id / "0"
        folder.mkdir(parents=True)
        (folder / "model.bin").write_text("weights")
    for one in (old, fresh):
        cancel_check(one, user=alice)
    Sweep.objects.filter(pk=sweep.pk).update(
        state=SweepState.CANCELED, end_reason=EndReason.USER, ended_at=F("created_at")
    )
    Sweep.objects.filter(pk__in=[old.pk, sweep.pk]).update(ended_at=F("ended_at") - 2 * KEPT)
    now = Sweep.objects.get(pk=fresh.pk).created_at

    assert remove_old_checks(now + timedelta(minutes=1) - KEPT) == 1

    assert set(Sweep.objects.values_list("pk", flat=True)) == {fresh.pk, sweep.pk}
    left = {path.name for path in (settings.STUDIO_STORAGE_ROOT / "runs").iterdir()}
    assert left == {fresh.public_id, sweep.public_id}
    assert Snapshot.objects.filter(pk=snapshot.pk).exists()


def test_earlier_runs_of_the_experiment_tell_the_length(alice: User) -> None:
    sweep = make_sweep(owner=alice)
    many_runs(sweep, [0.1, 0.2])
    check = make_check(owner=alice)

    assert queries.check_view(check).facts.plan.earlier_reports == 1
    other = make_check(owner=alice, experiment="another")
    assert queries.check_view(other).facts.plan.earlier_reports is None


def test_reports_of_a_check_lead_no_sweep(alice: User) -> None:
    sweep = make_sweep(owner=alice)
    check = make_check(owner=alice)
    advance_sweep(check.pk)
    run = Run.objects.get(sweep=check)
    claim(run)
    report(run, [0.99])

    sweep.refresh_from_db()
    assert sweep.best_run is None
    metric = queries.check_view(check).facts.primary
    assert metric is not None
    assert (metric.reports, metric.last) == (1, 0.99)
