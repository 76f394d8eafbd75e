"""One object of every kind that the administration lists."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from experiments.models import (
    Announcement,
    Artifact,
    Decision,
    DeliveryAttempt,
    IdempotentRequest,
    Identity,
    Invitation,
    Removal,
    Resumption,
    SignedInSession,
    SignUp,
    SweepImport,
    WarmStart,
)
from experiments.services.access import make_sign_in_link
from experiments.services.compute import register_worker
from experiments.services.compute_tokens import make_compute_token
from experiments.services.drafts import DraftPlace, save_draft
from experiments.services.limits import change_limits
from experiments.services.models import register_model
from experiments.services.notes import write_notes
from experiments.services.notification_channels import (
    ChannelFields,
    create_webhook,
    test_channel,
)
from experiments.services.saved_views import ViewContent, remember_columns, save_view
from experiments.services.share_links import create_share_link
from experiments.services.stars import set_star
from tests.factories import make_check, make_sweep
from tests.web.api_world import World, make_world


def make_admin_world(folder: Path) -> World:
    """Return a world with one object of every kind that the administration lists."""
    world = make_world(folder)
    Artifact.objects.create(run=world.run, path="outputs/model.txt", size_bytes=7)
    Decision.objects.create(
        run=world.run, policy="bandit", interval=2, own=0.1, limit=0.2, reason="too far behind"
    )
    register_worker(world.sweep.compute, name="w-1", host="here", pid=1, process_started=1.0)
    make_sign_in_link(world.bob)
    make_compute_token(world.sweep.compute, name="box-1")
    change_limits(world.sweep, {"max_total_runs": 9}, user=world.alice)
    register_model(world.run, name="digits", user=world.alice)
    world.sweep.refresh_from_db()
    make_check(owner=world.alice)
    Removal.objects.create(kind="leftovers", name="2 leftovers", freed_bytes=1600)
    experiment = world.sweep.experiment
    save_view(experiment, "stopped", ViewContent(filter="status:stopped"), user=world.alice)
    remember_columns(experiment, ["number", "lr"], user=world.alice)
    save_draft({"name": "a"}, DraftPlace(), owner=world.alice, workspace=experiment.workspace)
    IdempotentRequest.objects.create(
        caller="user:1",
        key="once",
        digest="0" * 64,
        claim="0" * 32,
        claimed_at=timezone.now(),
        created_at=timezone.now(),
    )
    SweepImport.objects.create(sweep=world.sweep, kind="csv", source="runs.csv", by=world.alice)
    write_notes(world.sweep, "plan", base=0, user=world.alice)
    set_star(world.sweep, user=world.alice, is_on=True)
    create_share_link(world.sweep, user=world.alice, days=1, name="board")
    tell(world)
    make_account_rows(world)
    later = make_sweep(owner=world.alice)
    WarmStart.objects.create(
        sweep=later, position=0, parent=world.sweep, parent_public_id=world.sweep.public_id
    )
    Resumption.objects.create(
        sweep=later, position=0, source_public_id=world.run.public_id, params={"lr": 0.1}
    )
    return world


def make_account_rows(world: World) -> None:
    """Let bob be signed in, have signed up by himself, and be known elsewhere."""
    Client().force_login(world.bob)
    SignedInSession.objects.get_or_create(
        session=Session.objects.latest("expire_date"), defaults={"user": world.bob}
    )
    SignUp.objects.create(user=world.bob, way=SignUp.Way.INVITED)
    Identity.objects.create(user=world.bob, issuer="https://id.example.org", subject="b-1")
    workspace = world.sweep.experiment.workspace
    Invitation.objects.create(
        workspace=workspace, created_by=world.alice, digest="0" * 64,
        expires_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    Announcement.objects.create(text="Tomorrow the studio is updated.")


def tell(world: World) -> None:
    """Let a webhook of the workspace have been tried once."""
    fields = ChannelFields(name="board", url="http://hooks.example.org/a", events=["sweep.failed"])
    workspace = world.sweep.experiment.workspace
    channel, _ = create_webhook("slack", fields, user=world.alice, workspace=workspace)
    delivery = test_channel(channel)
    DeliveryAttempt.objects.create(
        delivery=delivery, number=1, began_at=timezone.now(), duration=0.1, error="No answer."
    )
