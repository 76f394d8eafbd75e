"""The units of examples/deploy: systemd takes them, and they start what exists."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from studio.cli import COMMANDS, studio
from tests.servers import ROOT

UNITS = sorted((ROOT / "examples/deploy/systemd").glob("*.service"))


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Return the values of each setting, in order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_is_one_that_systemd_takes(unit, tmp_path):
    sections = [line for line in unit.read_text().splitlines() if line.startswith("[")]
    assert sections == ["[Unit]", "[Service]", "[Install]"]
    program = shutil.which("systemd-analyze")
    if program is None:  # what can be said without systemd was said
        return
    name = unit.name.replace("@.", "@gpu-pool.")
    text = unit.read_text().replace("/opt/sweep-studio/.venv/bin/studio", sys.executable)
    (tmp_path / name).write_text(text)

    done = subprocess.run(
        [program, "verify", "--man=no", str(tmp_path / name)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_unit_starts_a_command_that_exists_and_stops_it_in_order(unit):
    found = settings_of(unit)
    (line,) = found["ExecStart"]
    program, command, *words = shlex.split(line)
    assert program.endswith("/bin/studio")
    assert command in COMMANDS
    words = [word for word in words if word != "$WORKER_OPTIONS"]
    words += shlex.split("--slots=2 --gpus=0,1 --python=/opt/p") if command == "worker" else []
    context = click.Context(studio)
    made = studio.get_command(context, command)
    assert made is not None
    made.make_context(command, words, parent=context)  # wrong options raise

    # They stop their own processes; a script that is out of memory ends alone.
    assert found["KillMode"] == ["mixed"]
    assert found["OOMPolicy"] == ["continue"]
    # What scripts need and sandboxes like to take.
    assert not {"MemoryDenyWriteExecute", "PrivateDevices", "SystemCallFilter"} & found.keys()
    assert (unit.parent / Path(found["EnvironmentFile"][0]).name).exists()
