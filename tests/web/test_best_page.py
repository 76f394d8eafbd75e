"""The best-model page: what is copied is exact, and it says when there is nothing to show."""

import json
import re
import shlex
from html import unescape
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experiments.services.outcome import RunOutcome
from experiments.services.snapshots import snapshot_zip
from experiments.services.sweeps import cancel_sweep
from experiments.spec import load_yaml
from tests.factories import make_sweep, make_user, make_workspace, report
from tests.web.api_world import zip_of
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import end, make_sweep_world, many_runs, start

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


SCRIPT = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.25)
parser.add_argument("--layers", type=int, default=2)
"""


@pytest.fixture
def compared(client, settings, tmp_path):
    """Six runs of a script with defaults; run 3 leads."""
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    alice = make_user()
    workspace = make_workspace(alice)
    sweep = make_sweep(owner=alice, workspace=workspace, max_total_runs=99)
    sweep.snapshot = snapshot_zip(BytesIO(zip_of(train_py=SCRIPT)), workspace=workspace)
    sweep.save(update_fields=["snapshot"])
    configurations = [(0.25, 2), (0.3, 2), (0.9, 1), (0.02, 3), (0.06, 3), (0.5, 1)]
    # All of them first: the end of a run lets the controller fill free slots.
    runs = [start(sweep, lr=lr, layers=layers) for lr, layers in configurations]
    for run, value in zip(runs, [0.5, 0.6, 0.1, 0.9, 0.8, 0.7], strict=True):
        report(run, [value])
        end(run, RunOutcome(exit_code=0))
    client.force_login(alice)
    return sweep


def cells(html, label):
    table = html[html.index(f'aria-label="{label}"') :].split("</table>")[0]
    rows = re.findall(r"<tr.*?</tr>", table.split("<tbody>")[1], re.DOTALL)
    strip = lambda text: " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())  # noqa: E731 -- short
    return [[strip(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]


def best_html(client, sweep):
    return client.get(reverse("sweep_best", args=[sweep.public_id])).content.decode()


def test_winner_is_compared_with_second_median_and_defaults(client, compared):
    assert cells(best_html(client, compared), "How much better") == [
        ["Second best run 4", "0.8000", "0.1000"],
        ["Median run run 1", "0.6000", "0.3000"],
        ["Script defaults run 0", "0.5000", "0.4000"],
    ]


def test_nearest_run_stands_for_defaults_that_nobody_tried(client, compared):
    compared.runs.filter(number=0).update(params={"lr": 0.1, "layers": 1})

    assert cells(best_html(client, compared), "How much better")[2] == [
        "Nearest to the script's defaults run 1 distance 0.04",
        "0.6000",
        "0.3000",
    ]


def test_values_stand_beside_defaults_and_the_next_runs(client, compared):
    html = best_html(client, compared)

    rows = cells(html, "Winning hyperparameters")
    assert [row[:3] for row in rows] == [["lr", "0.02", "0.25"], ["layers", "3", "2"]]
    assert "0.02: near the lower bound" in rows[0][3]
    assert "3: the largest of 3" in rows[1][3]
    assert html.count('class="other"') == 2 * 5
    assert re.findall(r'class="default" x1="([\d.]+)"', html) == ["76.5", "150.0"]


def test_script_without_defaults_is_not_compared_with_them(html):
    assert "default" not in html


def test_nearest_configurations_come_with_distance_metric_and_difference(client, compared):
    rows = cells(best_html(client, compared), "Nearest configurations")

    assert rows[0] == ["Run 3", "0", "0.9000", "–", "0.02", "3"]
    assert rows[1] == ["Run 4", "0.03", "0.8000", "−0.1000", "0.06", "3"]
    assert [row[0] for row in rows] == ["Run 3", "Run 4", "Run 0", "Run 1", "Run 5", "Run 2"]
    assert "nearest runs speak for a" in best_html(client, compared)


def test_number_of_queries_does_not_grow_with_the_runs(client, compared, django_assert_num_queries):
    with CaptureQueriesContext(connection) as before:
        best_html(client, compared)
    many_runs(compared, [0.11, 0.12, 0.13, 0.14])

    with django_assert_num_queries(len(before)):
        best_html(client, compared)
    assert len(before) <= 14


def test_sweep_around_the_winner_opens_the_filled_form(client, compared):
    link = next(url for url in PageFacts(best_html(client, compared)).links if "?around=" in url)
    assert link == f"{reverse('sweep_new')}?around={compared.public_id}_3"

    page = client.get(link).content.decode()

    assert "with a search space around run 3." in page
    assert 'value="digits around run 3"' in page
    yaml = re.search(r'<textarea[^>]*id="yaml"[^>]*>(.*?)</textarea>', page, re.DOTALL)[1]
    spec = load_yaml(unescape(yaml))
    assert spec["search_space"] == {"lr": "uniform(0, 0.27)", "layers": "choice(1, 2, 3)"}
    assert (spec["snapshot"], spec["max_total_runs"]) == (compared.snapshot.digest, 99)


def test_sweep_around_somebody_elses_run_is_not_found(client, compared):
    charlie = make_user("charlie")
    make_workspace(charlie, name="Elsewhere")
    client.force_login(charlie)

    assert client.get(f"{reverse('sweep_new')}?around={compared.public_id}_3").status_code == 404


def test_readers_are_offered_neither_registering_nor_a_sweep(client, compared):
    bob = make_user("bob")
    make_workspace(bob, role="Reader")
    client.force_login(bob)

    html = best_html(client, compared)
    assert "data-register" not in html
    assert "?around=" not in html
