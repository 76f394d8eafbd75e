"""`manage.py studio_simulate`: generated and recorded curves, marked as what they are."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone

from experiments import queries
from experiments.models import Run, Sweep
from experiments.services.setup import ensure_defaults, first_administrator
from experiments.services.submission import compute_names

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    """Snapshots go to a folder of the test."""
    settings.STUDIO_STORAGE_ROOT = tmp_path
    ensure_defaults()


def simulate(**options) -> Sweep:
    """Load a sweep by the command; return it."""
    out = StringIO()
    call_command("studio_simulate", stdout=out, **options)
    return Sweep.objects.get(public_id=out.getvalue().split()[0])


def test_a_generated_sweep_is_whole_tagged_and_not_of_the_future():
    sweep = simulate(runs=12, reports=20, concurrency=4, policy="median_stopping", seed=5)

    runs = list(Run.objects.filter(sweep=sweep))
    assert (sweep.state, len(runs)) == ("Completed", 12)
    assert sweep.tags == {"simulated": "true"}
    assert sweep.compute.kind == "simulated"
    assert not sweep.compute.is_enabled
    assert all(run.ended_at < timezone.now() for run in runs)
    stopped = [run for run in runs if run.end_reason == "policy"]
    assert 0 < len(stopped) < 12
    assert {run.reports for run in runs if run not in stopped} == {20}


def test_the_same_seed_gives_the_same_sweep():
    one, other = (simulate(runs=6, reports=10, fail=0.3, seed=2) for _ in range(2))

    def shape(sweep):
        rows = Run.objects.filter(sweep=sweep).order_by("number")
        return list(rows.values_list("params", "best_value", "state", "reports"))

    assert shape(one) == shape(other)
    assert {state for _, _, state, _ in shape(one)} == {"Completed", "Failed"}


def test_recorded_curves_are_replayed_under_another_policy():
    recorded = simulate(runs=15, reports=12, concurrency=5, seed=1)

    again = simulate(like=recorded.public_id, policy="bandit", flush=1)

    assert again.sampled == 15
    stopped = set(
        Run.objects.filter(sweep=again, end_reason="policy").values_list("number", flat=True)
    )
    assert 0 < len(stopped) < 15
    old = queries.curves_of(recorded, "accuracy", limit=1000)
    for number, curve in queries.curves_of(again, "accuracy", limit=1000).items():
        assert curve.values.tolist() == old[number].values[: curve.values.size].tolist()
        assert (curve.values.size < 12) == (number in stopped)


def test_pages_of_a_simulated_sweep_work_and_its_target_takes_no_others(client):
    sweep = simulate(runs=5, reports=5, fail=0.4)
    client.force_login(first_administrator())
    run = Run.objects.get(sweep=sweep, number=0)

    for address in (sweep.get_absolute_url(), run.get_absolute_url(), reverse("compute")):
        assert client.get(address).status_code == 200, address
    assert compute_names(queries.current_workspace(first_administrator())) == ["local"]


def test_nothing_is_left_of_a_simulation_that_cannot_go_on():
    recorded = simulate(runs=6, reports=5, seed=1)
    Run.objects.get(sweep=recorded, number=4).delete()

    with pytest.raises(CommandError, match="simulated sweep has no curve for run 4"):
        simulate(like=recorded.public_id)

    assert list(Sweep.objects.all()) == [recorded]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"runs": 0}, "--runs is 0"),
        ({"concurrency": 101}, "--concurrency is 101"),
        ({"fail": 1.5}, "--fail is 1.5"),
        ({"flush": 0}, "--flush is 0"),
        ({"like": "HD_none"}, "no sweep HD_none"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(options, text):
    with pytest.raises(CommandError, match=text):
        simulate(**options)
    assert not Sweep.objects.exists()
