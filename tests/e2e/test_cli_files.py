"""The pages about the command line and files work as they stand; Tab in a real bash."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from tests.e2e.command import last_json, run_studio
from tests.servers import ROOT, LiveStudio

pytestmark = pytest.mark.slow


def bash(script: str, studio: LiveStudio, folder: Path) -> str:
    """Run a script where `studio` and `python` are those of the tests; return what it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**studio.environment, "PATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def snippets(page: str) -> str:
    text = (ROOT / "docs" / "reference" / page).read_text()
    return "\n".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL))


def test_page_about_files_works_as_it_stands(live_studio: LiveStudio, tmp_path: Path) -> None:
    printed = bash(snippets("import-export.md"), live_studio, tmp_path)

    reports = pyarrow.parquet.read_table(tmp_path / "reports.parquet")
    assert reports["value"].to_pylist()[:4] == [2.25, 2.25 / 2, 2.25 / 3, 2.25 / 4]
    runs = list(csv.DictReader((tmp_path / "runs.csv").read_text().splitlines()))
    assert [(row["run"], row["x"], row["status"]) for row in runs] == [
        ("0", "0.5", "Completed"), ("1", "1.5", "Completed"), ("2", "2.5", "Completed"),
    ]  # fmt: skip
    assert len(json.loads((tmp_path / "best.json").read_text())["runs"]) == 3
    ids = re.findall(r"^HD_\S+$", printed, re.MULTILINE)
    sweeps = [live_studio.api(f"/sweeps/{found}") for found in ids]
    assert [(s["name"], s["metric"], sum(s["counts"].values())) for s in sweeps] == [
        ("trials", "accuracy", 3),
        ("steps", "loss", 2),
        ("parabola", "loss", 3),
        ("digits", "loss", 5),
        ("digits", "loss", 2),
        ("wandb", "val_acc", 2),
    ]
    again = run_studio(
        live_studio.environment,
        "export",
        ids[2],
        "--format",
        "json",
        "-o",
        "copy.json",
        cwd=tmp_path,
    )
    assert (again.returncode, again.stdout) == (0, "")
    ours, copy = (json.loads((tmp_path / name).read_text()) for name in ("sweep.json", "copy.json"))
    assert ours["runs"] == copy["runs"]
    assert ours["sweep"] == copy["sweep"]
    # A new sweep goes on from one that was imported.
    goes_on = json.loads((tmp_path / "sweep.json").read_text())["sweep"]["spec"]
    (tmp_path / "on.yaml").write_text(
        json.dumps(
            {**goes_on, "sampling": "bayesian", "resume_from": [ids[2]], "source_directory": "."}
        )
    )
    done = run_studio(
        live_studio.environment, "submit", "on.yaml", "--wait", "--json", cwd=tmp_path
    )
    assert (last_json(done)["status"], done.returncode) == ("Completed", 0), done.stderr


def test_page_about_the_command_line_works_as_it_stands(
    live_studio: LiveStudio, tmp_path: Path
) -> None:
    printed = bash(snippets("cli.md"), live_studio, tmp_path)

    assert "studio submit [OPTIONS] SPECIFICATION" in printed
    assert json.loads((tmp_path / "sweep.json").read_text())["status"] == "Completed"
    assert (tmp_path / "runs.csv").read_text().startswith("run,status,score,at_interval,x,")


def test_tab_completes_commands_ids_and_targets(live_studio: LiveStudio, tmp_path: Path) -> None:
    (tmp_path / "tab.csv").write_text("lr,acc\n0.1,1\n0.2,2\n")
    words = ("tab.csv", "--metric", "acc", "--goal", "maximize", "--again", "--json")
    made = run_studio(live_studio.environment, "import", "csv", *words, cwd=tmp_path)
    sweep = last_json(made)["sweep"]["id"]

    def tab(*words: str) -> list[str]:
        given = " ".join(f"'{word}'" for word in words)
        script = f"""
        eval "$(studio completion bash)"
        COMP_WORDS=({given}); COMP_CWORD={len(words) - 1}; COMPREPLY=()
        _studio_completion studio
        printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        return bash(script, live_studio, tmp_path).split()

    def once_answered(*words: str) -> list[str]:
        # Tab waits a second for the studio, which may be busy with other tests.
        deadline = time.monotonic() + 120
        while not (found := tab(*words)) and time.monotonic() < deadline:
            pass
        return found

    assert tab("studio", "re") == ["resume", "retry"]
    assert "--filter" in tab("studio", "export", "--")
    assert sweep in once_answered("studio", "show", "HD_")
    assert once_answered("studio", "logs", f"{sweep}_") == [f"{sweep}_0", f"{sweep}_1"]
    assert once_answered("studio", "compute", "test", "lo") == ["local"]


def test_wrong_sources_are_exit_code_2_with_every_problem(
    live_studio: LiveStudio, tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text("lr,acc\n0.1,high\n0.2\n")

    def run(*words: str, **extra: str) -> Any:
        return run_studio({**live_studio.environment, **extra}, *words, cwd=tmp_path)

    words = ("import", "csv", "bad.csv", "--metric", "acc", "--goal", "maximize")
    wrong = run(*words)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.splitlines() == [
        'line 2, column acc: acc is "high" and no number; use a number, NaN, Infinity or nothing.',
        "line 3: The line has 1 cells and the header 2.",
    ]
    assert [e["path"] for e in last_json(run(*words, "--json"))["errors"]] == [
        "line 2, column acc",
        "line 3",
    ]
    (tmp_path / "good.csv").write_text("l r,acc\n0.1,1\n")
    refused = run("import", "csv", "good.csv", "--metric", "acc", "--goal", "maximize")
    assert (refused.returncode, "search_space" in refused.stderr) == (2, True)
    assert run("export", "HD_none").returncode == 1
    away = run("import", "json", "bad.csv", STUDIO_URL="http://127.0.0.1:9", STUDIO_TOKEN="x")
    assert away.returncode == 2
    (tmp_path / "bad.csv").write_text("lr,acc\n0.1,1\n")
    assert run(*words, STUDIO_URL="http://127.0.0.1:9", STUDIO_TOKEN="x").returncode == 3
