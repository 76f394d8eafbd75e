"""Actions of the administration ask first and act through services; lists cost what they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from experiments.models import (
    ApiToken,
    AuditEntry,
    ComputeTarget,
    Run,
    SignedInSession,
    Sweep,
    Workspace,
)
from experiments.services.access import make_api_token
from experiments.states import RUN_LIVE, RunState, SweepState
from tests.factories import make_run, make_sweep, make_user
from tests.web.api_world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


@pytest.fixture
def root(world: World) -> User:
    return make_user("root", is_superuser=True)


@pytest.fixture
def site(root: User) -> Client:
    client = Client()
    client.force_login(root)
    return client


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def act(client: Client, action: str, *rows: Model, confirmed: str = "yes") -> str:
    data = {"action": action, "_selected_action": [row.pk for row in rows], "confirmed": confirmed}
    response: Any = client.post(list_of(type(rows[0])), data, follow=True)
    assert response.status_code == 200
    return str(response.content.decode())


def test_nothing_happens_before_the_answer(site: Client, world: World) -> None:
    text = act(site, "cancel_sweeps", world.sweep, confirmed="")

    assert f"<h1>Cancel: {world.sweep}?</h1>" in text
    assert f'name="_selected_action" value="{world.sweep.pk}"' in text
    assert Sweep.objects.get(pk=world.sweep.pk).state == SweepState.RUNNING
    page = site.get(reverse("admin:experiments_sweep_change", args=[world.sweep.pk]))
    verbs = page.content.decode()
    assert 'value="pause_sweeps"' in verbs
    assert 'value="resume_sweeps"' not in verbs


def test_sweeps_are_paused_resumed_and_retried(site: Client, world: World) -> None:
    assert "Paused 1 sweep." in act(site, "pause_sweeps", world.sweep)
    assert Sweep.objects.get(pk=world.sweep.pk).state == SweepState.PAUSED
    assert "1 sweep stayed as they were." in act(site, "pause_sweeps", world.sweep)
    assert "Resumed 1 sweep." in act(site, "resume_sweeps", world.sweep)

    failed = make_run(world.sweep)
    Run.objects.filter(pk=failed.pk).update(
        state=RunState.FAILED, end_reason="script_failed", ended_at=timezone.now()
    )
    assert "Repeats failed runs of 1 sweep." in act(site, "retry_failed_runs", world.sweep)
    assert Run.objects.filter(retry_of=failed).count() == 1


def test_people_are_deactivated_but_not_the_last_administrator(
    site: Client, root: User, world: World
) -> None:
    Client().force_login(world.bob)
    make_api_token(world.bob, name="notebook")

    text = act(site, "deactivate", world.bob, root)

    assert "The last active administrator stays active: root." in text
    assert User.objects.get(pk=root.pk).is_active
    bob = User.objects.get(pk=world.bob.pk)
    assert not bob.is_active
    assert not SignedInSession.objects.filter(user=bob).exists()
    assert not ApiToken.objects.filter(user=bob).exists()
    assert "Activated 1 account." in act(site, "activate", bob)
    assert User.objects.get(pk=bob.pk).is_active
    acts = set(AuditEntry.objects.filter(about=bob.username).values_list("act", flat=True))
    assert {"account.closed", "account.opened"} <= acts


def test_the_form_keeps_the_last_administrator(site: Client, root: User) -> None:
    address = reverse("admin:auth_user_change", args=[root.pk])

    response = site.post(address, {"username": "root", "is_active": "on"})

    assert "last administrator" in response.content.decode()
    assert User.objects.get(pk=root.pk).is_superuser
    assert site.post(reverse("admin:auth_user_delete", args=[root.pk])).status_code == 403


def test_sessions_of_a_person_are_ended(site: Client, world: World) -> None:
    browser = Client()
    browser.force_login(world.bob)

    assert "Ended 1 session." in act(site, "end_all_sessions", world.bob)
    assert browser.get("/dashboard/").status_code == 302
    assert "Nobody of them was signed in." in act(site, "end_all_sessions", world.bob)


def test_targets_are_drained_and_disabled(site: Client, world: World) -> None:
    target = world.sweep.compute

    act(site, "drain", target)
    act(site, "disable", target)
    target = ComputeTarget.objects.get(pk=target.pk)
    assert (target.is_draining, target.is_enabled) == (True, False)
    act(site, "take_runs", target)
    act(site, "enable", target)
    target = ComputeTarget.objects.get(pk=target.pk)
    assert (target.is_draining, target.is_enabled) == (False, True)


def test_workspaces_show_what_they_use(site: Client, world: World) -> None:
    workspace = world.sweep.experiment.workspace

    text = site.get(list_of(Workspace) + f"?q={workspace.slug}").content.decode()

    live = world.sweep.runs.filter(state__in=sorted(RUN_LIVE)).count()
    assert live > 0
    assert f'<td class="field-running">{live}</td>' in text


@pytest.mark.parametrize("model", [Sweep, Run, User, Workspace, ComputeTarget])
def test_a_list_costs_the_same_with_many_rows(
    site: Client, world: World, model: type[Model], django_assert_max_num_queries: Any
) -> None:
    def queries() -> int:
        with django_assert_max_num_queries(40) as seen:
            assert site.get(list_of(model)).status_code == 200
        return len(seen.captured_queries)

    queries()  # what is remembered for a while
    few = queries()
    for number in range(6):
        person = make_user(f"person-{number}")
        sweep = make_sweep(owner=world.alice, name=f"sweep {number}")
        make_run(sweep)
        Workspace.objects.create(name=f"W {number}", slug=f"w-{number}").memberships.create(
            user=person
        )
        ComputeTarget.objects.create(name=f"target-{number}")

    assert queries() <= few
