"""Who is told of what: the outbox in the change's own transaction, listeners, what is gathered."""

from __future__ import annotations

import struct
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from experiments import clock
from experiments.models import (
    ComputeTarget,
    Delivery,
    Membership,
    MetricChunk,
    Notification,
    NotificationChannel,
    Run,
    Sweep,
)
from experiments.models.compute import SIMULATED
from experiments.notify.kinds import EVENTS, SCOPES
from experiments.notify.texts import reading_of
from experiments.services.advance import advance_sweep
from experiments.services.notification_channels import ChannelFields, create_webhook, set_email
from experiments.services.notification_log import KEPT_OF_CHANNEL, clean_log
from experiments.services.notification_spread import spread_notifications
from experiments.services.notification_watch import watch_leads, watch_silence
from experiments.services.outcome import RunOutcome
from experiments.services.recovery import lose_run
from experiments.services.runs import finish_run
from experiments.services.stars import set_star
from experiments.services.sweeps import cancel_sweep, pause_sweep
from experiments.services.transitions import move_sweep
from experiments.states import EndReason, SweepState
from tests.factories import (
    make_check,
    make_running_run,
    make_sweep,
    make_user,
    make_workspace,
    report,
)

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/a"


def hook(user, *, workspace=None, events=EVENTS, scopes=SCOPES):
    scopes = None if workspace else list(scopes)
    fields = ChannelFields(name="hook", url=URL, events=list(events), scopes=scopes)
    return create_webhook("webhook", fields, user=user, workspace=workspace)[0]


def told(channel: NotificationChannel) -> list[str]:
    """Spread what there is and return what a channel is told, in order."""
    spread_notifications()
    rows = Delivery.objects.filter(channel=channel).order_by("pk")
    return list(rows.values_list("notification__kind", flat=True))


def end(sweep: Sweep) -> Sweep:
    return move_sweep(
        sweep.pk, SweepState.COMPLETED, end_reason=EndReason.MAX_RUNS, reason="All runs ended."
    )


def later(delta: timedelta) -> None:
    """Let everything that was told have been told some time ago."""
    for row in Notification.objects.all():
        spread = row.spread_at - delta if row.spread_at else None
        Notification.objects.filter(pk=row.pk).update(
            created_at=row.created_at - delta, spread_at=spread
        )


def test_the_outbox_goes_with_the_change():
    sweep = make_sweep()

    with transaction.atomic():
        end(sweep)
        assert Notification.objects.filter(sweep=sweep).count() == 1
        transaction.set_rollback(True)

    assert not Notification.objects.exists()
    end(sweep)
    assert Notification.objects.get().kind == "sweep.finished"


def test_an_end_is_told_once_with_all_that_one_wants_to_know():
    sweep = make_sweep(name="digits-mlp")
    run = make_running_run(sweep, lr=0.5, layers=2)
    report(run, [0.5, 0.75])
    channel = hook(sweep.owner, workspace=sweep.experiment.workspace)

    end(sweep)

    assert told(channel) == told(channel) == ["sweep.finished"]
    body = Notification.objects.get().body
    assert body["type"] == "sweep.finished"
    data = body["data"]
    assert (data["sweep"]["id"], data["sweep"]["status"]) == (sweep.public_id, "Completed")
    assert data["url"].endswith(f"/sweeps/{sweep.public_id}/")
    assert data["best_run"]["value"] == 0.75
    assert data["best_run"]["hyperparameters"] == {"lr": 0.5, "layers": 2}
    assert data["message"] == "All runs ended."
    assert reading_of(body).title == "digits-mlp: completed, best accuracy 0.75"


def test_failed_canceled_and_tripped_sweeps_are_told_as_what_they_are():
    owner = make_user()
    channel = hook(owner, scopes=["mine"])
    failed, canceled = make_sweep(), make_sweep()

    move_sweep(
        failed.pk, SweepState.FAILED, end_reason=EndReason.ALL_RUNS_FAILED, reason="All failed."
    )
    cancel_sweep(canceled, user=owner)

    assert told(channel) == ["sweep.failed", "sweep.finished"]


def test_the_breaker_is_told_and_a_pause_by_a_person_is_not():
    owner = make_user()
    channel = hook(owner, scopes=["mine"])
    by_hand = make_sweep()
    sweep = make_sweep(max_failed_runs=2, max_total_runs=10)

    pause_sweep(by_hand, user=owner)
    for _ in range(2):
        run = make_running_run(sweep)
        finish_run(run.pk, run.fence, RunOutcome(exit_code=1, error_line="KeyError: 'lr'"))
    advance_sweep(sweep.pk)

    assert told(channel) == ["sweep.breaker_tripped"]
    assert "failed in a row" in Notification.objects.get().body["data"]["message"]


