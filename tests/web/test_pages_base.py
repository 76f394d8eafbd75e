"""What holds for every page of the frame: rights, structure, nothing that the policy blocks."""

import json
import re

import pytest
from django.template import loader
from django.test import Client
from django.urls import reverse

from experiments.models import Membership
from tests.factories import make_sweep, make_user, make_workspace
from tests.web.page_facts import PageFacts

pytestmark = pytest.mark.django_db

PAGES = ["sweeps", "sweep_new", "compute", "account_password"]


@pytest.fixture
def alice_client():
    alice = make_user("alice", is_superuser=True)
    make_sweep(owner=alice, workspace=make_workspace(alice), name="alice's <b>sweep</b>")
    client = Client()
    client.force_login(alice)
    return client


@pytest.mark.parametrize("name", PAGES)
def test_page_is_well_formed(alice_client, name):
    response = alice_client.get(reverse(name))
    facts = PageFacts(response.content.decode())

    assert response.status_code == 200
    assert facts.tags["h1"] == facts.tags["main"] == 1
    assert [key for key, n in facts.ids.items() if n > 1] == []
    assert facts.unlabelled() == []
    assert facts.inline == []
    assert facts.hosts == []
    assert "{{" not in re.sub(r"\$\{\{", "", response.content.decode())


def test_sign_in_page_is_well_formed(client):
    response = client.get(reverse("sign_in"))
    facts = PageFacts(response.content.decode())

    assert facts.tags["h1"] == 1
    assert facts.unlabelled() == []
    assert facts.inline == facts.hosts == []


@pytest.mark.parametrize("name", PAGES)
def test_page_asks_strangers_to_sign_in_and_leads_back(client, name):
    response = client.get(reverse(name) + "?q=1")

    assert response.status_code == 302
    assert response.url == f"{reverse('sign_in')}?next={reverse(name)}%3Fq%3D1"


@pytest.mark.parametrize("name", PAGES)
def test_page_forbids_scripts_that_are_not_its_own(alice_client, name):
    policy = alice_client.get(reverse(name)).headers["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "default-src 'self'" in policy


def test_page_carries_badges_and_addresses_for_scripts(alice_client):
    page = alice_client.get(reverse("sweeps")).content.decode()

    block = re.search(r'<script id="studio-config" type="application/json">(.*?)</script>', page)
    config = json.loads(block[1])
    assert config["badges"]["Canceled/policy"]["label"] == "Stopped early"
    assert config["urls"]["sweepNew"] == reverse("sweep_new")


@pytest.mark.parametrize(("name", "current"), [("sweeps", "Sweeps"), ("compute", "Compute")])
def test_navigation_marks_the_section(alice_client, name, current):
    page = alice_client.get(reverse(name)).content.decode()

    nav = page[page.index('id="mainnav"') : page.index("</nav>")]
    assert re.findall(r'aria-current="page">(\w+)<', nav) == [current]


def test_navigation_shows_the_administration_to_staff_only(alice_client):
    bob = make_user("bob")
    make_workspace(bob)
    bob_client = Client()
    bob_client.force_login(bob)

    assert reverse("admin:index") in alice_client.get(reverse("sweeps")).content.decode()
    assert reverse("admin:index") not in bob_client.get(reverse("sweeps")).content.decode()


def test_unknown_address_says_so_in_the_frame(alice_client):
    response = alice_client.get("/no/such/page/")

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
    assert "/no/such/page/" in response.content.decode()


def test_reader_is_told_why_a_sweep_cannot_be_started():
    dora = make_user("dora")
    make_workspace(dora, role=Membership.Role.READER)
    client = Client()
    client.force_login(dora)

    response = client.get(reverse("sweep_new"))
    assert response.status_code == 403
    assert "needs the role Contributor" in response.content.decode()
    page = client.get(reverse("sweeps")).content.decode()
    assert reverse("sweep_new") not in PageFacts(page).links


def test_server_error_page_needs_nothing():
    page = loader.render_to_string("500.html")

    assert "could not show this page" in page
    assert PageFacts(page).inline == []


def test_compute_page_shows_targets_and_how_to_attach(alice_client):
    page = alice_client.get(reverse("compute")).content.decode()

    assert "No workers" in page
    assert "studio worker --compute local" in page
