"""`studio submit`: wrong specifications, files that are sent, a studio that is away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import last_json, run_studio, shell_in, spec_text, submitted, with_sweep
from tests.servers import LiveStudio, clean_environment, free_port

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_sweep(tmp_path)


@pytest.fixture
def studio(live_studio: LiveStudio, folder: Path) -> Any:
    return shell_in(folder, live_studio.environment)


WRONG = spec_text(
    script="tarin.py", max_total_runs=0, compute="nowhere", search_space={"x": "choise(1)"}, kolor=1
)
WRONG_PATHS = ["compute", "kolor", "max_total_runs", "script", "search_space.x"]


def test_wrong_specification_lists_every_problem_as_json(
    studio: Any, folder: Path, live_studio: Any
) -> None:
    (folder / "sweep.yaml").write_text(WRONG)
    before = live_studio.api("/sweeps?limit=1")["items"][:1]

    done = studio("submit", "sweep.yaml", "--json")

    assert (done.returncode, done.stderr) == (2, "")
    errors = last_json(done)["errors"]
    assert sorted(error["path"] for error in errors) == WRONG_PATHS
    assert all(set(error) == {"path", "message"} for error in errors)
    assert live_studio.api("/sweeps?limit=1")["items"][:1] == before


def test_wrong_specification_is_one_line_per_problem_on_stderr(studio: Any, folder: Path) -> None:
    (folder / "sweep.yaml").write_text(WRONG)

    done = studio("submit", "sweep.yaml")

    assert (done.returncode, done.stdout) == (2, "")
    assert sorted(line.split(": ")[0] for line in done.stderr.splitlines()) == WRONG_PATHS


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"compute": "nowhere"}, "compute"),
        ({"script": "other.py"}, "script"),
        ({"source_directory": "missing"}, "source_directory"),
        ({"source_directory": "~nobody-here"}, "source_directory"),
    ],
)
def test_single_mistake_is_named(
    studio: Any, folder: Path, changes: dict[str, Any], path: str
) -> None:
    (folder / "sweep.yaml").write_text(spec_text(**changes))

    done = studio("submit", "sweep.yaml", "--json")

    assert done.returncode == 2
    assert [error["path"] for error in last_json(done)["errors"]] == [path]


def test_file_that_is_no_yaml_names_its_line(studio: Any, folder: Path) -> None:
    (folder / "sweep.yaml").write_text("name: x\nscript: [\n")

    done = studio("submit", "sweep.yaml")

    assert done.returncode == 2
    assert done.stderr.startswith("line 3, column 1: ")


def test_specification_is_found_from_another_folder(studio: Any, folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (inner / "sweep.yaml").write_text(spec_text(source_directory=".."))

    assert studio("submit", inner / "sweep.yaml").returncode == 0


def test_warnings_go_to_stderr(studio: Any, folder: Path) -> None:
    (folder / "sweep.yaml").write_text(spec_text(max_total_runs=9))

    done = studio("submit", "sweep.yaml", "--json")

    assert done.returncode == 0
    assert done.stderr.startswith("Warning: ")
    assert len(done.stdout.splitlines()) == 1


def test_ignored_files_are_not_sent(studio: Any, folder: Path, live_studio: Any) -> None:
    (folder / ".amlignore").write_text("secret.txt\n*.yaml\n")
    (folder / "secret.txt").write_text("mine")
    (folder / "train.py").write_text("import os\nprint(sorted(os.listdir('.')))\n")

    sweep_id = submitted(studio, folder)
    live_studio.wait_for_end(sweep_id)

    seen = studio("logs", f"{sweep_id}_0").stdout
    assert "train.py" in seen
    assert "secret.txt" not in seen
    assert "own.yaml" not in seen


def test_unreachable_studio_is_exit_code_3(folder: Path, tmp_path: Path) -> None:
    nowhere = clean_environment(STUDIO_HOME=str(tmp_path / "none"))
    away = {**nowhere, "STUDIO_URL": f"http://127.0.0.1:{free_port()}", "STUDIO_TOKEN": "t"}

    for environment in (nowhere, away):
        for words in (["submit", "sweep.yaml"], ["list"], ["show", "x", "--json"]):
            done = run_studio(environment, *words, cwd=folder)
            assert (done.returncode, done.stdout) == (3, ""), words
            assert "studio up" in done.stderr


def test_wrong_specification_is_refused_without_a_studio(folder: Path, tmp_path: Path) -> None:
    (folder / "sweep.yaml").write_text(WRONG)

    done = run_studio(
        clean_environment(STUDIO_HOME=str(tmp_path / "none")), "submit", "sweep.yaml", cwd=folder
    )

    assert done.returncode == 2
    assert sorted(line.split(": ")[0] for line in done.stderr.splitlines()) == WRONG_PATHS[1:]