def test_people_are_told_of_the_sweeps_they_chose_while_they_belong_to_the_workspace():
    alice, bob, charlie, root = (
        make_user("alice"), make_user("bob"), make_user("charlie"),
        make_user("root", is_superuser=True),
    )  # fmt: skip
    team = make_workspace(alice)
    make_workspace(bob, role=Membership.Role.READER)
    make_workspace(charlie, name="Elsewhere")
    hooks = {
        (user.username, scope): hook(user, scopes=[scope])
        for user in (alice, bob, charlie, root)
        for scope in SCOPES
    }
    sweep = make_sweep(owner=alice, workspace=team)
    for person in (bob, charlie, root):
        set_star(sweep, user=person, is_on=True)

    end(sweep)

    heard = {key for key, channel in hooks.items() if told(channel)}
    assert heard == {
        ("alice", "mine"), ("alice", "all"), ("bob", "starred"), ("bob", "all"),
        ("root", "starred"),
    }  # fmt: skip
    Membership.objects.filter(user=bob).delete()
    alice.is_active = False
    alice.save()
    Delivery.objects.all().delete()
    end(make_sweep(owner=alice, workspace=team))
    assert {key for key, channel in hooks.items() if told(channel)} == set()


def test_webhooks_of_other_workspaces_and_of_other_events_hear_nothing():
    alice, charlie = make_user("alice"), make_user("charlie")
    elsewhere = make_workspace(charlie, name="Elsewhere")
    channels = [
        hook(charlie, workspace=elsewhere),
        hook(alice, workspace=make_workspace(alice), events=["sweep.failed"]),
    ]
    off = hook(alice)
    NotificationChannel.objects.filter(pk=off.pk).update(is_on=False)
    set_email(alice, is_on=True, events=EVENTS, scopes=["mine"])  # without an address

    end(make_sweep(owner=alice))

    assert [told(channel) for channel in channels] == [[], []]
    assert not Delivery.objects.exists()


def test_checks_and_simulated_sweeps_are_told_of_to_nobody():
    alice = make_user()
    channel = hook(alice)
    check = make_check(owner=alice)
    cancel_sweep(check, user=alice)
    simulated = make_sweep(owner=alice)
    ComputeTarget.objects.filter(pk=simulated.compute_id).update(kind=SIMULATED)
    end(simulated)

    assert told(channel) == []


def test_runs_that_a_machine_takes_along_are_one_message():
    sweep = make_sweep(max_total_runs=10, max_concurrent_runs=10)
    channel = hook(sweep.owner)
    runs = [make_running_run(sweep) for _ in range(3)]

    for run in runs[:2]:
        lose_run(run.pk, reason="Its worker process on here died.")
    assert told(channel) == []  # more of them may follow
    later(timedelta(seconds=10))
    assert told(channel) == ["compute.lost"]
    lose_run(runs[2].pk, reason="Its worker process on here died.")
    Notification.objects.filter(spread_at=None).update(
        created_at=clock.now() - timedelta(seconds=10)
    )

    assert told(channel) == ["compute.lost"]  # not twice a minute
    later(timedelta(seconds=60))
    assert told(channel) == ["compute.lost"] * 2
    first, *_ = Notification.objects.filter(body__isnull=False).order_by("pk")
    assert first.body["data"]["lost_runs"] == 2
    assert first.body["data"]["message"].startswith("Runs 0, 1 lost their worker on here.")


def test_new_best_is_told_once_a_minute_and_never_of_the_first_runs():
    sweep = make_sweep(max_total_runs=20, max_concurrent_runs=20)
    channel = hook(sweep.owner)
    runs = [make_running_run(sweep, lr=n / 10) for n in range(9)]
    for n, run in enumerate(runs[:4]):
        report(run, [n / 100])
    watch_leads()
    report(runs[4], [0.05])
    watch_leads()
    assert told(channel) == []  # the first five are no news

    report(runs[5], [0.5])
    watch_leads()
    assert told(channel) == []  # not yet: asked again within a minute
    later(timedelta(seconds=61))
    watch_leads()
    assert told(channel) == ["sweep.new_best"]

    report(runs[5], [0.6])
    later(timedelta(seconds=61))
    watch_leads()
    assert told(channel) == ["sweep.new_best"]  # it led already
    report(runs[6], [0.7])
    report(runs[7], [0.8])
    watch_leads()
    watch_leads()
    assert told(channel) == ["sweep.new_best"] * 2
    bodies = Notification.objects.filter(body__isnull=False).order_by("pk")
    assert [body.body["data"]["run"]["number"] for body in bodies] == [5, 7]
    assert bodies[1].body["data"]["message"] == "Run 7 leads with accuracy 0.8 at interval 1."


