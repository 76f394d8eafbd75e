"""Settings of the studio: remembered, obeyed at once where they change, defaults and limits."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection
from django.utils import timezone

from experiments.models import AuditEntry, SiteSettings, Sweep
from experiments.problems import ProblemsError
from experiments.queries import site_settings
from experiments.queries.site_settings import Site, days_in_trash
from experiments.services.advance import advance_sweep
from experiments.services.limits import change_limits
from experiments.services.purge import begin_overdue
from experiments.services.site import (
    begin_planned,
    change_site,
    forget,
    plan_maintenance,
    remember,
    site,
    switch_maintenance,
)
from experiments.services.submission import check_submission
from experiments.services.sweeps import cancel_sweep, check_spec
from experiments.services.trash import trash_sweep
from runner.watchdog import tick
from tests.factories import SPEC, make_compute, make_sweep, make_user, make_workspace

pytestmark = pytest.mark.django_db


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("act", flat=True))


def check(**spec):
    user = make_user()
    make_compute()
    raw = {key: value for key, value in {**SPEC, **spec}.items() if value != "left out"}
    return check_submission(raw, user=user, workspace=make_workspace(user), snapshot_digest="0")


def about(checked, name):
    return [problem.message for problem in checked.problems if problem.path == name]


def test_settings_are_read_once_and_again_when_they_change(django_assert_num_queries):
    forget()
    with django_assert_num_queries(1):
        assert [site().name for _ in range(5)] == ["Sweep Studio"] * 5

    change_site(by=None, name="Lab")

    assert site().name == "Lab"
    SiteSettings.objects.update(name="Elsewhere")  # as another process would
    assert site().name == "Lab"
    remember(site(), seconds=0.0)
    assert site().name == "Elsewhere"


def test_settings_stay_known_while_the_database_is_away(monkeypatch):
    change_site(by=None, name="Lab")
    assert site().name == "Lab"

    class Away:
        def __call__(self, execute, sql, params, many, context):
            raise DatabaseError("away")

    remember(site(), seconds=0.0)
    with connection.execute_wrapper(Away()):
        assert site().name == "Lab"


def test_there_is_one_row_and_wrong_values_leave_it_alone():
    change_site(by=None, name="Lab")

    with pytest.raises(ValidationError, match="300 is above the limit 200"):
        change_site(by=None, limit_total_runs=200, default_max_total_runs=300)

    assert site().limit_total_runs is None
    assert SiteSettings.objects.count() == 1


def test_more_than_the_studio_allows_is_refused_with_field_value_and_limit():
    change_site(by=None, limit_total_runs=10, limit_concurrent_runs=3, limit_duration_minutes=30)

    checked = check(max_total_runs=11, max_concurrent_runs=4, max_duration_minutes=31.5)

    assert about(checked, "max_total_runs") == [
        "max_total_runs is 11, but this studio allows at most 10; "
        "use 10 or less, or ask an administrator."
    ]
    assert "4, but this studio allows at most 3" in about(checked, "max_concurrent_runs")[0]
    assert "31.5, but this studio allows at most 30" in about(checked, "max_duration_minutes")[0]
    # Also beside another mistake, and once.
    wrong = check(max_total_runs=11, sampling="magic")
    assert len(about(wrong, "max_total_runs")) == 1
    assert about(check(max_total_runs=5000), "max_total_runs") != []


def test_the_studio_says_what_a_specification_is_silent_about():
    change_site(
        by=None,
        default_max_total_runs=7,
        default_max_concurrent_runs=2,
        limit_concurrent_runs=5,
        limit_duration_minutes=600,
    )

    silent = check(
        max_total_runs="left out", max_concurrent_runs="left out", max_duration_minutes="left out"
    ).spec
    said = check(max_total_runs=30, max_concurrent_runs=None, max_duration_minutes=5).spec
    few = check(max_total_runs=3, max_concurrent_runs=None)

    found = (silent.max_total_runs, silent.max_concurrent_runs, silent.max_duration_minutes)
    assert found == (7, 2, 600)
    # Null is as many as possible: as many as the studio allows.
    assert (said.max_total_runs, said.max_concurrent_runs, said.max_duration_minutes) == (30, 5, 5)
    assert (few.spec.max_concurrent_runs, few.warnings) == (None, [])


def test_a_job_file_of_azure_ml_has_the_defaults_and_limits_of_the_studio():
    change_site(by=None, limit_concurrent_runs=5, limit_total_runs=50, default_max_total_runs=7)
    user = make_user()
    make_compute()
    raw = """
$schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json
type: sweep
trial: {code: src, command: "python train.py --lr ${{search_space.lr}}"}
compute: azureml:local
sampling_algorithm: random
search_space: {lr: {type: uniform, min_value: 0.1, max_value: 1}}
objective: {primary_metric: accuracy, goal: maximize}
limits: {max_total_trials: 60}
"""
    spec, problems, _ = check_spec(raw, user=user, workspace=make_workspace(user))

    assert spec is not None
    assert spec.max_concurrent_runs == 5
    assert any("60, but this studio allows at most 50" in p.message for p in problems)


def test_limits_of_a_live_sweep_go_no_higher_either():
    sweep = make_sweep(max_total_runs=20, max_concurrent_runs=6)
    change_site(by=None, limit_total_runs=10, limit_concurrent_runs=3)

    with pytest.raises(ProblemsError, match="30, but this studio allows at most 10"):
        change_limits(sweep, {"max_total_runs": 30}, user=sweep.owner)
    # What it has already is no wish for more; null means as many as the studio allows.
    change_limits(sweep, {"max_total_runs": 20, "max_concurrent_runs": None}, user=sweep.owner)

    sweep.refresh_from_db()
    assert (sweep.spec["max_total_runs"], sweep.spec["max_concurrent_runs"]) == (20, 3)


def test_maintenance_is_an_act_and_submitting_says_that_it_waits():
    switch_maintenance(True, by=make_user("root"), message="New disks.")

    assert site().maintenance
    assert "maintenance.on" in acts()
    assert any("Maintenance is on" in warning for warning in check().warnings)

    switch_maintenance(False, by=None)
    assert not site().maintenance
    assert acts().count("maintenance.off") == 1
    assert not any("Maintenance" in warning for warning in check().warnings)


def test_planned_maintenance_begins_by_itself():
    begins = timezone.now() + timedelta(hours=1)
    plan_maintenance(begins, by=None, message="Move")
    assert site().is_planned
    assert not site().maintenance
    assert not begin_planned(timezone.now())

    # At its time for everybody, whether or not a watchdog has looked by then.
    assert Site(maintenance_from=timezone.now() - timedelta(seconds=1)).maintenance
    plan_maintenance(timezone.now() + timedelta(milliseconds=50), by=None)
    deadline = time.monotonic() + 60
    while not site().maintenance and time.monotonic() < deadline:
        time.sleep(0.02)
    tick()

    row = SiteSettings.objects.get()
    assert (row.maintenance, row.maintenance_from) == (True, None)
    entry = AuditEntry.objects.get(act="maintenance.on")
    assert entry.by_name == ""


def test_the_trash_is_kept_as_long_as_the_site_says(settings):
    settings.STUDIO_TRASH_DAYS = 30
    sweep = make_sweep()
    cancel_sweep(sweep, user=sweep.owner)
    advance_sweep(sweep.pk)
    trash_sweep(sweep, user=sweep.owner)
    Sweep.objects.filter(pk=sweep.pk).update(trashed_at=timezone.now() - timedelta(days=3))

    assert days_in_trash() == 30
    assert begin_overdue(timezone.now()) == 0
    change_site(by=None, trash_days=0)
    assert begin_overdue(timezone.now()) == 0
    change_site(by=None, trash_days=2)
    assert begin_overdue(timezone.now()) == 1
    deleted = AuditEntry.objects.get(act="sweep.deleted")
    assert (deleted.by_name, deleted.about_id) == ("", sweep.public_id)


def test_no_memory_outlives_a_rolled_back_change():
    from django.db import transaction

    change_site(by=None, name="Lab")
    with transaction.atomic():
        change_site(by=None, name="Never")
        transaction.set_rollback(True)
    site_settings.remember(site(), seconds=0.0)

    assert site().name == "Lab"
