"""Interpreter and variables of a target and of a machine: what scripts get, what is told of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from experiments.compute_settings import Changes
from experiments.models import ComputeTarget, Run, Worker
from experiments.services.compute import ask_workers, change_target
from runner.interpreter import ask_version
from runner.management.commands.studio_worker import _check_database
from studio.version import VERSION
from tests.factories import make_user
from tests.runner.attempts import log_of, queue, run_to_end, wait_for
from tests.runner.processes import wait_until
from tests.servers import clean_environment

SECRET = "hunter2-of-the-hub"
SHOW = (
    "import os\n"
    "for name in ('WHO', 'PLACE', 'TOKEN', 'RATE', 'WRAPPED', 'STUDIO_WORKER_PYTHON'):\n"
    "    print(name, os.environ.get(name), flush=True)\n"
)


def make_interpreter(folder: Path, name: str) -> str:
    """Return another interpreter: this one, which says so to its scripts."""
    path = folder / name
    path.write_text(f'#!/bin/sh\nWRAPPED={name} exec {sys.executable} "$@"\n')
    path.chmod(0o755)
    return str(path)


def shown(run: Run) -> dict[str, str]:
    lines = log_of(run).splitlines()
    return dict(line.split(" ", 1) for line in lines if " " in line)


@pytest.mark.django_db(transaction=True)
def test_script_runs_with_what_its_target_says(tmp_path, quick):
    run = queue(tmp_path, SHOW, environment={"PLACE": "sweep"})
    python = make_interpreter(tmp_path, "of-target")
    changes = Changes(
        python=python, environment={"WHO": "target", "PLACE": "target"}, secrets={"TOKEN": SECRET}
    )
    change_target(run.sweep.compute, changes, user=make_user("root", is_superuser=True))

    done = run_to_end(run)

    assert done.state == "Completed"
    found = shown(done)
    assert (found["WHO"], found["PLACE"], found["TOKEN"]) == ("target", "sweep", SECRET)
    assert (found["WRAPPED"], done.command[0]) == ("of-target", python)
    # Nothing that is kept about the run holds the secret but what its script printed.
    assert SECRET not in str(Run.objects.filter(pk=run.pk).values().get())
    assert SECRET not in json.dumps(done.sweep.spec)


@pytest.mark.django_db(transaction=True)
def test_machine_has_its_own_interpreter_and_tells_what_it_is(tmp_path, quick, valkey_url, launch):
    run = queue(tmp_path, SHOW)
    target = run.sweep.compute
    ComputeTarget.objects.update(environment={"WHO": "target", "PLACE": "target"})
    python = make_interpreter(tmp_path, "of-machine")
    words = ["-m", "studio.cli", "worker", "--compute", "local", "--python", python]
    launch(valkey_url, *words, "--env", "PLACE=machine", "--env", "RATE=a=b")

    wait_for(run, "Completed", 60)
    found = shown(Run.objects.get(pk=run.pk))
    assert (found["WHO"], found["PLACE"], found["RATE"]) == ("target", "machine", "a=b")
    assert (found["WRAPPED"], found["STUDIO_WORKER_PYTHON"]) == ("of-machine", "None")

    wait_until(lambda: Worker.objects.get().python_version, 40)
    worker = Worker.objects.get()
    assert worker.python_version == f"Python {sys.version.split()[0]}"
    assert (worker.python, worker.is_python_own, worker.version) == (python, True, VERSION)

    Path(python).unlink()
    assert ask_workers(target) == 1
    wait_until(lambda: Worker.objects.get().python_problem, 40)
    assert Worker.objects.get().python_problem == (
        f"{python} does not exist there, or is no program."
    )
    assert Worker.objects.get().python_asked_at == ComputeTarget.objects.get().asked_at


@pytest.mark.django_db(transaction=True)
def test_worker_that_was_forgotten_tells_again_that_it_is_there(
    tmp_path, quick, valkey_url, launch
):
    queue(tmp_path, "pass")
    launch(valkey_url, "-m", "django", "studio_worker", "--compute", "local")
    wait_until(lambda: Worker.objects.exists(), 60)

    Worker.objects.all().delete()

    wait_until(lambda: Worker.objects.exists(), 40)


def test_interpreter_is_asked_with_the_variables_of_scripts(tmp_path):
    def program(text: str) -> str:
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    assert ask_version(sys.executable, {})[0].startswith("Python 3.")
    name = Path(program("echo Ours 1.0 >&2")).name
    assert ask_version(name, {"PATH": f"{tmp_path}:/usr/bin:/bin"}) == ("Ours 1.0", "")
    assert ask_version(name, {}) == ("", "program is not on the PATH.")
    failing = program('echo "no library $TOKEN" >&2; exit 3')
    assert ask_version(failing, {"TOKEN": SECRET}) == (
        "",
        f"{failing} --version ended with exit code 3: no library …",
    )
    (tmp_path / "program").write_text("\x7fELF no program")
    assert "cannot be started: Exec format error" in ask_version(failing, {})[1]


def test_worker_refuses_wrong_settings_of_its_machine(tmp_path):
    words = [sys.executable, "-m", "studio.cli", "worker", "--compute", "local"]
    done = subprocess.run(
        [*words, "--python", "bin/python", "--env", "STUDIO_URL=x"],
        env=clean_environment(STUDIO_HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "use an absolute path" in done.stderr
    assert "STUDIO_URL is set by the studio itself" in done.stderr


@pytest.mark.django_db
def test_worker_refuses_a_database_of_another_version():
    _check_database()
    rows = MigrationRecorder.Migration.objects
    rows.create(app="experiments", name="9999_from_the_future", applied=timezone.now())
    with pytest.raises(CommandError, match="has 9999_from_the_future and is newer than this"):
        _check_database()
    rows.filter(app="experiments", name__startswith="0010").delete()
    with pytest.raises(CommandError, match="lacks 0010_clock and is older than this machine's"):
        _check_database()