def test_leads_are_not_asked_for_when_nobody_wants_them(django_assert_num_queries):
    sweep = make_sweep()
    hook(sweep.owner, events=["sweep.finished"])

    with django_assert_num_queries(1):
        watch_leads()


@pytest.mark.parametrize(("minutes", "is_told"), [(5, False), (40, True)])
def test_a_run_that_falls_silent_is_told_once(minutes, is_told):
    sweep = make_sweep()
    channel = hook(sweep.owner)
    run = make_running_run(sweep)
    report(run, [0.1, 0.2, 0.3])
    age(run, timedelta(minutes=minutes))

    watch_silence()
    watch_silence()

    assert told(channel) == (["sweep.stuck"] if is_told else [])
    if is_told:
        body = Notification.objects.get().body
        assert reading_of(body).title == "digits: run 0 reports nothing any more"
        assert body["data"]["message"].startswith("Run 0 goes on but has reported nothing for 4")


def test_a_run_that_reports_seldom_or_has_not_begun_to_is_given_its_time():
    sweep = make_sweep()
    channel = hook(sweep.owner)
    seldom, mute = make_running_run(sweep), make_running_run(sweep)
    report(seldom, [0.1, 0.2])
    age(seldom, timedelta(minutes=30))
    Run.objects.filter(pk=seldom.pk).update(started_at=clock.now() - timedelta(hours=10))
    age(mute, timedelta(hours=1))

    watch_silence()

    assert told(channel) == []
    Run.objects.filter(pk=mute.pk).update(started_at=clock.now() - timedelta(hours=7))
    watch_silence()
    assert told(channel) == ["sweep.stuck"]


def age(run: Run, delta: timedelta) -> None:
    """Let a run have begun, and have reported what it has, some time ago."""
    Run.objects.filter(pk=run.pk).update(started_at=clock.now() - delta)
    for chunk in MetricChunk.objects.filter(series__run=run):
        at = (clock.now() - delta).timestamp()
        chunk.times = struct.pack(f"<{chunk.count}d", *[at] * chunk.count)
        chunk.save()


def test_runs_that_wait_for_no_worker_are_told_once():
    sweep = make_sweep(is_running=False)
    channel = hook(sweep.owner)
    advance_sweep(sweep.pk)
    Run.objects.filter(sweep=sweep).update(created_at=clock.now() - timedelta(minutes=10))

    watch_silence()
    watch_silence()
    later(timedelta(seconds=10))

    assert told(channel) == ["compute.lost"]
    assert reading_of(Notification.objects.get().body).title == "digits: no worker takes its runs"


def test_the_log_stays_bounded():
    sweep = make_sweep()
    channel = hook(sweep.owner)
    now = clock.now()
    rows = Notification.objects.bulk_create(
        Notification(sweep=sweep, kind="sweep.finished", key=str(n), spread_at=now)
        for n in range(KEPT_OF_CHANNEL + 7)
    )
    Delivery.objects.bulk_create(
        Delivery(notification=row, channel=channel, due_at=now, outcome="sent") for row in rows
    )
    Delivery.objects.filter(notification=rows[-1]).update(created_at=now - timedelta(days=31))

    clean_log()

    assert Delivery.objects.filter(channel=channel).count() == KEPT_OF_CHANNEL
    assert Delivery.objects.order_by("pk").first().notification_id == rows[6].pk
    Notification.objects.update(spread_at=now - timedelta(days=2))
    clean_log()
    assert Notification.objects.count() == KEPT_OF_CHANNEL


def test_an_end_costs_one_statement_more_and_a_report_none():
    sweep = make_sweep()
    hook(sweep.owner)
    run = make_running_run(sweep)

    with CaptureQueriesContext(connection) as reporting:
        report(run, [0.1])
    with CaptureQueriesContext(connection) as ending:
        end(sweep)

    assert [sum("notification" in q["sql"] for q in seen) for seen in (reporting, ending)] == [0, 1]
