"""The best-model page: what is copied is exact, and it says when there is nothing to show."""

import json
import re
import shlex
from html import unescape

import pytest
from django.urls import reverse

from experiments.services.outcome import RunOutcome
from experiments.services.sweeps import cancel_sweep
from experiments.spec import load_yaml
from tests.factories import make_sweep, make_user, make_workspace, report
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import end, make_sweep_world, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


@pytest.fixture
def html(client, world):
    client.force_login(world.alice)
    return client.get(reverse("sweep_best", args=[world.sweep.public_id])).content.decode()


def pre(html, name):
    found = re.search(rf'<pre[^>]*id="{name}"[^>]*>(.*?)</pre>', html, re.DOTALL)[1]
    return unescape(re.sub(r"<[^>]+>", "", found))


def test_copied_forms_are_exact(html, world):
    params = {"lr": 1e-05, "layers": 2}

    assert json.loads(pre(html, "json")) == params
    assert load_yaml(pre(html, "yaml")) == params
    assert shlex.split(pre(html, "arguments")) == ["--lr", "1e-05", "--layers", "2"]
    assert shlex.split(pre(html, "command")) == world.winner.command


def test_number_of_the_winner_is_the_metric(html):
    assert re.search(r'<p class="value">([^<]*)</p>', html)[1] == "0.9000"


def test_values_stand_in_their_search_space(html):
    marks = re.findall(r'<line class="mark" x1="([\d.]+)"', html)

    assert marks == ["3.0", "150.0"]
    assert "10⁻⁵: at the lower bound" in html
    assert "2: number 2 of 3" in html


def test_outputs_can_be_downloaded_one_by_one_and_together(html, world):
    links = PageFacts(html).links

    assert f"/runs/{world.winner.public_id}/files/outputs/model.txt" in links
    assert f"/runs/{world.winner.public_id}/files.zip?under=outputs" in links
    assert "logs/std_log.txt" not in "".join(links)


def test_page_says_that_it_follows_while_the_sweep_runs(html):
    assert "The sweep is still running: 77 runs have not finished." in html


def test_page_follows_a_new_best(client, world):
    client.force_login(world.alice)
    run = start(world.sweep, lr=0.7, layers=1)
    report(run, [0.95])
    end(run, RunOutcome(exit_code=0))
    url = reverse("sweep_best", args=[world.sweep.public_id])

    fragment = client.get(url, headers={"X-Fragment": "1"}).content.decode()

    assert f"Run {run.number}</a>" in fragment
    assert '<p class="value">0.9500</p>' in fragment
    assert "<html" not in fragment


def test_page_before_the_first_value_says_what_it_waits_for(client):
    alice = make_user()
    sweep = make_sweep(owner=alice, workspace=make_workspace(alice))
    client.force_login(alice)

    html = client.get(reverse("sweep_best", args=[sweep.public_id])).content.decode()

    assert "No best run yet" in " ".join(PageFacts(html).text)
    assert "fills in by itself" in html


def test_page_of_a_sweep_that_ended_without_a_value_says_why(client):
    alice = make_user()
    sweep = make_sweep(owner=alice, workspace=make_workspace(alice))
    cancel_sweep(sweep, user=alice)
    client.force_login(alice)

    html = client.get(reverse("sweep_best", args=[sweep.public_id])).content.decode()

    assert "No run reported" in html
    assert "Canceled by alice." in html
