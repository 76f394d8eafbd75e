"""Keys that were taken away, sessions that were planted, forms with more in them than they have."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from experiments.models import ApiToken, Membership, Sweep, Workspace
from experiments.services.access import (
    make_api_token,
    make_sign_in_link,
    revoke_api_token,
    revoke_sign_in_link,
    use_sign_in_link,
)
from experiments.services.compute_tokens import make_compute_token, revoke_compute_token
from experiments.services.invitations import (
    InvitationTerms,
    create_invitation,
    revoke_invitation,
)
from experiments.services.outcome import RunOutcome
from experiments.services.runs import finish_run
from experiments.services.share_links import create_share_link, revoke_share_link
from tests.factories import make_compute, make_user, make_workspace
from tests.web.api_world import call, make_world, submittable

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-pass-phrase-7"


@pytest.fixture
def world(tmp_path, settings):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return make_world(tmp_path / "runs")


def test_no_key_opens_anything_once_it_was_taken_away(world):
    """Each key is used, taken away, and used again."""
    token, plain = make_api_token(world.alice, name="t", scope="admin")
    compute, machine = make_compute_token(make_compute("local"), name="m")
    link = create_share_link(world.sweep, user=world.alice, days=1)
    run = f"/runs/{world.run.public_id}"

    def statuses():
        return {
            "API": call("GET", "/sweeps", token=plain).status_code,
            "machine": call("GET", "/attached", token=machine).status_code,
            "share": Client().get(f"/shared/{link.token}/").status_code,
            "run": call("GET", run, token=world.run_token).status_code,
        }

    assert set(statuses().values()) == {200}
    revoke_api_token(token)
    revoke_compute_token(compute)
    revoke_share_link(link, user=world.alice)
    finish_run(world.run.pk, world.run.fence, RunOutcome(exit_code=0))
    assert statuses() == {"API": 401, "machine": 401, "share": 404, "run": 401}


def test_a_sign_in_link_works_once_and_never_after_it_was_revoked(world):
    used, revoked = (make_sign_in_link(world.alice) for _ in range(2))
    first, second, third = Client(), Client(), Client()

    assert first.get(f"/sign-in/{used}/").status_code == 302
    assert second.get(f"/sign-in/{used}/").status_code == 410
    assert "_auth_user_id" not in second.session
    revoke_sign_in_link(world.alice.sign_in_links.get(used_at__isnull=True))
    assert third.get(f"/sign-in/{revoked}/").status_code == 410
    assert use_sign_in_link(revoked) is None


def test_an_invitation_lets_in_once_and_nobody_after_it_was_revoked(world):
    workspace = world.sweep.experiment.workspace
    (_, once), (revoked, gone) = (
        create_invitation(workspace, InvitationTerms(), user=world.alice) for _ in range(2)
    )
    revoke_invitation(revoked, user=world.alice)
    found = {}
    for name, plain in (("dan", once), ("eve", once), ("fay", gone), ("gus", "guessed" * 6)):
        browser = Client()
        browser.force_login(make_user(name))
        browser.post(f"/invitations/{plain}/")
        found[name] = workspace.memberships.filter(user__username=name).exists()

    assert found == {"dan": True, "eve": False, "fay": False, "gus": False}
    assert once not in str(list(workspace.invitations.values()))


def test_a_link_that_was_only_looked_at_is_not_used_up(world):
    """Scanners of mail ask with HEAD, and from other machines."""
    plain = make_sign_in_link(world.alice)

    assert Client().head(f"/sign-in/{plain}/").status_code == 405

    assert use_sign_in_link(plain) == world.alice


def test_keys_of_somebody_who_was_disabled_are_dead(world):
    link = create_share_link(world.sweep, user=world.alice, days=1)
    browser = Client()
    browser.force_login(world.alice)
    assert browser.get("/sweeps/").status_code == 200

    User.objects.filter(pk=world.alice.pk).update(is_active=False)

    assert call("GET", "/sweeps", token=world.tokens["alice_admin"]).status_code == 401
    assert Client().get(f"/shared/{link.token}/").status_code == 404
    assert browser.get("/sweeps/").status_code == 302
    assert call("GET", "/sweeps", client=browser).status_code == 401


def test_tokens_are_kept_as_hashes_and_end_when_they_should(world):
    token, plain = make_api_token(world.alice, name="t", expires=timedelta(seconds=60))
    stored = str(ApiToken.objects.filter(pk=token.pk).values().get())

    assert plain not in stored
    assert plain.partition("_")[2] not in stored
    past = timezone.now() - timedelta(seconds=1)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=past)
    assert call("GET", "/sweeps", token=plain).status_code == 401


@pytest.mark.parametrize("way", ["password", "link"])
def test_a_session_that_somebody_planted_is_not_the_one_that_is_signed_in(way):
    alice = make_user("alice")
    alice.set_password(PASSWORD)
    alice.save()
    make_workspace(alice)
    browser = Client()
    browser.cookies["sessionid"] = "planted-by-an-attacker-0123456789"
    browser.cookies["csrftoken"] = "a" * 32

    if way == "password":
        browser.post("/sign-in/", {"username": "alice", "password": PASSWORD})
    else:
        browser.get(f"/sign-in/{make_sign_in_link(alice)}/")

    fresh = browser.cookies["sessionid"].value
    assert browser.get("/sweeps/").status_code == 200
    assert fresh != "planted-by-an-attacker-0123456789"
    assert browser.cookies["csrftoken"].value != "a" * 32
    attacker = Client()
    attacker.cookies["sessionid"] = "planted-by-an-attacker-0123456789"
    assert attacker.get("/sweeps/").status_code == 302
    # Signing out ends it for whoever copied the cookie as well.
    copied = Client()
    copied.cookies["sessionid"] = fresh
    assert copied.get("/sweeps/").status_code == 200
    browser.post("/sign-out/")
    assert copied.get("/sweeps/").status_code == 302


def test_a_change_of_the_password_ends_every_other_session():
    alice = make_user("alice")
    make_workspace(alice)
    mine, stolen = Client(), Client()
    for browser in (mine, stolen):
        browser.force_login(alice)

    mine.post("/account/password/", {f"new_password{n}": PASSWORD for n in (1, 2)})

    assert mine.get("/sweeps/").status_code == 200
    assert stolen.get("/sweeps/").status_code == 302


# What no form and no operation lets anybody set by naming it.
EXTRA = {
    "is_superuser": "1",
    "is_staff": "1",
    "is_active": "1",
    "user": "1",
    "user_id": "1",
    "owner": "1",
    "owner_id": "1",
    "workspace_id": "1",
    "role": "owner",
    "state": "Completed",
    "status": "Completed",
    "scope": "admin",
    "public_id": "HD_mine",
    "id": "1",
    "pk": "1",
    "created_at": "2020-01-01",
    "best_value": "9",
    "fence": "99",
    "digest": "0" * 64,
    "token_digest": "0" * 64,
    "groups": "1",
    "user_permissions": "1",
}


def facts():
    """Return everything that says who may do what, and whose things are."""
    return {
        "people": list(
            User.objects.order_by("pk").values("pk", "username", "is_superuser", "is_staff")
        ),
        "members": list(Membership.objects.order_by("pk").values("workspace", "user", "role")),
        "workspaces": list(Workspace.objects.order_by("pk").values("pk", "slug")),
        "tokens": list(ApiToken.objects.order_by("pk").values("user", "scope", "digest")),
        "sweeps": list(
            Sweep.objects.order_by("pk").values(
                "pk", "public_id", "owner", "experiment__workspace", "best_value", "created_at"
            )
        ),
    }


def test_forms_take_nothing_but_their_fields(world):
    browser = Client()
    browser.force_login(world.alice)
    sweep, run = world.sweep.public_id, world.run.public_id
    before = facts()
    forms = {
        f"/sweeps/{sweep}/notes/": {"text": "x", "version": "0"},
        f"/sweeps/{sweep}/tags/": {"tag": "a=b"},
        f"/sweeps/{sweep}/star/": {},
        f"/sweeps/{sweep}/share/": {"days": "1"},
        f"/sweeps/{sweep}/limits/": {"max_total_runs": "5", "spec_version": "1"},
        f"/sweeps/{sweep}/runs/views/": {"name": "v"},
        f"/sweeps/{sweep}/runs/columns/": {"column": "number"},
        f"/sweeps/{sweep}/runs/act/": {"action": "tag", "tag": "x", "run": "0"},
        f"/runs/{run}/notes/": {"text": "x", "version": "0"},
        "/account/notifications/": {"state": "on", "events": "sweep.failed", "scopes": "mine"},
        "/webhooks/new/": {
            "name": "a",
            "url": "https://hooks.example.org/",
            "events": "sweep.failed",
            "kind": "webhook",
        },
        "/sweeps/new/drafts/save/": {"name": "draft"},
        "/account/password/": {f"new_password{n}": PASSWORD for n in (1, 2)},
    }
    for address, fields in forms.items():
        extra = {name: value for name, value in EXTRA.items() if name not in fields}
        answer = browser.post(address, {**extra, **fields})
        assert answer.status_code < 500, address
    after = facts()
    assert after == before


def test_operations_take_nothing_but_their_members(world):
    token = world.tokens["alice_admin"]
    sweep, run = f"/sweeps/{world.sweep.public_id}", f"/runs/{world.run.public_id}"
    before = facts()
    bodies = {
        ("PATCH", sweep): {"max_total_runs": 5},
        ("PUT", f"{sweep}/notes"): {"text": "x", "version": 0},
        ("PATCH", f"{sweep}/tags"): {"tags": {"a": "b"}},
        ("POST", f"{sweep}/share-links"): {"days": 1},
        ("PATCH", run): {"tags": {"a": "b"}},
        ("POST", "/webhooks"): {
            "name": "a",
            "url": "https://hooks.example.org/",
            "events": ["sweep.failed"],
        },
        ("POST", "/models/m/versions"): {"run": world.run.public_id},
        ("POST", "/sweeps"): submittable(),
    }
    for (method, path), body in bodies.items():
        answer = call(method, path, token=token, body={**EXTRA, **body})
        # Refused as unknown, or not looked at: the facts below tell.
        assert answer.status_code in (200, 201, 204, 409, 422), (path, answer.content)
    report = {**EXTRA, "name": "accuracy", "value": 1.0}
    answer = call("POST", f"{run}/metrics", token=world.run_token, body=[report])
    assert answer.status_code == 422
    assert facts() == before


# Where somebody is to be led who follows a link to the studio.
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\t/evil.example/",
    "/%0d%0aSet-Cookie:x=1",
    "\r\nSet-Cookie: x=1",
    "https://testserver@evil.example/",
    "https://testserver.evil.example/",
)


def test_no_next_leads_elsewhere_and_none_writes_a_header(world):
    alice = world.alice
    alice.set_password(PASSWORD)
    alice.save()
    sweep = f"/sweeps/{world.sweep.public_id}"
    for target in ELSEWHERE:
        places = {
            "sign-in": Client().post(
                "/sign-in/", {"username": "alice", "password": PASSWORD, "next": target}
            ),
            "link": Client().get(f"/sign-in/{make_sign_in_link(alice)}/", {"next": target}),
        }
        browser = Client()
        browser.force_login(alice)
        places["signed in"] = browser.get("/sign-in/", {"next": target})
        places["admin"] = Client().get("/admin/login/", {"next": target})
        places["star"] = browser.post(f"{sweep}/star/", {"next": target})
        places["tags"] = browser.post(f"{sweep}/tags/", {"tag": "a", "next": target})
        places["restore"] = browser.post("/trash/restore/", {"next": target})
        for place, answer in places.items():
            location = answer.headers["Location"]
            assert location.startswith("/"), (place, target)
            assert location[1:2] not in ("/", "\\"), (place, target)
            assert "x" not in answer.cookies, (place, target)
