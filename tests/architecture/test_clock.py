"""Services read the time in one place, so that simulated sweeps live on their own clock."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVICES = sorted((ROOT / "experiments" / "services").rglob("*.py"))
MODELS = sorted((ROOT / "experiments" / "models").glob("*.py"))
OTHER_CLOCKS = re.compile(r"timezone\.now|datetime\.now|datetime\.utcnow")
# Rows of sweeps; others (tokens, members, targets) are of real life whatever is simulated.
STAMPED = {"decision.py", "event.py", "run.py", "sweep.py"}


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_service_asks_the_studios_own_clock(path):
    assert OTHER_CLOCKS.findall(path.read_text()) == []


@pytest.mark.parametrize("path", [p for p in MODELS if p.name in STAMPED], ids=lambda p: p.name)
def test_rows_of_sweeps_are_stamped_by_it(path):
    text = path.read_text()

    assert "default=clock.now" in text
    assert "auto_now" not in text
