"""Quotas: changed and written down, measured, told, and what they refuse of a new sweep."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from experiments.models import Artifact, AuditEntry, Run, Snapshot, Workspace, WorkspaceQuota
from experiments.problems import ProblemsError
from experiments.queries.queue_places import place_json, place_of_run, place_of_sweep
from experiments.queries.quotas import quota_figures, quota_use, stored_in
from experiments.services.advance import advance_sweep
from experiments.services.compute import register_worker
from experiments.services.quotas import change_quota, measure_storage, quota_problems
from experiments.services.snapshots import snapshot_zip
from experiments.spec import SweepSpec
from tests.factories import (
    SPEC,
    make_compute,
    make_running_run,
    make_sweep,
    make_user,
    make_workspace,
)

pytestmark = pytest.mark.django_db


def zip_of(size: int) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("train.py", "#" * size)
    buffer.seek(0)
    return buffer


def quota_of(workspace: Workspace) -> WorkspaceQuota:
    return WorkspaceQuota.objects.get(workspace=workspace)


def sentences(problems) -> list[tuple[str, str]]:
    return [(problem.path, problem.message) for problem in problems]


def test_changes_are_checked_stored_and_written_down():
    root, workspace = make_user("root"), make_workspace(make_user())

    change_quota(workspace, {"max_running_runs": 3, "priority": 20}, by=root)
    change_quota(workspace, {"max_running_runs": None, "priority": 20}, by=root)

    quota = quota_of(workspace)
    assert (quota.max_running_runs, quota.priority) == (None, 20)
    told = AuditEntry.objects.filter(act="quota.changed").order_by("pk")
    assert [(entry.by_name, entry.about, entry.details) for entry in told] == [
        (
            "root",
            "Team",
            {"max_running_runs": {"from": None, "to": 3}, "priority": {"from": 10, "to": 20}},
        ),
        ("root", "Team", {"max_running_runs": {"from": 3, "to": None}}),
    ]


def test_wrong_values_are_named_all_at_once():
    wrong = {"max_running_runs": -1, "max_runs_per_day": "9", "priority": 101, "slots": 2}

    with pytest.raises(ProblemsError) as refused:
        change_quota(make_workspace(), wrong, by=None)

    assert sentences(refused.value.problems) == [
        (
            "max_running_runs",
            "max_running_runs is -1; use a whole number from 0 on, or null for no limit.",
        ),
        (
            "max_runs_per_day",
            'max_runs_per_day is "9"; use a whole number from 0 on, or null for no limit.',
        ),
        ("priority", "priority is 101; use a whole number from 1 to 100 (usual: 10)."),
        (
            "slots",
            'A quota has no "slots"; it has max_running_runs, max_runs_per_day, '
            "max_storage_bytes, priority.",
        ),
    ]
    assert not WorkspaceQuota.objects.exists()


def test_storage_is_what_a_workspace_keeps_and_is_measured_again():
    sweep = make_sweep()
    workspace, run = sweep.experiment.workspace, make_running_run(sweep)
    change_quota(workspace, {"max_storage_bytes": 1000}, by=None)
    assert quota_of(workspace).stored_bytes == stored_in(workspace) == 1  # its snapshot

    Artifact.objects.create(run=run, path="outputs/model", size_bytes=1500)
    now = timezone.now()
    assert measure_storage(now) == 0
    assert measure_storage(now + timedelta(minutes=2)) == 1

    assert quota_of(workspace).stored_bytes == 1501
    assert quota_problems(None, make_workspace(name="Other")) == []
    (problem,) = quota_problems(None, workspace)
    assert problem.message == (
        "Workspace Team keeps 1.5 kB and may keep 1.0 kB (max_storage_bytes 1000); delete sweeps, "
        "outputs or models, or ask an administrator for more."
    )


def test_a_snapshot_that_does_not_fit_is_refused_before_it_is_kept(tmp_path, settings):
    settings.STUDIO_STORAGE_ROOT = tmp_path
    workspace = make_workspace()
    kept = snapshot_zip(zip_of(10), workspace=workspace)
    change_quota(workspace, {"max_storage_bytes": kept.size_bytes + 50}, by=None)

    with pytest.raises(ProblemsError, match="Workspace Team keeps"):
        snapshot_zip(zip_of(20), workspace=workspace)

    assert list(Snapshot.objects.all()) == [kept]
    assert snapshot_zip(zip_of(10), workspace=workspace) == kept  # nothing new


@pytest.mark.parametrize(
    ("per_day", "minutes", "most"), [(5, 60, 10), (5, 1440, 10), (5, 1441, 15), (0, 60, 0)]
)
def test_a_sweep_that_could_never_end_is_refused_with_what_could(per_day, minutes, most):
    workspace = make_workspace()
    change_quota(workspace, {"max_runs_per_day": per_day}, by=None)

    def problems(runs: int):
        spec = SweepSpec.parse({**SPEC, "max_total_runs": runs, "max_duration_minutes": minutes})
        return quota_problems(spec, workspace)

    assert not most or problems(most) == []
    (problem,) = problems(most + 1)
    assert problem.path == "max_total_runs"
    assert f"max_total_runs is {most + 1}, but workspace Team may start" in problem.message
    assert not most or f"use {most} or fewer" in problem.message


def test_use_is_told_to_owners_and_operators():
    sweep = make_sweep()
    workspace = sweep.experiment.workspace
    make_running_run(sweep)
    change_quota(workspace, {"max_running_runs": 1, "max_runs_per_day": 4}, by=None)

    uses = {use.name: use for use in quota_use(workspace, timezone.now()).uses}

    assert [(use.used, use.limit) for use in uses.values()] == [(1, 1), (1, 4), (1, None)]
    assert uses["max_running_runs"].is_used_up
    assert quota_figures(timezone.now()) == [
        ("team", "max_running_runs", 1, 1),
        ("team", "max_runs_per_day", 1, 4),
    ]


def test_places_say_when_and_why():
    sweep = make_sweep(is_running=False, max_total_runs=3, max_concurrent_runs=3)
    advance_sweep(sweep.pk)
    sweep.refresh_from_db()
    runs = list(Run.objects.filter(sweep=sweep).order_by("pk"))
    now = timezone.now()

    unattended = place_of_sweep(sweep, now)
    register_worker(make_compute(), name="w", host="h", pid=1, process_started=1.0)
    first, last = place_of_sweep(sweep, now), place_of_run(runs[2], now)
    change_quota(sweep.experiment.workspace, {"max_running_runs": 0}, by=None)

    assert unattended is not None
    assert (unattended.position, unattended.starts_in) == (1, None)
    assert unattended.reason == "no worker is attached"
    assert first is not None
    assert (first.waiting, first.position, first.total, first.starts_in) == (3, 1, 3, 0.0)
    assert last is not None
    assert (last.waiting, last.position, last.starts_in) == (1, 3, None)
    assert place_json(place_of_sweep(sweep, now)) == {
        "waiting": 3,
        "position": 1,
        "of": 3,
        "starts_in": None,
        "reason": "workspace Team may run nothing: its limit of running runs is 0",
        "held_by": "max_running_runs",
    }
    assert place_of_sweep(make_sweep(name="empty"), now) is None


def test_administrators_set_a_quota_on_the_page_of_the_workspace():
    root = make_user("root", is_superuser=True)
    workspace = make_workspace(make_user())
    client = Client()
    client.force_login(root)
    address = f"/admin/experiments/workspace/{workspace.pk}/change/"
    form = client.get(address).context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields}
    for formset in client.get(address).context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    data |= {"quota-TOTAL_FORMS": 1, "quota-0-max_running_runs": 7, "quota-0-priority": 30}

    answer = client.post(address, data)

    assert answer.status_code == 302, answer.context["errors"]
    quota = quota_of(workspace)
    assert (quota.max_running_runs, quota.max_storage_bytes, quota.priority) == (7, None, 30)
    entry = AuditEntry.objects.get(act="quota.changed")
    assert (entry.by_name, entry.workspace_name) == ("root", "Team")
