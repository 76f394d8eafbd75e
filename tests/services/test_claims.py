"""Which run a slot takes, with rows and locks: in turn, within quotas, once, under pressure."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from experiments import clock
from experiments.models import ComputeTarget, Run, SlotShares, Sweep, WorkspaceQuota
from experiments.queries.standing import asking_targets, standings
from experiments.services.advance import advance_sweep
from experiments.services.dispatch import get_queue
from experiments.services.quotas import change_quota
from experiments.services.runs import (
    Executor,
    RunOutcome,
    cancel_run,
    claim_next,
    finish_run,
    lose_run,
    next_sweep,
    start_run,
)
from experiments.services.site import switch_maintenance
from tests.at_once import at_once
from tests.factories import (
    make_check,
    make_compute,
    make_run,
    make_sweep,
    make_user,
    make_workspace,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _quiet(valkey_url):
    """Give jobs somewhere to go."""


def team(name: str, **quota: int | None):
    workspace = make_workspace(make_user(name.lower()), name=name)
    if quota:
        change_quota(workspace, quota, by=None)
    return workspace


def sweep_of(workspace, runs: int = 6, **spec) -> Sweep:
    sweep = make_sweep(
        owner=make_user(workspace.name.lower()),
        workspace=workspace,
        is_running=False,
        max_total_runs=runs,
        max_concurrent_runs=runs,
        **spec,
    )
    advance_sweep(sweep.pk)
    return sweep


def take(target: ComputeTarget | None = None, name: str = "worker-1"):
    target = target or make_compute()
    claimed = claim_next(target.pk, Executor(name, "here", 1, 1.0))
    if claimed is not None:
        start_run(claimed.run_id, claimed.fence, arguments=[], directory="")
    return claimed


def workspaces_of(claims) -> list[str]:
    return [claimed.workspace if claimed else None for claimed in claims]


def end(claimed) -> None:
    finish_run(claimed.run_id, claimed.fence, RunOutcome(exit_code=0))


def test_slots_go_round_between_workspaces_and_their_sweeps():
    first, second = sweep_of(team("Vision")), sweep_of(team("Speech"), runs=2)
    third = sweep_of(first.experiment.workspace, runs=2, name="late")

    now = timezone.now()
    with clock.running_on(lambda: now):
        claims = [take() for _ in range(6)]

    assert workspaces_of(claims) == ["Vision", "Speech", "Vision", "Speech", "Vision", "Vision"]
    mine = [claimed.sweep_id for claimed in claims if claimed.workspace == "Vision"]
    assert mine == [first.pk, third.pk, first.pk, third.pk]
    assert [claimed.number for claimed in claims if claimed.sweep_id == second.pk] == [0, 1]


def test_priorities_are_obeyed_from_the_rows():
    sweep_of(team("Vision", priority=30), runs=12)
    sweep_of(team("Speech"), runs=12)

    claims = workspaces_of([take() for _ in range(8)])

    assert (claims.count("Vision"), claims.count("Speech")) == (6, 2)


def test_slot_time_counts_while_others_wait():
    """On one slot the workspace with the long run waits until the other one has had as much."""
    sweep_of(team("Vision"))
    sweep_of(team("Speech"), runs=5)
    begin = timezone.now()

    def at(seconds: float, act):
        with clock.running_on(lambda: begin + timedelta(seconds=seconds)):
            return act()

    order, moment = [], 0.0
    for seconds in (100, 40, 40, 40, 1):
        claimed = at(moment, take)
        order.append(claimed.workspace)
        moment += seconds
        at(moment, lambda claimed=claimed: end(claimed))

    assert order == ["Vision", "Speech", "Speech", "Speech", "Vision"]


def test_checks_go_before_everything():
    sweep_of(team("Vision"))
    check = make_check()
    advance_sweep(check.pk)

    assert next_sweep(check.compute_id) == check.pk
    assert take().sweep_id == check.pk


def test_a_lost_ledger_only_begins_anew():
    sweep_of(team("Vision"))
    sweep_of(team("Speech"))
    take()
    SlotShares.objects.update(ledger={"teams": "?"})

    assert workspaces_of([take(), take()]) == ["Speech", "Vision"]


def test_running_runs_are_limited_on_all_targets_together():
    workspace = team("Vision", max_running_runs=3)
    sweep_of(workspace)
    sweep_of(workspace, compute="far")
    far = make_compute("far")

    claims = [take(), take(far), take(), take(far), take()]

    assert workspaces_of(claims) == ["Vision"] * 3 + [None] * 2
    queue = get_queue(far.queue_name)
    queue.empty()
    end(claims[0])
    assert len(queue.jobs) == 1  # the slots of the other target are told
    assert take(far) is not None
    assert take() is None


def test_workers_at_once_on_two_targets_keep_the_limits():
    workspace = team("Vision", max_running_runs=3, max_runs_per_day=5)
    sweep_of(workspace)
    sweep_of(workspace, compute="far")
    sweep_of(team("Speech"), runs=2)
    far = make_compute("far")

    claims = at_once(*[lambda n=n: take(far if n % 2 else None, f"w{n}") for n in range(10)])

    taken = [claimed for claimed in claims if claimed]
    assert sorted(workspaces_of(taken)) == ["Speech"] * 2 + ["Vision"] * 3
    assert len({claimed.run_id for claimed in taken}) == 5
    at_once(*[lambda claimed=claimed: end(claimed) for claimed in taken])
    claims = at_once(*[lambda n=n: take(far if n % 2 else None, f"w{n}") for n in range(6)])
    assert workspaces_of(claims).count("Vision") == 2
    assert WorkspaceQuota.objects.get().counted_runs == 5


def test_runs_of_a_day_are_counted_and_the_next_day_goes_on():
    workspace = team("Vision")
    sweep_of(workspace)
    take()
    change_quota(workspace, {"max_runs_per_day": 3}, by=None)

    claims = [take() for _ in range(4)]

    assert workspaces_of(claims) == ["Vision", "Vision", None, None]
    with clock.running_on(lambda: timezone.now() + timedelta(days=1)):
        assert take() is not None


def test_a_lost_run_leaves_its_place_and_its_repetition_obeys_as_well():
    workspace = team("Vision", max_running_runs=1)
    sweep_of(workspace, runs=1)
    claimed = take()
    assert take() is None

    retry = lose_run(claimed.run_id, reason="Its worker died.", fence=claimed.fence)

    again = take()
    assert again.run_id == retry.pk
    assert take() is None


def test_a_canceled_run_is_not_taken_and_holds_nobody_up():
    sweep = sweep_of(team("Vision"), runs=2)
    first, second = Run.objects.filter(sweep=sweep).order_by("pk")
    cancel_run(first, user=make_user())

    assert take().run_id == second.pk
    assert take() is None


def test_maintenance_and_draining_hold_everything_and_let_go():
    sweep = sweep_of(team("Vision"))
    later = make_sweep(is_running=False)
    switch_maintenance(True, by=None)
    advance_sweep(later.pk)

    assert take() is None
    assert next_sweep(sweep.compute_id) is None
    assert asking_targets(timezone.now()) == []
    later.refresh_from_db()
    assert (later.state, later.deadline_at) == ("Queued", None)
    switch_maintenance(False, by=None)
    ComputeTarget.objects.update(is_draining=True)
    assert take() is None
    ComputeTarget.objects.update(is_draining=False)
    assert take() is not None


def test_a_claim_asks_little_however_long_the_history(django_assert_max_num_queries):
    sweep_of(team("Vision"))
    sweep_of(team("Speech"))
    make_run(make_sweep())
    take()
    target = make_compute()

    with django_assert_max_num_queries(20):
        assert claim_next(target.pk, Executor("w", "here", 1, 1.0)) is not None
    with django_assert_max_num_queries(4):
        standings({target.pk: False}, timezone.now())
