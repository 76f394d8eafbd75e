"""The studio that is asked: one object of each kind in the workspace Team, and everybody's keys.

Mia made everything there. Those who ask are somebody else, so that a role is all they have.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.core import signing
from django.test import Client
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from experiments.api import imports
from experiments.api.mlflow.routes import dispatch
from experiments.api.mlflow.wire import Call
from experiments.models import (
    Announcement,
    Membership,
    NotificationChannel,
    Removal,
    Run,
    SignedInSession,
    Snapshot,
    Sweep,
    Workspace,
)
from experiments.services.access import make_api_token, make_sign_in_link, revoke_api_token
from experiments.services.compute import register_worker
from experiments.services.compute_tokens import make_compute_token
from experiments.services.drafts import DraftPlace, discard_draft, save_draft
from experiments.services.invitations import InvitationTerms, create_invitation
from experiments.services.models import delete_version, register_model
from experiments.services.notes import write_notes
from experiments.services.notification_channels import (
    ChannelFields,
    change_channel,
    create_webhook,
    email_channel_of,
    test_channel,
)
from experiments.services.notification_links import address_url, stop_url
from experiments.services.outcome import RunOutcome
from experiments.services.runs import finish_run, start_run
from experiments.services.saved_views import ViewContent, save_view
from experiments.services.share_links import create_share_link
from experiments.services.sign_up import _SALT as SIGN_UP_SALT
from experiments.services.snapshots import snapshot_zip
from experiments.services.storage import run_directory
from experiments.services.sweeps import pause_sweep
from experiments.services.trash import trash_sweep
from experiments.services.workspaces import choose_workspace
from tests.authorisation.asked import PASSWORD
from tests.factories import (
    SPEC,
    claim,
    make_check,
    make_run,
    make_sweep,
    make_user,
    make_workspace,
    report,
)
from tests.services.ended_sweeps import end_run, ended_sweep
from tests.web.api_world import zip_of

_ROLES: Final = {
    "reader": Membership.Role.READER,
    "contributor": Membership.Role.CONTRIBUTOR,
    "owner": Membership.Role.OWNER,
}
EVENTS: Final = ["sweep.failed", "sweep.finished"]
_FILES: Final = {"outputs/model.txt": "weights", "logs/std_log.txt": "epoch 1\n"}


@dataclass
class World:
    """What the requests name: people, tokens and sessions by actor, objects by what they are."""

    people: dict[str, User] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    # What stands in an address or a body: "{live}" there is ids["live"] here.
    ids: dict[str, Any] = field(default_factory=dict)
    files: dict[Path, bytes] = field(default_factory=dict)

    def bring_files_back(self) -> None:
        """Write what a request has removed: files know no transaction."""
        for path, content in self.files.items():
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)


def make_world(storage: Path) -> World:
    """Make the people, what they look at and what opens it to them."""
    world = World()
    mia = make_user("mia")
    team = make_workspace(mia, name="Team", role=Membership.Role.OWNER)
    _make_people(world, team)
    _make_live(world, mia, team)
    _make_ended(world, mia, team)
    _make_marks(world, mia, team)
    _make_accounts(world, team)
    _make_personal(world, team)
    _make_keys(world, team)
    # Everybody has the code to submit, those too whose own workspace was made when they signed in.
    Snapshot.objects.get(digest=world.ids["snapshot"]).workspaces.set(Workspace.objects.all())
    world.files = {path: path.read_bytes() for path in storage.rglob("*") if path.is_file()}
    return world


def _make_people(world: World, team: Workspace) -> None:
    world.people = {name: make_user(name) for name in ("stranger", *_ROLES)}
    for name, role in _ROLES.items():
        make_workspace(world.people[name], name="Team", role=role)
        # Nothing is in there, so that it may be deleted.
        bare = make_workspace(world.people[name], name="Bare", role=role)
    make_workspace(world.people["stranger"], name="Elsewhere")
    world.people["administrator"] = make_user("root", is_superuser=True)
    # Let into the administration, without a single permission there.
    staff = world.people["staff"] = make_user("staff")
    owner = world.people["owner"]
    User.objects.filter(pk=staff.pk).update(is_staff=True)
    User.objects.filter(pk=owner.pk).update(email="owner@example.org")
    owner.refresh_from_db()
    snapshot = snapshot_zip(io.BytesIO(zip_of(train_py="print()")), workspace=team)
    spec = {key: value for key, value in SPEC.items() if key != "source_directory"}
    world.ids |= {
        "team": team.slug,
        "team_pk": team.pk,
        "bare": bare.slug,
        "owner_pk": owner.pk,
        "reader_pk": world.people["reader"].pk,
        "snapshot": snapshot.digest,
        "spec": {**spec, "snapshot": snapshot.digest},
        "import": imports._EXAMPLE,
        "zip": zip_of(train_py="print(2)"),
    }


def _make_live(world: World, mia: User, team: Workspace) -> None:
    """A sweep with a run in every state, and a paused one."""
    live = make_sweep(owner=mia, workspace=team, name="live", max_total_runs=80)
    snapshot = Snapshot.objects.get(digest=world.ids["snapshot"])
    Sweep.objects.filter(pk=live.pk).update(snapshot=snapshot)
    # All of them first: the end of a run lets the controller fill free slots.
    best, failed, running, other, over = (_started(live) for _ in range(5))
    queued = make_run(live, lr=0.5, layers=2)
    end_run(best[0], 0.9)
    finish_run(failed[0].pk, failed[0].fence, RunOutcome(exit_code=1))
    finish_run(over[0].pk, over[0].fence, RunOutcome(exit_code=1))
    report(running[0], [0.4, 0.5])
    Run.objects.filter(pk=running[0].pk).update(tags={"team": "red"})
    world.tokens |= {"run": running[1], "other-run": other[1], "ended-run": over[1]}
    paused = make_sweep(owner=mia, workspace=team, name="paused")
    pause_sweep(paused, user=mia)
    worker = register_worker(live.compute, name="w-1", host="here", pid=1, process_started=1.0)
    world.ids |= {
        "live": live.public_id,
        "paused": paused.public_id,
        "best": best[0].public_id,
        "failed": failed[0].public_id,
        "running": running[0].public_id,
        "fence": running[0].fence,
        "queued": queued.public_id,
        "experiment": live.experiment_id,
        "experiment_text": str(live.experiment_id),
        "compute_pk": live.compute_id,
        "worker_pk": worker.pk,
    }


def _started(sweep: Sweep) -> tuple[Run, str]:
    """Start a run with files in its directory; return it with the token of its script."""
    claimed = claim(make_run(sweep))
    directory = run_directory(sweep.public_id, claimed.number, claimed.fence)
    for name, text in {**_FILES, "metrics.jsonl": ""}.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    run = start_run(
        claimed.run_id,
        claimed.fence,
        arguments=["python", "train.py"],
        directory=str(directory),
        guard_pid=2,
    )
    return run, claimed.token


def _make_ended(world: World, mia: User, team: Workspace) -> None:
    """One sweep that has ended, one whose files go, one in the trash, a check, a removal."""
    for name in ("ended", "doomed", "trashed"):
        sweep = ended_sweep(0.5, 0.7, owner=mia, workspace=team, name=name)
        world.ids |= {name: sweep.public_id, f"{name}_run": f"{sweep.public_id}_0"}
    trash_sweep(Sweep.objects.get(public_id=world.ids["trashed"]), user=mia)
    check = make_check(owner=mia, workspace=team)
    removal = Removal.objects.create(
        kind="leftovers", name="2 leftovers", workspace=team, finished_at=timezone.now()
    )
    world.ids |= {"check": check.public_id, "removal": removal.pk}


def _make_marks(world: World, mia: User, team: Workspace) -> None:
    """Models, notes, views, links and webhooks."""
    live = Sweep.objects.get(public_id=world.ids["live"])
    best = Run.objects.get(public_id=world.ids["best"])
    register_model(best, name="digits", user=mia)
    delete_version(register_model(best, name="empty", user=mia))
    for subject in (live, best):
        write_notes(subject, "plan", base=0, user=mia)
    view = save_view(live.experiment, "stopped", ViewContent(), user=mia)
    link = create_share_link(live, user=mia, days=7, with_reasons=True, with_files=True)
    fields = ChannelFields(name="board", url="https://hooks.example.org/a", events=EVENTS)
    webhook, _ = create_webhook("webhook", fields, user=world.people["owner"], workspace=team)
    delivery = test_channel(webhook)
    # Nothing is sent again that waits to be sent.
    type(delivery).objects.filter(pk=delivery.pk).update(outcome="failed")
    world.ids |= {
        "view": view.pk,
        "link": link.pk,
        "share": link.token,
        "webhook": webhook.public_id,
        "delivery": delivery.pk,
        "model_id": _logged_model(world),
    }


def _logged_model(world: World) -> str:
    """Let the script of the live run log a model as MLflow does; return its id."""
    body = json.dumps({"name": "net", "source_run_id": world.ids["running"]}).encode()
    made = dispatch(Call("POST", "logged-models", {}, body, world.tokens["run"]))
    return str(json.loads(made.body)["model"]["info"]["model_id"])


def _make_accounts(world: World, team: Workspace) -> None:
    """Pat, who may be removed and signs in with a password; ways in for those without account."""
    pat = make_user("pat", password=PASSWORD)
    make_workspace(pat, name="Team", role=Membership.Role.READER)
    User.objects.filter(pk=pat.pk).update(email="pat@example.org")
    pat.refresh_from_db()
    terms = InvitationTerms(role="Reader", max_uses=9)
    invitation, key = create_invitation(team, terms, user=world.people["owner"])
    announcement = Announcement.objects.create(text="Hello")
    world.ids |= {
        "pat_pk": pat.pk,
        "uid": urlsafe_base64_encode(force_bytes(pat.pk)),
        "reset": default_token_generator.make_token(pat),
        "proven": signing.dumps("proven@example.net", salt=SIGN_UP_SALT),
        "invitation": invitation.pk,
        "invitation_key": key,
        "announcement": announcement.pk,
    }


def _make_personal(world: World, team: Workspace) -> None:
    """What is the owner's alone: drafts, e-mails, a link to sign in."""
    owner = world.people["owner"]
    draft = save_draft({"name": "a"}, DraftPlace(), owner=owner, workspace=team)
    discarded = save_draft({"name": "b"}, DraftPlace(), owner=owner, workspace=team)
    discard_draft(discarded)
    channel: NotificationChannel = email_channel_of(owner)
    change_channel(channel, ChannelFields(events=EVENTS, scopes=["mine"], is_on=True))
    world.ids |= {
        "draft": draft.public_id,
        "discarded": discarded.public_id,
        "stop": stop_url(channel).rstrip("/").rpartition("/")[2],
        "confirmation": address_url(owner, "new@example.org").rstrip("/").rpartition("/")[2],
        "sign_in": make_sign_in_link(owner),
    }


