"""Numbers are guessed: what belongs to one thing is not found below another that one may change.

Who may see which thing at all is asked for every route in tests/authorisation.
"""

from __future__ import annotations

import pytest
from django.test import Client

from experiments.models import Delivery, NoteVersion, SavedView, ShareLink, SweepDraft
from experiments.services.access import make_api_token
from experiments.services.drafts import DraftPlace, save_draft
from experiments.services.models import register_model
from experiments.services.notes import write_notes
from experiments.services.notification_channels import ChannelFields, create_webhook, test_channel
from experiments.services.saved_views import ViewContent, save_view
from experiments.services.share_links import create_share_link
from tests.factories import make_sweep, make_user, make_workspace
from tests.model_world import ended_run
from tests.web.api_world import call

pytestmark = pytest.mark.django_db


class Side:
    """A person with everything that can be guessed."""

    def __init__(self, name, directory):
        self.user = make_user(name)
        self.workspace = make_workspace(self.user, name=f"Of-{name}")
        sweep = make_sweep(
            owner=self.user, workspace=self.workspace, experiment=name, max_total_runs=99
        )
        self.sweep, self.run = sweep, ended_run(directory, sweep=sweep)
        self.model = register_model(self.run, name=f"model-{name}", user=self.user)
        self.link = create_share_link(sweep, user=self.user, days=1)
        self.view = save_view(sweep.experiment, "mine", ViewContent(), user=self.user)
        fields = ChannelFields(
            name="hook",
            url="https://hooks.example.org/a",
            events=["sweep.failed"],
            scopes=["all"],
        )
        self.hook, _ = create_webhook("webhook", fields, user=self.user, workspace=None)
        self.delivery = test_channel(self.hook)
        Delivery.objects.filter(pk=self.delivery.pk).update(outcome="failed")
        self.draft = save_draft(
            {"name": "a"}, DraftPlace(), owner=self.user, workspace=self.workspace
        )
        for number in range(3 if name == "mallory" else 1):
            write_notes(sweep, f"{name} {number}", base=number, user=self.user)
        self.token = make_api_token(self.user, name="all", scope="admin")[1]
        self.browser = Client()
        self.browser.force_login(self.user)


@pytest.fixture
def sides(tmp_path, settings):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return Side("mallory", tmp_path / "m"), Side("victim", tmp_path / "v")


def rows():
    return {
        model: list(model.objects.order_by("pk").values())
        for model in (ShareLink, SavedView, SweepDraft, NoteVersion)
    }, list(Delivery.objects.order_by("pk").values("pk", "outcome", "due_at"))


def test_pages_find_no_child_of_somebody_else_below_ones_own(sides):
    mallory, victim = sides
    before = rows()
    own, hook = f"/sweeps/{mallory.sweep.public_id}", f"/webhooks/{mallory.hook.public_id}"
    addresses = (
        f"{own}/share/{victim.link.pk}/revoke/",
        f"{own}/runs/views/{victim.view.pk}/change/",
        f"{own}/runs/views/{victim.view.pk}/delete/",
        f"{hook}/deliveries/{victim.delivery.pk}/again/",
        f"/webhooks/{victim.hook.public_id}/secret/",
        f"/sweeps/new/drafts/{victim.draft.public_id}/discard/",
        f"/sweeps/new/drafts/{victim.draft.public_id}/restore/",
        f"/models/{mallory.workspace.slug}/model-victim/delete/",
        f"/models/{victim.workspace.slug}/model-victim/delete/",
        f"/models/{mallory.workspace.slug}/model-victim/1/mark/",
    )
    for address in addresses:
        answer = mallory.browser.post(address, {"name": "x", "text": "x", "default": "on"})
        assert answer.status_code == 404, address
    # A run of a number that only the other sweep has; a version that only its notes have.
    run = mallory.sweep.public_id + "_7"
    assert mallory.browser.get(f"/runs/{run}/").status_code == 404
    assert victim.browser.get(f"/sweeps/{victim.sweep.public_id}/notes/3/").status_code == 404
    assert rows() == before


def test_rest_finds_no_child_of_somebody_else_below_ones_own(sides):
    mallory, victim = sides
    before = rows()
    own, hook = f"/sweeps/{mallory.sweep.public_id}", f"/webhooks/{mallory.hook.public_id}"
    attempts = (
        ("DELETE", f"{own}/share-links/{victim.link.pk}", None),
        ("POST", f"{hook}/deliveries/{victim.delivery.pk}/redeliver", None),
        ("POST", f"/webhooks/{victim.hook.public_id}/secret", None),
        ("DELETE", f"/webhooks/{victim.hook.public_id}", None),
        ("GET", "/models/model-victim/versions/1", None),
        ("GET", f"/models/model-victim?workspace={victim.workspace.slug}", None),
        ("POST", "/models/stolen/versions", {"run": victim.run.public_id}),
        ("GET", f"/compare?sweeps={victim.sweep.public_id}", None),
        ("GET", f"/check-runs/{victim.sweep.public_id}", None),
    )
    for method, path, body in attempts:
        answer = call(method, path, token=mallory.token, body=body)
        assert answer.status_code in (404, 422), (method, path, answer.content)
        assert b"model.pkl" not in answer.content
    assert rows() == before


def test_a_form_reaches_no_row_of_somebody_else(sides):
    """Ids in hidden fields: runs to act on, the draft of a form, sweeps for the trash."""
    mallory, victim = sides
    before = rows()
    own = f"/sweeps/{mallory.sweep.public_id}"
    mallory.browser.post(f"{own}/runs/act/", {"action": "tag", "tag": "x", "run": victim.run.pk})
    mallory.browser.post("/trash/move/", {"sweep": victim.sweep.public_id})
    mallory.browser.post("/trash/delete/", {"sweep": victim.sweep.public_id})
    mallory.browser.post(
        "/sweeps/new/drafts/save/",
        {"draft": victim.draft.public_id, "draft_version": "1", "name": "taken"},
    )
    mallory.browser.post(
        "/webhooks/new/",
        {"workspace": victim.workspace.slug, "name": "spy", "url": "https://evil.example/",
         "events": "sweep.failed", "kind": "webhook"},
    )  # fmt: skip

    victim.sweep.refresh_from_db()
    victim.run.refresh_from_db()
    assert (victim.sweep.trashed_at, victim.run.tags) == (None, {})
    assert SweepDraft.objects.get(pk=victim.draft.pk).texts == victim.draft.texts
    assert not victim.workspace.notification_channels.exists()
    drafts = [d for d in rows()[0][SweepDraft] if d["owner_id"] == victim.user.pk]
    assert drafts == [d for d in before[0][SweepDraft] if d["owner_id"] == victim.user.pk]
