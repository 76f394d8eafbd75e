"""Bayesian sampling in the form: what its cards say, and the buttons that lead out of a refusal."""

from __future__ import annotations

import pytest

from experiments.forms.quick_fixes import apply_fix, quick_fixes
from experiments.forms.sampler_cards import sampler_cards
from experiments.forms.sweep_fields import fields_from_post
from tests.factories import make_compute, make_user, make_workspace

URL = "/sweeps/new/"


def posted(**changes: str) -> dict[str, str]:
    return {
        "name": "tried",
        "experiment": "tried",
        "code": "snapshot",
        "entry": "script",
        "script": "train.py",
        "search_space-0-name": "rate",
        "search_space-0-type": "uniform",
        "search_space-0-min_value": "0",
        "search_space-0-max_value": "1",
        "search_space-1-name": "units",
        "search_space-1-type": "choice",
        "search_space-1-values": "16, 32",
        "sampling": "bayesian",
        "metric": "accuracy",
        "goal": "maximize",
        "policy": "none",
        "max_total_runs": "60",
        "max_concurrent_runs": "4",
        "compute": "local",
        **changes,
    }


def fits(**changes: str) -> dict[str, tuple[str, bool]]:
    cards = sampler_cards(fields_from_post(posted(**changes)))
    return {card.name: (card.fit_text, card.is_fit) for card in cards}


def fixes(**changes: str) -> list[tuple[str, str, str]]:
    found = quick_fixes(fields_from_post(posted(**changes)))
    return [(fix.place, fix.posted, fix.label) for fix in found]


EXTENDED = ("sampling=bayesian_extended", "Use Bayesian extended")
BANDIT = {"policy": "bandit", "policy-bandit-slack_factor": "0.1"}
LOG = {
    "search_space-0-type": "loguniform",
    "search_space-0-min_value": "-6",
    "search_space-0-max_value": "-1",
}


def test_space_that_fits_needs_no_change():
    assert fits()["bayesian"] == ("Every parameter fits", True)
    assert fits()["bayesian_extended"] == ("All distributions", True)
    assert fixes() == []


def test_distribution_that_it_cannot_take_is_named():
    found = fits(**LOG)

    assert found["bayesian"] == ("Only choice, quniform, uniform. Change rate", False)
    assert found["bayesian_extended"] == ("All distributions", True)
    assert fixes(**LOG) == [("sampling", *EXTENDED)]


@pytest.mark.parametrize("values", ["16, auto", "true, false"])
def test_values_that_it_cannot_take_are_named(values):
    changes = {"search_space-1-values": values}

    assert fits(**changes)["bayesian"] == ("Change the values of units", False)
    assert fixes(**changes) == [("sampling", *EXTENDED)]


def test_row_that_is_wrong_itself_is_no_matter_of_the_method():
    assert fits(**{"search_space-0-max_value": "-5"})["bayesian"][1]


def test_policy_is_refused_with_two_ways_out():
    assert fits(**BANDIT)["bayesian"] == ("Not together with early termination", False)
    assert fits(**BANDIT)["random"] == ("All distributions", True)
    assert fixes(**BANDIT) == [
        ("policy", "policy=none", "Remove the policy"),
        ("policy", *EXTENDED),
    ]
    assert fixes(**BANDIT, sampling="random") == []
    assert fixes(**BANDIT, sampling="bayesian_extended") == []


@pytest.mark.parametrize("button", ["policy=none", "sampling=bayesian_extended"])
def test_each_way_out_leads_out(button):
    fields = apply_fix(fields_from_post(posted(**BANDIT)), button)

    assert fields is not None
    assert quick_fixes(fields) == []
    assert fields.get("metric") == "accuracy"


@pytest.mark.parametrize("button", ["", "name=x", "policy", "policy=bandit", "sampling=random"])
def test_other_changes_are_no_matter_of_these_buttons(button):
    assert apply_fix(fields_from_post(posted(**BANDIT)), button) is None


@pytest.mark.django_db
def test_page_offers_the_buttons_and_does_what_they_say_without_scripts(client):
    user = make_user()
    make_workspace(user)
    make_compute()
    client.force_login(user)

    refused = client.post(URL, posted(**BANDIT))
    page = refused.content.decode()
    assert refused.status_code == 422
    assert "Bayesian sampling needs every run to end by itself" in page
    assert 'name="fix" value="policy=none">Remove the policy</button>' in page
    assert page.count("Bayesian sampling takes no early termination:") == 1

    page = client.post(URL, posted(**BANDIT) | {"fix": "policy=none"}).content.decode()
    assert 'name="policy" value="none" checked' in page
    assert 'value="policy=none">' not in page


@pytest.mark.django_db
def test_check_tells_the_browser_fits_fixes_and_advice(client):
    user = make_user()
    make_workspace(user)
    make_compute()
    client.force_login(user)

    found = client.post(
        f"{URL}check/", posted(**BANDIT, max_concurrent_runs="30", max_total_runs="39")
    ).json()

    fitting = {fit["name"]: fit["is_fit"] for fit in found["fits"]}
    assert fitting == {
        "random": True, "sobol": True, "grid": False, "bayesian": False, "bayesian_extended": True,
    }  # fmt: skip
    assert found["fixes"][0] == {
        "place": "policy", "field": "policy", "value": "none", "label": "Remove the policy",
        "reason": "Bayesian sampling takes no early termination:",
    }  # fmt: skip
