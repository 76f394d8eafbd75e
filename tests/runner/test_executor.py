"""The executor takes a run through a real process to its end, whatever the script does."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path

import pytest

from experiments.models import Artifact, Run
from experiments.queries import series_of
from experiments.services.runs import cancel_run
from experiments.services.snapshots import path_of_digest
from runner import closing, executor
from runner.executor import execute
from tests.factories import make_compute, make_user
from tests.runner.attempts import HEAD, in_background, log_of, queue, run_to_end, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


def test_run_completes_with_metrics_log_and_outputs(tmp_path):
    script = HEAD + (
        "import pathlib\n"
        "for i in range(5):\n    run.log('accuracy', i / 10, step=i * 100)\n"
        "run.log('loss', 2)\nprint('done')\n"
        "pathlib.Path('outputs/deep').mkdir(parents=True)\n"
        "pathlib.Path('outputs/deep/model.txt').write_text('weights')\n"
        "pathlib.Path('logs').mkdir(exist_ok=True)\npathlib.Path('logs/own.txt').write_text('x')\n"
    )

    run = run_to_end(queue(tmp_path, script))

    assert (run.state, run.end_reason) == ("Completed", "finished")
    assert run.reason == "Exit code 0. Best accuracy 0.4 at interval 5 of 5."
    assert (run.best_value, run.best_interval, run.best_step, run.reports) == (0.4, 5, 400.0, 5)
    assert log_of(run) == "done\n"
    paths = set(Artifact.objects.filter(run=run).values_list("path", flat=True))
    assert paths == {"outputs/deep/model.txt", "logs/own.txt", "logs/std_log.txt"}
    assert (Path(run.directory) / "outputs/deep/model.txt").read_text() == "weights"
    assert not (Path(run.directory) / "code").exists()
    assert run.sweep.__class__.objects.get(pk=run.sweep_id).state == "Completed"


def test_files_beyond_the_most_are_left_out_and_the_log_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(closing, "MOST_FILES", 3)
    script = HEAD + (
        "for i in range(4):\n    open(f'outputs/{i}.txt', 'w').close()\nprint('done')\n"
        "run.log('accuracy', 1)\n"
    )

    run = run_to_end(queue(tmp_path, script))

    assert run.state == "Completed"
    paths = Artifact.objects.filter(run=run).values_list("path", flat=True)
    assert set(paths) == {"logs/std_log.txt", "outputs/0.txt", "outputs/1.txt"}
    assert "[studio] 2 files left out: a run keeps at most 3." in log_of(run)
    aside = Path(run.directory) / "left-out/outputs"
    assert sorted(path.name for path in aside.iterdir()) == ["2.txt", "3.txt"]


def test_every_run_starts_from_the_files_as_they_were_submitted(tmp_path):
    script = HEAD + (
        "import pathlib\n"
        "assert not pathlib.Path('left.txt').exists(), 'a file of another run'\n"
        "pathlib.Path('left.txt').write_text('x')\n"
        "pathlib.Path('train.py').write_text('raise SystemExit(3)')\n"
        "run.log('accuracy', 1)\n"
    )
    space = {"rate": "choice(0.25, 0.5)"}
    first = queue(tmp_path, script, search_space=space, max_total_runs=2, max_concurrent_runs=1)

    run_to_end(first)
    second = run_to_end(Run.objects.get(sweep=first.sweep, number=1))

    assert (second.state, second.reason) == (
        "Completed",
        "Exit code 0. Best accuracy 1 at interval 1 of 1.",
    )


def test_script_gets_its_hyperparameters_and_nothing_of_the_studio(tmp_path, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "secret-redis")
    monkeypatch.setenv("DATABASE_URL", "secret-database")
    monkeypatch.setenv("STUDIO_SECRET_KEY", "secret-key")
    script = HEAD + (
        "import json, os, sys\nrun.log('accuracy', 1)\n"
        "print(json.dumps([sys.argv, dict(os.environ), os.getcwd(), run.id]))"
    )

    run = run_to_end(queue(tmp_path, script, arguments=["--epochs", 3], environment={"MINE": "1"}))

    argv, env, cwd, run_id = json.loads(log_of(run))
    assert argv == ["train.py", "--epochs", "3", "--rate", "0.25", "--optimizer", "adam w"]
    assert run.command == [sys.executable, *argv]
    assert (env["AZUREML_SWEEP_rate"], env["MINE"], env["STUDIO_RUN_ID"]) == (
        "0.25",
        "1",
        run.public_id,
    )
    assert run_id == run.public_id
    assert cwd == str(Path(run.directory) / "code")
    assert "secret" not in json.dumps(env)
    assert not {"STUDIO_HOME", "DJANGO_SETTINGS_MODULE", "STUDIO_SECRET_KEY"} & set(env)


@pytest.mark.parametrize(
    "line", ["from azureml.core.run import Run", "from azureml.core import Run"]
)
def test_script_of_azure_ml_runs_unchanged(tmp_path, line):
    script = f"{line}\nrun = Run.get_context()\nrun.log('accuracy', 0.5)\n"

    run = run_to_end(queue(tmp_path, script))

    assert (run.state, run.best_value) == ("Completed", 0.5)


def test_command_with_placeholders_is_run_word_by_word(tmp_path):
    script = HEAD + "import sys\nrun.log('accuracy', 1)\nprint(sys.argv)"

    run = run_to_end(
        queue(
            tmp_path,
            script,
            script=None,
            command="python train.py '--o=${{search_space.optimizer}}' ${{ search_space.rate }}",
        )
    )

    assert log_of(run) == "['train.py', '--o=adam w', '0.25']\n"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("raise ValueError('bad data')", "Exit code 1: ValueError: bad data"),
        ("raise SystemExit(5)", "Exit code 5."),
        (
            "import os, signal\nos.kill(os.getpid(), signal.SIGABRT)",
            "Killed by signal 6 (SIGABRT).",
        ),
        ("import nope", "Exit code 1: ModuleNotFoundError: No module named 'nope'"),
    ],
)  # fmt: skip
def test_failing_script_says_why(tmp_path, script, reason):
    run = run_to_end(queue(tmp_path, script))

    assert (run.state, run.end_reason, run.reason) == ("Failed", "nonzero_exit", reason)
    assert "Traceback" in log_of(run) or "Exit code 5" in reason or "SIGABRT" in reason


def test_interpreter_that_does_not_exist_is_named(tmp_path):
    run = run_to_end(queue(tmp_path, HEAD, python="/no/such/python"))

    assert (run.state, run.end_reason) == ("Failed", "bad_command")
    assert run.reason == (
        "The command could not be started: /no/such/python: No such file or directory"
    )


def test_damaged_snapshot_fails_the_run_only(tmp_path):
    run = queue(tmp_path, HEAD)
    path_of_digest(run.sweep.snapshot.digest).write_bytes(b"no zip")

    run = run_to_end(run)

    assert (run.state, run.end_reason) == ("Failed", "bad_command")
    assert "zip" in run.reason


def test_metric_that_is_never_logged_is_told_by_name(tmp_path):
    run = run_to_end(queue(tmp_path, HEAD + "run.log('acc', 1)\nrun.log('loss', 2)"))

    assert run.state == "Completed"
    assert run.reason == (
        'The script ended without logging "accuracy". It logged: acc, loss. '
        "The name must match exactly."
    )


def test_nan_and_text_are_kept_and_never_best(tmp_path):
    script = HEAD + (
        "for v in (float('nan'), 'high', 0.25, float('inf'), -0.5):\n    run.log('accuracy', v)"
    )

    run = run_to_end(queue(tmp_path, script))

    assert (run.state, run.best_value, run.best_interval, run.reports) == (
        "Completed",
        0.25,
        3,
        5,
    )
    values = series_of(run, "accuracy").values
    assert [math.isnan(v) for v in values] == [True, True, False, False, False]


def test_only_nan_completes_without_a_best(tmp_path):
    run = run_to_end(queue(tmp_path, HEAD + "run.log('accuracy', float('nan'))"))

    assert (run.state, run.best_value) == ("Completed", None)
    assert "finite" in run.reason


def test_flood_of_output_is_cut_and_does_no_harm(tmp_path, settings):
    settings.STUDIO_MAX_LOG_BYTES = 1_000_000
    script = HEAD + (
        "for i in range(500_000):\n    print('x' * 99)\nrun.log('accuracy', 1)\nprint('the end')"
    )

    run = run_to_end(queue(tmp_path, script))

    assert run.state == "Completed"
    assert log_of(run).endswith("the end\n")
    assert "bytes of output left out" in log_of(run)
    assert run.log_bytes < 1_000_000


def test_outputs_beyond_the_limit_end_the_run_with_the_reason(tmp_path, settings, monkeypatch):
    settings.STUDIO_MAX_OUTPUT_BYTES = 100_000
    monkeypatch.setattr(executor, "_SIZE_SECONDS", 0.2)
    script = HEAD + (
        "import time\nrun.log('accuracy', 1)\nopen('outputs/big', 'wb').write(b'x' * 200_000)\n"
        "time.sleep(300)"
    )

    run = run_to_end(queue(tmp_path, script))

    assert (run.state, run.end_reason) == ("Failed", "nonzero_exit")
    assert run.reason == (
        "Stopped by the studio: its outputs reached 200.0 kB, more than the limit of 100.0 kB."
    )


def test_run_timeout_cancels_the_run_alone(tmp_path):
    script = HEAD + "import time\nrun.log('accuracy', 1)\ntime.sleep(300)"

    run = run_to_end(queue(tmp_path, script, run_timeout_minutes=0.02))

    assert (run.state, run.end_reason) == ("Canceled", "run_timeout")
    assert run.reason == "Stopped after run_timeout_minutes 0.02."
    assert run.best_value == 1


def test_cancel_stops_a_script_that_ignores_sigterm(tmp_path):
    script = HEAD + (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "run.log('accuracy', 1)\ntime.sleep(300)"
    )
    run = queue(tmp_path, script)
    thread = in_background(run)
    running = wait_for(run, "Running")

    assert cancel_run(running, user=make_user())
    thread.join(30)

    ended = Run.objects.get(pk=run.pk)
    assert (ended.state, ended.end_reason, ended.reason) == (
        "Canceled",
        "user",
        "Canceled by alice.",
    )


def test_policy_stops_a_run_with_its_numbers(tmp_path):
    script = HEAD + (
        "import sys, time\n"
        "good = sys.argv[sys.argv.index('--rate') + 1] == '1'\n"
        "for i in range(4 if good else 400):\n"
        "    run.log('accuracy', 0.8 if good else 0.6)\n    time.sleep(0.02)\n"
    )
    first = queue(
        tmp_path,
        script,
        search_space={"rate": "choice(1, 2)"},
        max_total_runs=2,
        max_concurrent_runs=1,
        early_termination={"type": "bandit", "slack_factor": 0.2, "delay_evaluation": 3},
    )
    assert run_to_end(first).state == "Completed"
    second = Run.objects.get(sweep=first.sweep, number=1)

    second = run_to_end(second)

    assert (second.state, second.end_reason) == ("Canceled", "policy")
    assert second.reason.startswith(
        "bandit policy at interval 3: best 0.6 < 0.8 / (1 + 0.2) = 0.667"
    )
    assert second.reports < 400
    decision = second.decisions.get()
    assert (decision.interval, decision.own, decision.leader) == (3, 0.6, 0)
    assert decision.limit == pytest.approx(0.8 / 1.2)


def test_reports_of_several_processes_are_all_kept(tmp_path):
    script = HEAD + (
        "import os\n"
        "children = []\n"
        "for k in range(4):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        for i in range(250): run.log('accuracy', k * 1000 + i)\n"
        "        os._exit(0)\n"
        "    children.append(pid)\n"
        "for pid in children: os.waitpid(pid, 0)\n"
    )

    run = run_to_end(queue(tmp_path, script))

    values = series_of(run, "accuracy").values
    assert run.reports == 1000
    assert sorted(values) == [k * 1000 + i for k in range(4) for i in range(250)]


def test_second_executor_finds_the_run_taken(tmp_path):
    run = queue(tmp_path, HEAD + "run.log('accuracy', 1)")
    run_to_end(run)

    assert execute(run.pk, worker_name="late") is False


def test_executor_that_lost_its_run_stops_the_script_and_writes_nothing(tmp_path):
    run = queue(tmp_path, HEAD + "import time\nrun.log('accuracy', 1)\ntime.sleep(300)")
    thread = in_background(run)
    wait_for(run, "Running")
    Run.objects.filter(pk=run.pk).update(fence=99)

    thread.join(30)

    assert not thread.is_alive()
    assert Run.objects.get(pk=run.pk).state == "Running"
    assert not (Path(Run.objects.get(pk=run.pk).directory) / "code").exists()


def test_stopped_worker_hands_its_run_over(tmp_path, settings):
    settings.STUDIO_MAX_RETRIES = 2
    run = queue(tmp_path, HEAD + "import time\nrun.log('accuracy', 1)\ntime.sleep(300)")
    thread = in_background(run)
    wait_for(run, "Running")

    executor.stop_all()
    thread.join(30)

    ended = Run.objects.get(pk=run.pk)
    assert (ended.state, ended.end_reason) == ("Failed", "worker_lost")
    retry = Run.objects.get(retry_of=run)
    assert (retry.state, retry.params, retry.number) == ("Queued", run.params, 1)


def test_executor_uses_the_interpreter_of_the_compute_target(tmp_path):
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nexport WRAPPED=1\nexec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    run = queue(tmp_path, HEAD + "import os\nrun.log('accuracy', int(os.environ['WRAPPED']))")
    target = make_compute()
    target.python = str(wrapper)
    target.environment = {"FROM_TARGET": "yes"}
    target.save()

    assert run_to_end(run).best_value == 1


def test_environment_of_this_test_is_not_changed(tmp_path):
    before = dict(os.environ)

    run_to_end(queue(tmp_path, HEAD + "run.log('accuracy', 1)"))

    assert dict(os.environ) == before
