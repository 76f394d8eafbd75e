"""The administration: every page opens, the studio's own values stay its own, actions work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rq.executions import Execution

from experiments.admin_base import OwnedByStudioAdmin
from experiments.admin_queues import queue_indexes
from experiments.admin_studio import SUBJECTS
from experiments.models import (
    ApiToken,
    Artifact,
    AuditEntry,
    CheckRun,
    ComputeTarget,
    Decision,
    Membership,
    MetricChunk,
    NoteVersion,
    Run,
    SignedInSession,
    SignInLink,
    SignUp,
    Sweep,
    SweepVersion,
    Worker,
    Workspace,
)
from experiments.services.compute import register_worker
from experiments.services.dispatch import get_queue
from experiments.services.sweeps import cancel_sweep
from experiments.states import RunState, SweepState
from tests.factories import make_run, make_sweep, make_user
from tests.web.admin_world import make_admin_world
from tests.web.api_world import World

pytestmark = pytest.mark.django_db
# Without a list of their own: one row, or seen with what they belong to.
WITHIN = {
    "AnnouncementDismissal",
    "Invitation",
    "InvitationUse",
    "SiteSettings",
    "SlotShares",
    "WorkspaceQuota",
    "WorkspaceSeat",
}
MODELS = sorted(
    (m for m in apps.get_app_config("experiments").get_models() if m.__name__ not in WITHIN),
    key=lambda model: model.__name__,
)


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_admin_world(tmp_path / "runs")


@pytest.fixture
def site(world: World) -> Client:
    client = Client(enforce_csrf_checks=False)
    client.force_login(make_user("root", is_superuser=True))
    return client


def _address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:experiments_{model._meta.model_name}_{page}", args=args)


def _page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    text = response.content.decode()
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json|data-))[^>]*>\s*[^<\s]", text)
    assert not re.findall(r"\son\w+=", text)
    return text


def _act(client: Client, model: type[Model], action: str, *rows: Model) -> list[str]:
    """Carry an action out and return the messages that the next page shows."""
    response: Any = client.post(
        _address(model, "changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows], "confirmed": "yes"},
        follow=True,
    )
    assert response.status_code == 200
    text = response.content.decode()
    return [unescape(m) for m in re.findall(r'<li class="(?:success|warning)">(.*?)</li>', text)]


def _links(text: str) -> Iterator[str]:
    yield from (unescape(link) for link in re.findall(r'href="(/admin/experiments/[^"]*)"', text))


def test_every_model_is_registered_with_columns_and_a_way_to_find_rows() -> None:
    pages = {model: admin.site.get_model_admin(model) for model in MODELS}

    short = [model.__name__ for model, page in pages.items() if len(page.list_display) < 3]
    assert short == []
    assert [model.__name__ for model, page in pages.items() if not page.search_fields] == []


def test_lists_searches_rows_and_their_links_open(site: Client, world: World) -> None:
    links: set[str] = set()
    for model in MODELS:
        row = model._default_manager.first()
        assert row is not None, model.__name__
        text = _page(site, _address(model, "changelist"))
        change = _address(model, "change", row.pk)
        assert change in text, model.__name__
        # No link within a link: the browser would empty the outer one.
        assert not re.search(r"<a [^>]*><a ", text), model.__name__
        links |= {change, _address(model, "changelist") + "?q=a", *_links(text)}
        links.update(_links(_page(site, change)))

    for link in sorted(links):
        assert site.get(link, follow=True).status_code == 200, link


def test_filters_and_columns_sort(site: Client) -> None:
    for model in MODELS:
        address = _address(model, "changelist")
        text = _page(site, address)
        for link in sorted(set(re.findall(r'href="(\?[^"]*)"', text))):
            _page(site, address + unescape(link))


def test_only_administrators_get_in(world: World) -> None:
    client = Client()
    client.force_login(world.alice)

    for model in MODELS:
        response = client.get(_address(model, "changelist"))
        assert response.status_code == 302, model.__name__
        assert response["Location"].startswith("/admin/login/")


def test_what_the_studio_owns_is_not_typed_in(site: Client, world: World) -> None:
    ours = {"csrfmiddlewaretoken", "_save", "_continue", "_addanother"}
    for model in MODELS:
        page = admin.site.get_model_admin(model)
        row = model._default_manager.first()
        assert row is not None, model.__name__
        if not isinstance(page, OwnedByStudioAdmin):
            continue
        assert site.get(_address(model, "add")).status_code == 403, model.__name__
        text = _page(site, _address(model, "change", row.pk))
        form = text.partition(f'id="{model._meta.model_name}_form"')[2].partition("</form>")[0]
        inputs = set(re.findall(r'<(?:input|textarea|select)[^>]* name="(\w+)"', form))
        assert inputs - ours == set(page.editable), model.__name__


def test_state_of_a_sweep_cannot_be_posted(site: Client, world: World) -> None:
    address = _address(Sweep, "change", world.sweep.pk)
    before = Sweep.objects.get(pk=world.sweep.pk)

    site.post(
        address,
        {"name": "new name", "description": "why", "tags": "{}", "state": "Completed", "cursor": 0},
    )

    after = Sweep.objects.get(pk=before.pk)
    assert (after.name, after.description) == ("new name", "why")
    assert (after.state, after.cursor) == (SweepState.RUNNING, before.cursor)


def test_cancel_sweeps_says_what_it_did(site: Client, world: World) -> None:
    other = make_sweep(owner=world.alice, name="other")

    first = _act(site, Sweep, "cancel_sweeps", world.sweep, other)

    assert first == ["Canceling 2 sweeps."]
    assert Sweep.objects.get(pk=world.sweep.pk).state == SweepState.CANCEL_REQUESTED
    assert Sweep.objects.get(pk=other.pk).state == SweepState.CANCELED
    assert _act(site, Sweep, "cancel_sweeps", other) == ["1 sweep had ended already."]


def test_sweeps_go_to_the_trash_and_back(site: Client, world: World) -> None:
    ended = make_sweep(owner=world.alice, name="other")
    cancel_sweep(ended, user=world.alice)

    told = _act(site, Sweep, "trash_sweeps", world.sweep, ended)
    assert told == ["Trashed 1 sweep.", "1 sweep stayed as they were."]
    assert Sweep.objects.get(trashed_at__isnull=False) == ended
    assert _act(site, Sweep, "restore_sweeps", ended) == ["Restored 1 sweep."]


def test_cancel_runs_says_what_it_did(site: Client, world: World) -> None:
    assert _act(site, Run, "cancel_runs", world.run) == ["Canceling 1 run."]

    run = Run.objects.get(pk=world.run.pk)
    assert (run.state, run.end_reason) == (RunState.CANCEL_REQUESTED, "user")
    assert "root" in run.reason


def test_requeue_repeats_a_lost_run_as_a_new_one(site: Client, world: World) -> None:
    waiting = make_run(world.sweep)
    Run.objects.filter(pk=world.run.pk).update(state=RunState.NOT_RESPONDING)

    told = _act(site, Run, "requeue_runs", waiting, world.run, world.other_run)

    assert told == ["Requeued 2 runs.", "1 run neither wait nor are lost."]
    lost = Run.objects.get(pk=world.run.pk)
    assert (lost.state, lost.end_reason) == (RunState.FAILED, "worker_lost")
    assert Run.objects.get(retry_of=lost).params == lost.params


def test_tokens_are_never_shown(site: Client, world: World) -> None:
    token = ApiToken.objects.first()
    link = SignInLink.objects.first()
    assert token is not None
    assert link is not None
    text = "".join(
        _page(site, _address(model, page, *args))
        for model, row in ((ApiToken, token), (SignInLink, link))
        for page, args in (("changelist", ()), ("change", (row.pk,)))
    )

    secrets = [token.digest, link.digest, *world.tokens.values()]
    assert [secret for secret in secrets if secret in text] == []


def test_revoked_token_is_gone(site: Client, world: World) -> None:
    token = ApiToken.objects.get(user=world.alice, scope="write")

    assert _act(site, ApiToken, "revoke", token) == ["Revoked 1 token."]

    headers = {"authorization": f"Bearer {world.tokens['alice_write']}"}
    assert Client().get("/api/v1/sweeps", headers=headers).status_code == 401


def test_sign_in_link_is_made_for_a_person(site: Client, world: World) -> None:
    response = site.post(
        reverse("admin:auth_user_changelist"),
        {"action": "make_links", "_selected_action": [world.bob.pk], "confirmed": "yes"},
        follow=True,
    )

    found = re.search(r"http://testserver(/sign-in/[\w-]+/)", response.content.decode())
    assert found
    assert SignInLink.objects.filter(user=world.bob).count() == 2


def test_members_are_edited_on_their_workspace(site: Client, world: World) -> None:
    workspace = Workspace.objects.get(name="Team")

    text = _page(site, _address(Workspace, "change", workspace.pk))

    assert 'name="memberships-0-role"' in text
    assert Membership.objects.filter(workspace=workspace).count() == 2


def test_workers_that_live_are_not_forgotten(site: Client, world: World) -> None:
    silent = register_worker(
        world.sweep.compute, name="w-2", host="there", pid=2, process_started=1.0
    )
    Worker.objects.filter(pk=silent.pk).update(last_seen_at=timezone.now() - timedelta(hours=1))

    told = _act(site, Worker, "forget", *Worker.objects.all())

    assert told == ["Forgot 1 worker.", "1 selected worker is alive and kept."]
    assert list(Worker.objects.values_list("name", flat=True)) == ["w-1"]


def test_compute_list_counts_workers_and_runs(site: Client, world: World) -> None:
    make_run(world.sweep)

    text = _page(site, _address(ComputeTarget, "changelist"))

    cells = {
        name: re.sub(r"<[^>]+>", "", cell)
        for name, cell in re.findall(r'<td class="field-(\w+)">(.*?)</td>', text)
    }
    assert (cells["worker_count"], cells["working"], cells["waiting"]) == ("1", "2", "1")


def test_queue_dashboard_shows_the_studios_queues(site: Client, world: World) -> None:
    queue = get_queue(world.sweep.compute.queue_name)
    queue.enqueue("runner.jobs.execute_run", 1)

    text = _page(site, "/admin/django_rq/dashboard/")

    for name in ("default", "control", queue.name):
        assert re.search(rf">\s*{name}\s*<", text), name
    for link in set(
        re.findall(r'href="(/admin/django_rq/dashboard/(?:queues|workers)/[^"]+)"', text)
    ):
        _page(site, unescape(link))


def test_a_started_job_is_named_by_its_function(site: Client, world: World) -> None:
    job = get_queue(world.sweep.compute.queue_name).enqueue("runner.jobs.execute_run", 1)
    with job.connection.pipeline() as pipeline:
        Execution.create(job, ttl=60, pipeline=pipeline)
        pipeline.execute()

    number = queue_indexes()[job.origin]
    text = _page(site, f"/admin/django_rq/dashboard/queues/{number}/started/")

    assert "runner.jobs.execute_run" in text
    assert "Error" not in text


def test_new_rows_ask_for_nothing_that_the_studio_fills_in(site: Client, world: World) -> None:
    text = _page(site, _address(ComputeTarget, "add"))

    assert 'name="name"' in text
    assert "None" not in text
    assert 'class="readonly"' not in text
    assert "workers-group" not in text


def test_pages_say_what_their_rows_belong_to(site: Client, world: World) -> None:
    run = _page(site, _address(Run, "change", world.run.pk))
    entry = AuditEntry.objects.create(act="share_link.made", about="digits")

    assert f"<h1>{world.run.sweep.name}, run {world.run.number}</h1>" in run
    shown = _page(site, _address(AuditEntry, "change", entry.pk))
    assert "<h1>Share link made: digits</h1>" in shown
    # No page is called by the key of what its row belongs to.
    for model in (CheckRun, MetricChunk, NoteVersion, SignedInSession, SignUp, SweepVersion):
        row = model._default_manager.earliest("pk")
        found = re.search("<h1>(.*?)</h1>", _page(site, _address(model, "change", row.pk)))
        assert found is not None
        named = (world.sweep.name, "accuracy", "Check of digits", "alice", "bob", "root")
        assert any(name in found[1] for name in named), found[1]


def test_lists_stand_under_what_they_are_about(site: Client) -> None:
    text = _page(site, "/admin/")

    subjects = re.findall(r'<h2 id="lists-\w+">(\w+)</h2>', text)
    assert subjects == list(SUBJECTS)
    placed = {name for names in SUBJECTS.values() for name in names}
    assert {model.__name__ for model in MODELS} - placed == set()


def test_text_of_scripts_is_escaped(site: Client, world: World) -> None:
    evil = "<script>alert(1)</script>"
    Sweep.objects.filter(pk=world.sweep.pk).update(name=evil, reason="")
    Run.objects.filter(pk=world.run.pk).update(note=evil, worker_name=evil)
    User.objects.filter(pk=world.alice.pk).update(first_name=evil)

    for model in (Sweep, Run, Decision, Artifact):
        row = model.objects.first()
        assert row is not None
        for address in (_address(model, "changelist"), _address(model, "change", row.pk)):
            assert evil not in _page(site, address)
