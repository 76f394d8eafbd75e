"""The Makefile on machines that lack something."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT, clean_environment

pytestmark = pytest.mark.slow


@pytest.fixture
def programs(tmp_path) -> Path:
    """A folder with the shell's tools and no Python: the only one on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "make", "touch", "mkdir", "awk"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def add_program(folder: Path, name: str, text: str) -> None:
    """Put a shell script on the PATH of the test."""
    path = folder / name
    path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
    path.chmod(0o755)


def make(programs: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run make with nothing but these programs."""
    return subprocess.run(
        [str(programs / "make"), *words],
        cwd=ROOT,
        env=clean_environment(PATH=str(programs)),
        capture_output=True,
        text=True,
        check=False,
    )


def test_machine_without_a_python_hears_which_one_is_needed(programs, tmp_path):
    # As a version manager's shim: there, and failing.
    add_program(programs, "python3.13", "echo 'python3.13: command not found' >&2; exit 127")
    add_program(programs, "python3", "exit 1")

    done = make(programs, "-s", f"VENV={tmp_path}/venv", f"{tmp_path}/venv/bin/python")

    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "Python 3.11 or newer is needed and was not found on PATH."
    )
    assert not (tmp_path / "venv").exists()


def test_machine_without_venv_hears_which_package_is_missing(programs, tmp_path):
    real = sys.executable
    add_program(programs, "python3.12", "exit 127")
    add_program(programs, "python3", f'case "$2" in *ensurepip*) exit 1;; esac; exec {real} "$@"')

    done = make(programs, "-s", f"VENV={tmp_path}/venv", f"{tmp_path}/venv/bin/python")

    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "Python's venv module is missing: install the package python3-venv and try again."
    )
    assert not (tmp_path / "venv").exists()


def test_help_names_every_target(programs):
    done = make(programs, "help")

    assert done.returncode == 0
    names = [line.split()[1] for line in done.stdout.splitlines()]
    measures = ["bench", "load", "crowd", "bench-search", "chaos", "fuzz", "pictures"]
    built = ["dist", "sbom"]
    assert names == ["up", "test", "test-all", "lint", "fmt", *measures, *built, "lock", "help"]
