"""The short form of the fault campaign; docs/reference/chaos.md reports on the long one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT, clean_environment

pytestmark = pytest.mark.slow


def test_studio_survives_seven_faults(tmp_path: Path) -> None:
    # A card for which no run comes in time is no failure, but most must strike.
    words = ["--faults", "7", "--seed", "5", "--short", "--report", str(tmp_path / "report.md")]

    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *words],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    report = (tmp_path / "report.md").read_text()
    assert "| configurations completed twice | **0** |" in report
    assert int(report.split()[0]) >= 4
