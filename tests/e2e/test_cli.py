"""The command `studio` against a real studio: exit codes, what goes to stdout, what to stderr."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import last_json, run_studio, shell_in, spec_text, submitted, with_sweep
from tests.servers import LiveStudio, clean_environment

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_sweep(tmp_path)


@pytest.fixture
def studio(live_studio: LiveStudio, folder: Path) -> Any:
    return shell_in(folder, live_studio.environment)


def test_submit_waits_for_the_end_and_says_it_as_json(studio: Any, live_studio: Any) -> None:
    done = studio("submit", "sweep.yaml", "--wait", "--json")

    assert (done.returncode, done.stderr) == (0, "")
    sweep = last_json(done)
    assert set(sweep) == {"id", "status", "reason", "url", "counts", "best_run"}
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 2})
    assert sweep["reason"]
    assert sweep["url"] == f"{live_studio.url}/sweeps/{sweep['id']}/"
    assert sweep["best_run"] == {
        "id": f"{sweep['id']}_1",
        "value": 6.0,
        "hyperparameters": {"x": 2},
        "arguments": ["--x", "2"],
    }


def test_reading_commands_agree_about_a_finished_sweep(studio: Any) -> None:
    done = studio("submit", "sweep.yaml", "--wait")
    assert done.returncode == 0, done.stderr
    sweep_id, page = done.stdout.splitlines()[:2]
    assert page.endswith(f"/sweeps/{sweep_id}/")

    shown = last_json(studio("show", sweep_id, "--json"))
    runs = last_json(studio("runs", sweep_id, "--json"))
    best = last_json(studio("best", sweep_id, "--json"))
    listed = last_json(studio("list", "--json"))

    assert shown["best_run"] == best
    assert [run["number"] for run in runs] == [0, 1]
    assert set(runs[0]) == {
        "id",
        "number",
        "status",
        "reason",
        "end_reason",
        "hyperparameters",
        "arguments",
        "best",
        "reports",
        "retry_of",
        "created",
        "started",
        "ended",
    }
    assert runs[1]["best"] == {"value": 6.0, "interval": 3, "step": None}
    assert sweep_id in [sweep["id"] for sweep in listed]
    assert f"{sweep_id}_1" in studio("best", sweep_id).stdout
    assert "Completed" in studio("show", sweep_id).stdout
    assert len(studio("runs", sweep_id).stdout.splitlines()) == 2
    chosen = last_json(studio("runs", sweep_id, "--filter", "number>0 status:ended", "--json"))
    assert [run["number"] for run in chosen] == [1]
    refused = studio("runs", sweep_id, "--filter", "numbr>0")
    assert (refused.returncode, "Did you mean number?" in refused.stderr) == (2, True)
    log = studio("logs", f"{sweep_id}_1")
    assert (log.stdout, log.stderr) == ("x is 2.0\n", "")
    assert last_json(studio("logs", f"{sweep_id}_0", "--json"))["text"] == "x is 1.0\n"
    assert "Sweep: Running" in studio("logs", sweep_id).stdout


def test_failed_sweep_is_exit_code_1(studio: Any, folder: Path) -> None:
    (folder / "sweep.yaml").write_text(spec_text(arguments=["--exit", 3]))

    done = studio("submit", "sweep.yaml", "--wait", "--json")

    assert done.returncode == 1
    sweep = last_json(done)
    assert (sweep["status"], sweep["counts"]) == ("Failed", {"Failed": 2})
    assert "Exit code 3" in sweep["reason"]


def test_canceled_sweep_is_exit_code_1(studio: Any, folder: Path, live_studio: Any) -> None:
    (folder / "sweep.yaml").write_text(spec_text(arguments=["--seconds", 60]))
    waiting = subprocess.Popen(
        [sys.executable, "-m", "studio.cli", "submit", "sweep.yaml", "--wait"],
        env=live_studio.environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert waiting.stdout is not None
    sweep_id = waiting.stdout.readline().strip()

    canceled = studio("cancel", sweep_id)
    rest, _ = waiting.communicate(timeout=60)

    assert canceled.returncode == 0, canceled.stderr
    assert waiting.returncode == 1
    assert "Canceled" in rest


def test_one_run_is_canceled_by_its_id(studio: Any, folder: Path, live_studio: Any) -> None:
    sweep_id = submitted(studio, folder, arguments=["--seconds", 60])
    deadline = time.monotonic() + 30
    while not last_json(studio("runs", sweep_id, "--json")):
        assert time.monotonic() < deadline

    done = studio("cancel", f"{sweep_id}_0", "--json")

    assert last_json(done)["status"] in {"CancelRequested", "Canceled"}
    studio("cancel", sweep_id)
    assert live_studio.wait_for_end(sweep_id)["status"] == "Canceled"


def test_sweep_is_paused_and_resumed(studio: Any, folder: Path, live_studio: Any) -> None:
    go = folder / "go"
    (folder / "train.py").write_text(
        "import pathlib, time\n"
        f"while not pathlib.Path({str(go)!r}).exists():\n"
        "    time.sleep(0.1)\n"
    )
    sweep_id = submitted(studio, folder, max_concurrent_runs=1)
    deadline = time.monotonic() + 30
    while not last_json(studio("runs", sweep_id, "--json")):
        assert time.monotonic() < deadline

    paused = studio("pause", sweep_id, "--json")
    resumed = studio("resume", sweep_id)
    go.touch()

    assert last_json(paused) == {"id": sweep_id, "status": "Paused"}
    assert resumed.stdout == f"{sweep_id}: Running\n"
    sweep = live_studio.wait_for_end(sweep_id)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 2})
    refused = studio("pause", sweep_id)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "The sweep is completed, so it cannot be paused.\n"


def test_failed_runs_are_repeated_after_the_end(
    studio: Any, folder: Path, live_studio: Any
) -> None:
    # Fails at the first try of every value, because nothing marks it yet.
    (folder / "train.py").write_text(
        "import pathlib, sys\n"
        f"mark = pathlib.Path({str(folder)!r}) / ('tried' + sys.argv[-1])\n"
        "if not mark.exists():\n"
        "    mark.touch()\n"
        "    sys.exit(4)\n"
    )
    sweep_id = submitted(studio, folder)
    assert live_studio.wait_for_end(sweep_id)["status"] == "Failed"

    first = studio("retry", f"{sweep_id}_1", "--json")
    again = studio("retry", f"{sweep_id}_1")
    others = studio("retry", sweep_id)

    assert [run["retry_of"] for run in last_json(first)] == [f"{sweep_id}_1"]
    assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)
    assert others.stdout == f"{sweep_id}_3: repeats {sweep_id}_0\n"
    sweep = live_studio.wait_for_end(sweep_id)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Failed": 2, "Completed": 2})
    none = studio("retry", sweep_id)
    assert (none.returncode, none.stdout) == (0, "")
    assert "No failed run" in none.stderr


def test_failures_in_a_row_pause_and_a_used_up_space_ends(
    studio: Any, folder: Path, live_studio: Any
) -> None:
    sweep_id = submitted(
        studio,
        folder,
        arguments=["--exit", 3],
        search_space={"x": "choice(1, 2, 3)"},
        max_total_runs=9,
        max_concurrent_runs=1,
        max_failed_runs=2,
    )
    deadline = time.monotonic() + 60
    while (shown := last_json(studio("show", sweep_id, "--json")))["status"] != "Paused":
        assert time.monotonic() < deadline, shown

    assert shown["reason"].startswith("The last 2 runs failed in a row (max_failed_runs is 2)")
    assert shown["counts"] == {"Failed": 2}
    assert studio("resume", sweep_id).returncode == 0
    assert live_studio.wait_for_end(sweep_id)["counts"] == {"Failed": 3}

    done = studio("submit", "sweep.yaml", "--wait", "--json")
    assert last_json(done)["reason"].startswith("All 2 runs ended.")
    (folder / "sweep.yaml").write_text(spec_text(max_total_runs=9))
    used_up = last_json(studio("submit", "sweep.yaml", "--wait", "--json"))
    assert used_up["status"] == "Completed"
    assert used_up["reason"].startswith("The search space has only 2 configurations")


def test_log_is_followed_to_the_end(studio: Any, folder: Path) -> None:
    (folder / "train.py").write_text(
        "import time\nfor i in range(4):\n    print('line', i, flush=True)\n    time.sleep(0.5)\n"
    )
    sweep_id = submitted(studio, folder)
    deadline = time.monotonic() + 30
    while not last_json(studio("runs", sweep_id, "--json")):
        assert time.monotonic() < deadline

    done = studio("logs", "-f", f"{sweep_id}_0")

    assert done.stdout == "line 0\nline 1\nline 2\nline 3\n"


@pytest.mark.parametrize(
    "words", [["show"], ["runs"], ["best"], ["logs"], ["cancel"], ["pause"], ["resume"], ["retry"]]
)
def test_unknown_sweep_is_exit_code_1(studio: Any, words: list[str]) -> None:
    done = studio(*words, "HD_none")

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1


def test_another_machine_uses_address_and_token(studio: Any, live_studio: Any) -> None:
    made = studio("token", "create", "elsewhere", "--scope", "read", "--expires", "1d")
    token = made.stdout.strip()
    environment = clean_environment(
        STUDIO_HOME="/nowhere", STUDIO_URL=live_studio.url, STUDIO_TOKEN=token
    )

    listed = run_studio(environment, "list", "--json")

    assert made.returncode == 0, made.stderr
    assert len(made.stdout.splitlines()) == 1
    assert listed.returncode == 0, listed.stderr
    assert token not in studio("token", "list").stdout


def test_read_token_submits_nothing_and_revoked_one_reads_nothing(studio: Any) -> None:
    token = studio("token", "create", "weak", "--scope", "read").stdout.strip()

    refused = studio("submit", "sweep.yaml", STUDIO_TOKEN=token)
    revoked = studio("token", "revoke", "weak")
    unknown = studio("list", STUDIO_TOKEN=token)

    assert (refused.returncode, revoked.returncode, unknown.returncode) == (1, 0, 1)
    assert "scope read" in refused.stderr
    assert "unknown, expired or revoked" in unknown.stderr


def test_compute_lists_the_local_workers(studio: Any) -> None:
    deadline = time.monotonic() + 90
    (local,) = last_json(studio("compute", "--json"))
    while local["slots"] < 2:  # they start after the page
        assert time.monotonic() < deadline
        (local,) = last_json(studio("compute", "--json"))

    assert (local["name"], local["slots"], len(local["workers"])) == ("local", 2, 2)
    assert studio("compute").stdout.startswith("local\t")


def test_compute_is_set_and_tested(studio: Any) -> None:
    done = studio("compute", "set", "local", "--labels", "gpu=a100, spot", "--env", "PATH=/bin")
    assert (done.returncode, done.stdout) == (0, "local: python of its workers, variables PATH\n")
    assert done.stderr.startswith("PATH is set for every run")
    assert studio("compute", "--label", "gpu=a100").stdout.rstrip().endswith("gpu=a100 spot")
    assert studio("compute", "--label", "gpu=h100").stdout == ""

    wrong = studio("compute", "set", "local", "--python", "bin/python")
    assert wrong.returncode == 2
    assert wrong.stderr.startswith('python: python is "bin/python"; use an absolute path')
    studio("compute", "set", "local", "--python", "/opt/none/python", "--unset", "PATH")
    tested = studio("compute", "test", "local")
    assert tested.returncode == 1
    assert tested.stdout.count("/opt/none/python does not exist there") == 2
    studio("compute", "set", "local", "--python", "", "--labels", "")
    tested = studio("compute", "test", "local")
    assert (tested.returncode, tested.stdout.count("\tPython 3.")) == (0, 2)


def test_doctor_finds_a_running_studio_well(studio: Any) -> None:
    done = studio("doctor", "--json")

    findings = last_json(done)
    assert [f for f in findings if not f["ok"]] == []
    assert done.returncode == 0
    names = {"Python", "Packages", "Database", "Redis", "Web server", "Workers", "Static files"}
    assert names <= {finding["name"] for finding in findings}


def test_doctor_names_a_cure_for_a_studio_that_does_not_run(tmp_path: Path) -> None:
    done = run_studio(clean_environment(STUDIO_HOME=str(tmp_path)), "doctor")

    assert done.returncode == 1
    problems = {
        line.split()[1].rstrip(":") for line in done.stdout.splitlines() if "problem" in line
    }
    assert {"Redis", "Web", "Workers", "Static"} <= problems
    assert "studio up" in done.stdout


def test_help_names_every_command_without_loading_django(tmp_path: Path) -> None:
    code = (
        "import sys; from studio.cli import studio;\n"
        "try: studio(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('django', 'numpy', 'rich', 'pydantic') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout

    assert done.splitlines()[-1] == "[]"
    for name in ("up", "worker", "submit", "list", "show", "runs", "best", "logs", "cancel"):
        assert f"\n  {name} " in done
