"""The new-sweep form within a region of an earlier sweep's search space."""

import json
import re
from urllib.parse import urlencode

import pytest
from django.urls import reverse

from experiments.services.sweeps import cancel_sweep
from tests.factories import make_sweep, make_user, make_workspace

pytestmark = pytest.mark.django_db
SPACE = {"lr": "loguniform(-9, 0)", "layers": "choice(1, 2, 4)", "width": "uniform(0, 8)"}


@pytest.fixture
def sweep(client):
    alice = make_user("alice")
    sweep = make_sweep(owner=alice, search_space=SPACE)
    client.force_login(alice)
    cancel_sweep(sweep, user=alice)
    return sweep


def within(sweep, kept):
    keep = kept if isinstance(kept, str) else json.dumps(kept)
    return f"{reverse('sweep_new')}?{urlencode({'within': sweep.public_id, 'keep': keep})}"


def test_region_fills_the_form_and_goes_on_from_the_sweep(client, sweep):
    form = client.get(within(sweep, {"lr": [0.001, None], "layers": [4, 1]})).content.decode()

    assert "within a region of its search space: lr from 0.001, layers 4, 1." in form
    assert 'value="-6.90776"' in form
    assert 'value="1, 4"' in form
    assert re.search(rf'name="resume_from"[^>]*>\s*{sweep.public_id}', form)


@pytest.mark.parametrize(
    "kept",
    [
        "", "nonsense", "[]", "{}", {"gone": [0, 1]}, {"lr": [0.1]}, {"lr": "a"},
        {"lr": ["a", None]}, {"lr": [None, None]}, {"layers": ["x"]}, {"width": [float("nan"), 2]},
    ],
)  # fmt: skip
def test_region_that_changes_nothing_is_not_found(client, sweep, kept):
    assert client.get(within(sweep, kept)).status_code == 404


def test_region_of_another_workspace_is_not_found(client, sweep):
    bob = make_user("bob")
    make_workspace(bob, name="Others")
    client.force_login(bob)

    assert client.get(within(sweep, {"lr": [0.001, 0.1]})).status_code == 404