def _make_keys(world: World, team: Workspace) -> None:
    """Sessions of everybody; tokens of everybody and of every kind that may be wrong."""
    for name, user in world.people.items():
        # Twice, so that there is another browser to sign out.
        for _ in range(2):
            client = Client()
            client.force_login(user)
        world.sessions[name] = client.cookies["sessionid"].value
        if name in (*_ROLES, "administrator"):
            choose_workspace(user, team)
        # Of the largest scope, so that the role is all that counts.
        world.tokens[name] = make_api_token(user, name=name, scope="admin")[1]
    owner = world.people["owner"]
    past = timezone.now() - timedelta(days=1)
    revoked, world.tokens["revoked"] = make_api_token(owner, name="revoked", scope="admin")
    revoke_api_token(revoked)
    world.tokens["expired"] = make_api_token(owner, name="old", scope="admin", expires=past)[1]
    world.ids["session"] = SignedInSession.objects.filter(user=owner).earliest("pk").pk
    other, world.tokens["read"] = make_api_token(owner, name="read", scope="read")
    world.tokens["write"] = make_api_token(owner, name="write", scope="write")[1]
    world.ids["token"] = other.pk
    compute = Run.objects.get(public_id=world.ids["running"]).sweep.compute
    world.tokens["compute"] = make_compute_token(compute, name="box-1")[1]
