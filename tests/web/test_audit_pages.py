"""Who reads the audit log where: administrators in the administration and by REST, owners."""

from __future__ import annotations

import json

import pytest

from experiments.models import AuditEntry, Membership
from experiments.services.access import make_api_token
from experiments.services.audit import Act, record
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.django_db
ADMIN = "/admin/experiments/auditentry/"


@pytest.fixture
def root():
    return make_user("root", is_superuser=True)


@pytest.fixture
def admin(client, root):
    client.force_login(root)
    return client


def acts() -> list[tuple[str, str]]:
    rows = AuditEntry.objects.filter(act__startswith="admin.").order_by("pk")
    return list(rows.values_list("act", "about"))


def body(answer) -> str:
    return b"".join(answer.streaming_content).decode()


def test_administration_lists_searches_and_exports_what_is_filtered(admin, root):
    team = make_workspace(root)
    record(Act.SHARE_LINK_MADE, by=root, workspace=team, about="digits", details={"until": "x"})
    record(Act.SIGN_IN_FAILED, by=None, about="mallory")

    listed = admin.get(ADMIN).content.decode()
    assert "Share link made" in listed
    assert "mallory" in listed
    filters = f"?act=share_link.made&person={root.pk}&workspace={team.pk}"
    filtered = admin.get(f"{ADMIN}{filters}").content.decode()
    assert "mallory" not in filtered
    assert "Export CSV" in filtered
    entry = AuditEntry.objects.get(act="share_link.made")
    shown = admin.get(f"{ADMIN}{entry.pk}/change/").content.decode()
    assert "until: x" in shown
    assert 'name="_save"' not in shown
    assert admin.post(f"{ADMIN}{entry.pk}/delete/", {"post": "yes"}).status_code == 403

    csv = body(admin.get(f"{ADMIN}export/csv/{filters}")).splitlines()
    lines = body(admin.get(f"{ADMIN}export/jsonl/?person=studio&q=mallory")).splitlines()
    assert [line.split(",")[2] for line in csv] == ["act", "share_link.made"]
    assert [json.loads(line)["about"] for line in lines] == ["mallory"]
    assert admin.get(f"{ADMIN}export/xlsx/").status_code == 404
    exported = AuditEntry.objects.filter(act="audit.exported").order_by("pk")
    assert [entry.details["format"] for entry in exported] == ["csv", "jsonl"]


def test_whatever_the_administration_does_is_written_down(admin):
    people = {name: make_user(name) for name in ("ann", "ben")}
    team, address = make_workspace(), "/admin/experiments/membership/"
    for person in people.values():
        fields = {"workspace": str(team.pk), "user": str(person.pk), "role": "Reader"}
        assert admin.post(f"{address}add/", fields).status_code == 302
    one = Membership.objects.get(user=people["ann"])
    changed = {"workspace": str(team.pk), "user": str(one.user_id), "role": "Contributor"}
    assert admin.post(f"{address}{one.pk}/change/", changed).status_code == 302
    chosen = [
        str(pk) for pk in Membership.objects.filter(workspace=team).values_list("pk", flat=True)
    ]
    marked = {"action": "delete_selected", "_selected_action": chosen}
    asked = admin.post(address, marked)
    assert "These go for good" in asked.content.decode()
    assert [act for act, _ in acts()] == ["admin.added", "admin.added", "admin.changed"]
    admin.post(address, {**marked, "post": "yes"})

    assert not Membership.objects.filter(workspace=team).exists()
    assert sorted(acts()[2:]) == [
        ("admin.changed", "membership ann in Team: Contributor"),
        ("admin.deleted", "membership ann in Team: Contributor"),
        ("admin.deleted", "membership ben in Team: Reader"),
    ]
    assert AuditEntry.objects.get(act="admin.changed").details == {"changes": ["changed (Role)"]}
    # Owners see what happens to their members.
    assert AuditEntry.objects.filter(workspace=team, act__startswith="admin.").count() == 5


def test_owners_see_what_was_done_in_their_workspace(client, root):
    alice, team = make_user("alice"), make_workspace(make_user("alice"))
    other = make_workspace(make_user("bob"), name="Other")
    for number in range(60):
        record(Act.SHARE_LINK_MADE, by=alice, workspace=team, about=f"<b>sweep</b> {number}")
    record(Act.WEBHOOK_CREATED, by=alice, workspace=team, about="board")
    record(Act.MODEL_DELETED, by=root, workspace=other, about="elsewhere")
    client.force_login(alice)

    first = client.get("/workspaces/team/activity/")
    text = first.content.decode()
    assert "61 entries" in text
    assert "&lt;b&gt;sweep&lt;/b&gt; 59" in text
    assert "elsewhere" not in text
    older = client.get(f"/workspaces/team/activity/{first.context['older_url']}").content.decode()
    assert "sweep&lt;/b&gt; 0<" in older
    assert "sweep&lt;/b&gt; 59" not in older
    only = client.get("/workspaces/team/activity/?act=webhook.created").content.decode()
    assert "1 entry" in only
    assert "board" in only
    assert client.get("/workspaces/team/activity/?before=x").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"),
    [(Membership.Role.OWNER, 200), (Membership.Role.CONTRIBUTOR, 403), (None, 404)],
)
def test_activity_is_for_owners(client, role, status):
    person, team = make_user("carol"), make_workspace(make_user("alice"))
    if role is not None:
        Membership.objects.create(workspace=team, user=person, role=role)
    client.force_login(person)

    assert client.get("/workspaces/team/activity/").status_code == status


def test_rest_pages_through_the_log_for_administrators(client, root):
    for number in range(5):
        record(Act.SITE_CHANGED, by=root, about=str(number))

    def get(query="", *, user=root, scope="admin"):
        token = make_api_token(user, name="t", scope=scope)[1]
        return client.get(f"/api/v1/audit{query}", headers={"Authorization": f"Bearer {token}"})

    first = get("?act=site.changed&limit=3").json()
    rest = get(f"?act=site.changed&limit=3&cursor={first['next_cursor']}").json()
    assert [entry["about"] for entry in first["items"] + rest["items"]] == list("43210")
    assert rest["next_cursor"] is None
    assert first["items"][0]["by"] == "root"
    assert get("?since=2100-01-01T00:00:00Z").json()["items"] == []
    assert get("?since=yesterday").status_code == 422
    assert get(scope="write").status_code == 403
    assert get(user=make_user("alice")).status_code == 403
    assert client.get("/api/v1/audit").status_code == 401


def test_rest_tells_everybody_about_the_site(client):
    from experiments.services.site import change_site, switch_maintenance

    change_site(by=None, name="Lab", default_max_total_runs=7, limit_total_runs=9)
    switch_maintenance(True, by=None, message="New disks.")
    token = make_api_token(make_user(), name="t", scope="read")[1]

    found = client.get("/api/v1/site", headers={"Authorization": f"Bearer {token}"}).json()

    assert (found["name"], found["maintenance"]) == ("Lab", "on")
    assert found["defaults"] == {"max_total_runs": 7}
    assert found["limits"] == {"max_total_runs": 9}
