"""What an administrator decides for the studio: its form, notices on all pages, maintenance."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from django.utils import timezone

from experiments.models import Announcement, AnnouncementDismissal, AuditEntry, SiteSettings
from experiments.services.announcements import publish
from experiments.services.site import change_site, plan_maintenance, site, switch_maintenance
from studio.cli import studio
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    person = make_user("root", is_superuser=True)
    make_workspace(person)
    client.force_login(person)
    return client


@pytest.fixture
def alice(client):
    person = make_user("alice")
    make_workspace(person)
    client.force_login(person)
    return person


def announce(text="Disks are replaced **tonight**", level="info", **values):
    return publish(Announcement(text=text, level=level, **values), by=None)


def page(client, address="/sweeps/"):
    return client.get(address).content.decode()


def test_settings_open_as_one_form_and_say_what_was_changed(admin):
    opened = admin.get("/admin/experiments/sitesettings/")
    form = admin.get(opened.url)
    fields = {
        "name": "Lab Studio",
        "banner": "Be kind to the <GPUs>",
        "sign_up": "domains",
        "sign_up_domains": "example.org, uni.edu",
        "limit_total_runs": "200",
        "maintenance_from_0": "",
        "maintenance_from_1": "",
    }
    saved = admin.post(opened.url, fields)

    assert (opened.status_code, form.status_code, saved.status_code) == (302, 200, 302)
    assert (site().name, site().limit_total_runs, site().sign_up) == ("Lab Studio", 200, "domains")
    entry = AuditEntry.objects.get(act="site.changed")
    assert entry.by_name == "root"
    assert entry.address == "127.0.0.1"
    assert entry.details["name"] == {"from": "Sweep Studio", "to": "Lab Studio"}
    # Once, not a second time as any row of the administration.
    assert not AuditEntry.objects.filter(act="admin.changed").exists()
    shown = page(admin)
    assert "<title>Sweeps · Lab Studio</title>" in shown
    assert "Be kind to the &lt;GPUs&gt;" in shown


def test_form_of_a_sweep_ends_where_the_site_does(admin):
    change_site(by=None, limit_total_runs=250)

    shown = admin.get("/sweeps/new/").content.decode()

    assert "1 to 250" in shown
    assert "&quot;max_total_runs&quot;: 250, &quot;max_concurrent_runs&quot;: 100" in shown


def test_wrong_settings_are_named_with_what_is_allowed(admin):
    address = admin.get("/admin/experiments/sitesettings/").url
    answer = admin.post(
        address,
        {
            "name": "Lab",
            "sign_up": "domains",
            "sign_up_domains": "not a domain",
            "default_max_total_runs": "300",
            "limit_total_runs": "200",
            "limit_concurrent_runs": "101",
        },
    )

    text = answer.content.decode()
    assert "300 is above the limit 200; use 200 or less, or raise the limit." in text
    assert "“not” is no domain" in text
    assert "less than or equal to 100" in text
    assert not SiteSettings.objects.filter(name="Lab").exists()


def test_members_of_the_staff_do_not_manage_the_site(client):
    person = make_user("bob")
    person.is_staff = True
    person.save()
    client.force_login(person)
    change_site(by=None, name="Lab")

    for address in ("sitesettings/", "sitesettings/1/change/", "announcement/", "auditentry/"):
        assert client.get(f"/admin/experiments/{address}").status_code == 403, address


def test_announcement_is_shown_until_a_person_puts_it_away(client, alice):
    announcement = announce()

    assert "Disks are replaced <strong>tonight</strong>" in page(client)
    answer = client.post(
        f"/announcements/{announcement.pk}/dismiss/", {"next": "https://elsewhere.example/"}
    )
    assert answer.url == "/"
    assert "Disks are replaced" not in page(client)
    client.force_login(make_user("carol"))
    assert "Disks are replaced" in page(client)


def test_changed_text_is_shown_again_and_what_cannot_be_dismissed_stays(client, alice):
    announcement = announce(is_dismissible=False)
    client.post(f"/announcements/{announcement.pk}/dismiss/")
    assert not AnnouncementDismissal.objects.exists()

    announcement.is_dismissible = True
    publish(announcement, by=None)
    client.post(f"/announcements/{announcement.pk}/dismiss/")
    assert "Disks" not in page(client)
    announcement.text = "Disks are replaced tomorrow"
    publish(announcement, by=None)

    assert "Disks are replaced tomorrow" in page(client)


def test_announcement_is_shown_in_its_time_only(client, alice):
    now = timezone.now()
    announce("Later", starts_at=now + timedelta(hours=1))
    announce("Over", starts_at=now - timedelta(hours=2), ends_at=now - timedelta(hours=1))
    announce("Now", starts_at=now - timedelta(hours=2), ends_at=now + timedelta(hours=1))

    shown = page(client)

    assert "<p>Now</p>" in shown
    assert "<p>Later</p>" not in shown
    assert "<p>Over</p>" not in shown


def test_strangers_see_what_is_urgent_and_nothing_else(client):
    announce("Only for members")
    announce("The building **burns**", level="urgent")
    switch_maintenance(True, by=None, message="New disks")

    shown = page(client, "/sign-in/")

    assert 'role="alert"' in shown
    assert "The building <strong>burns</strong>" in shown
    assert "Only for members" not in shown
    assert "New disks" not in shown
    assert "/dismiss/" not in shown


def test_announcement_cannot_carry_code_or_end_before_it_starts(admin):
    announce("<script>alert(1)</script> [x](javascript:alert(1))")

    shown = page(admin)
    answer = admin.post(
        "/admin/experiments/announcement/add/",
        {
            "text": "Back in time",
            "level": "info",
            "starts_at_0": "2026-02-02",
            "starts_at_1": "12:00",
            "ends_at_0": "2026-02-01",
            "ends_at_1": "12:00",
        },
    )

    assert "<script>alert(1)" not in shown
    assert 'href="javascript' not in shown
    assert "The announcement would end before it starts." in answer.content.decode()


def test_notices_cost_a_page_at_most_one_query(client, alice, django_assert_num_queries):
    from experiments.views.notices import notices_for

    announce()
    switch_maintenance(True, by=None)
    assert len(notices_for(alice)) == 2  # reads both tables

    with django_assert_num_queries(1):  # what this person dismissed
        assert len(notices_for(alice)) == 2


def test_maintenance_is_said_on_pages_and_to_whoever_watches(client, alice):
    switch_maintenance(
        True, by=None, message="New disks.", until=timezone.now() + timedelta(hours=2)
    )

    shown = page(client)
    assert "Maintenance: no new runs start." in shown
    assert "New disks. Runs that work finish" in shown
    assert "Expected end:" in shown
    assert client.get("/healthz").json()["maintenance"] is True
    assert client.get("/healthz").status_code == 200

    switch_maintenance(False, by=None)
    assert "Maintenance" not in page(client)
    assert client.get("/healthz").json()["maintenance"] is False


def test_command_line_turns_maintenance_on_and_off():
    def run(*words):
        done = CliRunner().invoke(studio, ["maintenance", *words])
        assert done.exit_code == 0, done.output
        return done.output

    assert "Maintenance is off.\n0 runs work, 0 runs wait." in run("status")
    assert "is planned" in run("on", "--at", "2h", "--message", "New disks.")
    told = run("on", "--until", "3h")
    assert "Maintenance is on. New disks.\nIt is expected to end" in told
    assert json.loads(run("status", "--json"))["maintenance"] == "on"
    assert site().maintenance
    run("off")

    assert not site().maintenance
    rows = AuditEntry.objects.order_by("pk").values_list("act", "address")
    assert [act for act, _ in rows] == [
        "maintenance.planned", "maintenance.on", "maintenance.off",
    ]  # fmt: skip
    assert all(address.startswith("command line of ") for _, address in rows)
    wrong = CliRunner().invoke(studio, ["maintenance", "on", "--until", "soon"])
    assert wrong.exit_code == 2
    assert "'soon' is no time; write 2h" in wrong.output


def test_planned_maintenance_is_announced_first(client, alice):
    plan_maintenance(timezone.now() + timedelta(hours=3), by=None, message="New disks.")

    shown = page(client)

    assert "Maintenance is planned." in shown
    assert client.get("/healthz").json()["maintenance"] is False
