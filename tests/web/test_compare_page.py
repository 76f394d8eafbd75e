"""The page of the comparison and its figures; what the list of sweeps and a run's page lead to."""

import json

import pytest
from django.urls import reverse

from experiments.charts import COMPARISONS
from experiments.models import Sweep
from experiments.views.compare import compare_url
from tests.factories import make_sweep, report
from tests.web.sweep_world import make_sweep_world, many_runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


@pytest.fixture
def other(world):
    """A second sweep of Alice's team with another search space and no policy."""
    sweep = make_sweep(
        owner=world.alice,
        workspace=world.sweep.experiment.workspace,
        name="other",
        search_space={"lr": "loguniform(-9, -1)", "momentum": "uniform(0, 1)"},
        max_total_runs=80,
    )
    many_runs(sweep, [0.4, 0.6])
    return Sweep.objects.get(pk=sweep.pk)


def page(client, *ids, fragment=False):
    headers = {"X-Fragment": "1"} if fragment else {}
    return client.get(compare_url(ids), headers=headers)


def test_page_shows_figures_configurations_and_differences(client, world, other):
    client.force_login(world.bob)

    answer = page(client, world.sweep.public_id, other.public_id)

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "&lt;i&gt;digits&lt;/i&gt;" in text
    assert "maximize <bdi" in text
    assert [c.place for c in answer.context["columns"]] == [0, 1]
    assert answer.context["columns"][0].figures.is_best
    best = {row.name: [exact for _, exact, _ in row.cells] for row in answer.context["best_rows"]()}
    assert best["lr"][0] == "1e-05"
    differing = {row.key for row in answer.context["spec_rows"]() if not row.is_same}
    assert {"search_space.lr", "search_space.momentum", "early_termination.type"} <= differing
    assert "experiment" not in differing
    assert text.count("data-chart=") == len(COMPARISONS)


def test_fragment_has_the_parts_alone(client, world, other):
    client.force_login(world.bob)

    text = page(client, world.sweep.public_id, other.public_id, fragment=True).content.decode()

    assert [part in text for part in ("cards", "figures", "bests", "specs", "<!doctype")] == [
        *[True] * 4,
        False,
    ]


def test_removing_a_sweep_keeps_the_places_of_the_others(client, world, other):
    client.force_login(world.bob)
    columns = page(client, world.sweep.public_id, other.public_id).context["columns"]

    left = client.get(columns[0].remove_url)

    assert left.context["asked"].slots == ("", other.public_id)
    # Whoever is added takes the free place.
    assert left.context["offers"]()[0][1] == compare_url([world.sweep.public_id, other.public_id])


def test_metrics_that_differ_are_refused_with_sets_that_fit(client, world):
    loss = make_sweep(
        owner=world.alice,
        workspace=world.sweep.experiment.workspace,
        name="loss",
        primary_metric={"name": "loss", "goal": "minimize"},
    )
    client.force_login(world.bob)

    answer = page(client, world.sweep.public_id, loss.public_id)

    assert "minimizes loss: only sweeps of one primary metric" in answer.content.decode()
    assert [kind.sweeps for kind in answer.context["kinds"]] == [[world.sweep], [loss]]
    assert "columns" not in answer.context
    url = reverse(
        "compare_chart", args=[f"{world.sweep.public_id},{loss.public_id}", "compare_best"]
    )
    assert client.get(url).status_code == 404


@pytest.mark.parametrize("asked", ["", "HD_nobody", "\x00", ",,,,,,,,,,"])
def test_address_without_sweeps_leads_to_the_list(client, world, asked):
    client.force_login(world.bob)

    answer = client.get(reverse("compare"), {"sweeps": asked})

    assert answer.status_code == 200
    assert "Choose what to compare" in answer.content.decode()


def test_stranger_sees_nothing_of_the_sweeps(client, world, other):
    client.force_login(world.charlie)

    text = page(client, world.sweep.public_id, other.public_id).content.decode()

    assert "2 of the sweeps are" in text
    assert "digits" not in text
    for name in COMPARISONS:
        url = reverse("compare_chart", args=[f"{world.sweep.public_id},{other.public_id}", name])
        assert client.get(url).status_code == 404


@pytest.mark.parametrize("name", COMPARISONS)
def test_figure_is_json_and_sent_once(client, world, other, name):
    client.force_login(world.bob)
    Sweep.objects.filter(pk__in=[world.sweep.pk, other.pk]).update(deadline_at=None)
    url = reverse("compare_chart", args=[f",{world.sweep.public_id},{other.public_id}", name])

    answer = client.get(url, {"x": "time"})
    again = client.get(url, {"x": "time"}, headers={"If-None-Match": answer["ETag"]})

    found = json.loads(answer.content, parse_constant=pytest.fail)
    assert found["meta"]["summary"].startswith("2 sweeps, best accuracy: <i>digits</i> 0.9")
    assert again.status_code in (304, 200)  # lines of live sweeps grow every ten seconds
    report(world.running, [0.99])
    changed = client.get(url, {"x": "time"}, headers={"If-None-Match": answer["ETag"]})
    assert changed.status_code == 200


def test_list_of_sweeps_lets_readers_pick_what_to_compare(client, world):
    client.force_login(world.bob)

    text = client.get(reverse("sweeps")).content.decode()

    assert 'class="c-pick"' in text
    assert f'data-compare="{reverse("compare")}"' in text
    assert "Move to trash" not in text


def test_runs_of_the_address_stand_beside_the_run(client, world):
    client.force_login(world.bob)
    url = reverse("run", args=[world.winner.public_id])

    answer = client.get(url, {"with": f"{world.running.number},{world.failed.number},99,x"})

    overlay = answer.context["overlay"]
    assert [side.run for side in overlay.others] == [world.running, world.failed]
    assert overlay.problem == "This sweep has no run x, 99."
    assert answer.context["page"]["live"] is True
    assert overlay.lines[0]["y"] == [0.4, 0.45]
    lr = next(row for row in overlay.rows if row.name == "lr")
    assert [exact for _, exact, _ in lr.cells] == ["1e-05", "0.4", "0.3"]
    assert "Compared runs" in answer.content.decode()
    assert client.get(url).context["overlay"] is None


def test_more_than_eight_runs_are_cut_with_a_sentence(client, world):
    client.force_login(world.bob)
    url = reverse("run", args=[world.winner.public_id])

    overlay = client.get(url, {"with": ",".join(map(str, range(1, 12)))}).context["overlay"]

    assert "11 runs are too many to tell apart: the first 7 are shown." in overlay.problem
