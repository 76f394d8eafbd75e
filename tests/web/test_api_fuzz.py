"""A short form of `make fuzz`: examples of the document, made-up requests, sequences of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fuzz_api import Tally, fuzz, served
from tests.fuzz_world import FuzzWorld

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_answer_is_as_documented(tmp_path: Path, settings: Any) -> None:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    settings.STUDIO_RATE_LIMIT = settings.STUDIO_RATE_LIMIT_STRANGERS = 0
    world, tally = FuzzWorld(tmp_path / "runs"), Tally()

    with served() as url:
        fuzz(
            url,
            world.tokens["write"],
            1,
            seed=1,
            world=world,
            tally=tally,
            # Thousands of requests, which only `make fuzz` sends.
            phases={"coverage": {"enabled": False}},
        )

    assert "\n".join(tally.failures.values()) == ""
    assert tally.errors == []
    assert set(tally.cases) >= {"examples", "fuzzing", "stateful"}, tally.cases
    assert {200, 201, 404, 422} <= set(tally.statuses)
    assert max(tally.statuses) < 500
