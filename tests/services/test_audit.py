"""The audit log: what is written, that nothing of it can be changed, what deletes leave alone."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from experiments import log_context
from experiments.client_address import coming_from
from experiments.compute_settings import Changes
from experiments.models import AuditEntry, Workspace
from experiments.models.site import AppendOnlyError
from experiments.queries.audit import (
    AuditFilter,
    act_label,
    activity_page,
    audit_csv,
    audit_entries,
    audit_json_lines,
    details_text,
)
from experiments.services.audit import Act, record
from experiments.services.compute import add_target, change_target
from experiments.services.compute_tokens import make_compute_token, revoke_compute_token
from experiments.services.notification_channels import (
    ChannelFields,
    change_channel,
    create_webhook,
    delete_channel,
    rotate_secret,
)
from experiments.services.share_links import create_share_link, revoke_share_link
from tests.factories import make_sweep, make_user, make_workspace

pytestmark = pytest.mark.django_db
MIGRATION = import_module("experiments.migrations.0020_site")


def only() -> AuditEntry:
    return AuditEntry.objects.get()


def test_an_entry_says_who_what_where_from_where():
    alice, team = make_user("alice"), make_workspace()

    with coming_from("192.0.2.7"), log_context.only(request_id="abc"):
        record(
            Act.SWEEP_DELETED,
            by=alice,
            workspace=team,
            about="digits\0" + "x" * 300,
            about_id="HD_1",
            details={"runs": 3, "odd": float("nan"), "for": timedelta(days=1), "of": {"a\0": [1]}},
        )

    entry = only()
    assert (entry.act, entry.by, entry.by_name) == ("sweep.deleted", alice, "alice")
    assert (entry.workspace, entry.workspace_name) == (team, "Team")
    assert entry.about.startswith("digits�x")
    assert len(entry.about) == 255
    assert (entry.address, entry.request_id) == ("192.0.2.7", "abc")
    assert entry.details == {"runs": 3, "odd": "nan", "for": "1 day, 0:00:00", "of": {"a�": [1]}}


def test_an_act_that_is_rolled_back_was_not_done():
    with transaction.atomic():
        record(Act.SITE_CHANGED, by=None)
        transaction.set_rollback(True)

    assert not AuditEntry.objects.exists()


def test_entries_cannot_be_changed_or_removed_by_the_orm():
    record(Act.SITE_CHANGED, by=None, about="Lab")
    entry = only()
    entry.about = "something else"

    for attempt in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(about="x"),
        lambda: AuditEntry.objects.bulk_update([entry], ["about"]),
        lambda: AuditEntry.objects.update_or_create(pk=entry.pk, defaults={"about": "x"}),
    ):
        with pytest.raises(AppendOnlyError, match="append-only"), transaction.atomic():
            attempt()
    assert only().about == "Lab"


def test_entries_cannot_be_changed_or_removed_by_sql():
    record(Act.SITE_CHANGED, by=None, about="Lab")
    with connection.cursor() as cursor:
        # Tests with transactions empty all tables; every other database has these as well.
        if connection.vendor == "postgresql":
            cursor.execute(MIGRATION.POSTGRESQL["audit_no_truncate"])
            ways = ["UPDATE {} SET act = 'x'", "DELETE FROM {}", "TRUNCATE {}"]
        else:
            cursor.execute(MIGRATION.SQLITE["audit_no_delete"])
            ways = [
                "UPDATE {} SET act = 'x'",
                "DELETE FROM {}",
                "REPLACE INTO {0} SELECT * FROM {0}",
            ]
        for way in ways:
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                cursor.execute(way.format(MIGRATION.TABLE))

    assert only().about == "Lab"


def test_what_an_entry_tells_of_can_be_deleted():
    alice, team = make_user("alice"), make_workspace()
    record(Act.MEMBER_ADDED, by=alice, workspace=team, about="bob")

    Workspace.objects.filter(pk=team.pk).delete()
    User.objects.filter(pk=alice.pk).delete()

    entry = AuditEntry.objects.select_related("by", "workspace").get()
    assert (entry.by, entry.by_name, entry.workspace_name) == (None, "alice", "Team")


def test_acts_of_sharing_compute_and_webhooks_are_written_down():
    sweep = make_sweep()
    user, team = sweep.owner, sweep.experiment.workspace
    link = create_share_link(sweep, user=user, days=1, name="board")
    revoke_share_link(link, user=user)
    target = add_target("gpu", Changes(), user=user)
    change_target(target, Changes(draining=True), user=user)
    change_target(target, Changes(secrets={"KEY": "hush"}, environment={"A": "hush"}), user=user)
    token, _ = make_compute_token(target, name="box", by=user)
    revoke_compute_token(token, by=user)
    fields = ChannelFields(
        name="board", url="https://hooks.example.org/hush/abcdef", events=["sweep.failed"]
    )
    channel, _ = create_webhook("webhook", fields, user=user, workspace=team)
    change_channel(channel, ChannelFields(is_on=False), user=user)
    rotate_secret(channel, user=user)
    delete_channel(channel, user=user)

    written = list(AuditEntry.objects.order_by("pk"))

    assert [entry.act for entry in written] == [
        "share_link.made", "share_link.revoked", "compute.added", "compute.drained",
        "compute.changed", "compute.attached", "compute_token.revoked", "webhook.created",
        "webhook.changed", "webhook.secret_changed", "webhook.deleted",
    ]  # fmt: skip
    assert {entry.by_name for entry in written} == {"alice"}
    assert written[4].details == {"environment": ["A"], "secrets": ["KEY"]}
    assert not any("hush" in str(entry.details) for entry in written)
    # What belongs to the workspace is seen there, newest first, a page at a time.
    page = activity_page(team, before=None, limit=4)
    assert [entry.act for entry in page.items] == [
        "webhook.deleted", "webhook.secret_changed", "webhook.changed", "webhook.created",
    ]  # fmt: skip
    rest = activity_page(team, before=int(page.next_cursor or 0), limit=4)
    assert [entry.act for entry in rest.items] == ["share_link.revoked", "share_link.made"]
    assert (rest.next_cursor, rest.total) == (None, 6)


def test_filter_and_files_tell_the_same():
    alice = make_user("alice")
    for number in range(1005):
        record(Act.TOKEN_CREATED, by=alice, about=f"token {number}", about_id=str(number))
    record(Act.SITE_CHANGED, by=None, about="=1+1")

    assert audit_entries(AuditFilter(act="site.changed")).count() == 1
    assert audit_entries(AuditFilter(by="alice", text="TOKEN 1004")).get().about_id == "1004"
    assert audit_entries(AuditFilter(workspace="none")).count() == 0
    csv = b"".join(audit_csv(audit_entries(AuditFilter()))).decode().splitlines()
    lines = b"".join(audit_json_lines(audit_entries(AuditFilter(by="alice")))).decode()
    assert len(csv) == 1007
    # A spreadsheet must not take it for a formula.
    assert ",'=1+1," in csv[1]
    assert lines.count("\n") == 1005
    assert '"about": "token 1004"' in lines.splitlines()[0]


def test_words_of_entries():
    assert act_label("share_link.made") == "Share link made"
    details = {"name": {"from": "", "to": "Lab"}, "runs": 3, "is_on": True, "labels": ["a", "b"]}
    assert details_text(details) == "name: none → Lab; runs: 3; is on: yes; labels: a, b"
    assert details_text({"until": "2026-11-28T22:54:59+00:00"}) == "until: 2026-11-28 22:54 UTC"
