"""The script-side client: one line per report, never in the script's way, importable anywhere."""

from __future__ import annotations

import ast
import decimal
import json
import math
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from studio.sdk import Run, UserErrorException
from studio.sdk.run import (
    JOURNAL_VARIABLE,
    RUN_VARIABLE,
    RunEnvironmentException,
    format_report,
    parse_report,
    plain_value,
)

ROOT = Path(__file__).resolve().parents[2]
SDK = ROOT / "studio" / "sdk"
RUN_ID = "HD_11111111-2222-3333-4444-555555555555_7"


@pytest.fixture
def journal(tmp_path, monkeypatch) -> Path:
    """Be inside a run whose journal is this file."""
    path = tmp_path / "metrics.jsonl"
    monkeypatch.setenv(RUN_VARIABLE, RUN_ID)
    monkeypatch.setenv(JOURNAL_VARIABLE, str(path))
    return path


@pytest.fixture
def _offline(monkeypatch) -> None:
    monkeypatch.delenv(RUN_VARIABLE, raising=False)
    monkeypatch.delenv(JOURNAL_VARIABLE, raising=False)


class Tensor:
    """What a scalar of torch looks like: `size` is a method, it can be iterated."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def size(self) -> tuple[int, ...]:
        return self.shape

    def __len__(self) -> int:
        raise TypeError("len() of a 0-d tensor")

    def __iter__(self):
        raise TypeError("iteration over a 0-d tensor")

    def item(self) -> float:
        return 0.25


class EagerTensor:
    """What a scalar of tensorflow looks like: no `item`."""

    shape = ()

    def __iter__(self):
        raise TypeError("iterating over a scalar")

    def __float__(self) -> float:
        return 0.75


def test_each_report_is_one_line(journal):
    run = Run.get_context()

    run.log("accuracy", 0.5)
    run.log("accuracy", 0.75, description="after one epoch", step=100)

    first, second = (json.loads(line) for line in journal.read_text().splitlines())
    assert (first["n"], first["v"], "s" in first) == ("accuracy", 0.5, False)
    assert (second["n"], second["v"], second["s"]) == ("accuracy", 0.75, 100.0)
    assert second["t"] >= first["t"] > 1.7e9


def test_context_knows_its_run_and_its_sweep(journal):
    run = Run.get_context(allow_offline=False)

    assert (run.id, run.number, run.is_offline) == (RUN_ID, 7, False)
    assert run.sweep_id == "HD_11111111-2222-3333-4444-555555555555"
    assert repr(run) == f"Run(id='{RUN_ID}')"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (0.5, 0.5),
        (3, 3.0),
        (True, 1.0),
        ("good", "good"),
        (np.float32(0.5), 0.5),
        (np.int64(4), 4.0),
        (np.bool_(False), 0.0),
        (np.str_("text"), "text"),
        (np.array(2.5), 2.5),
        (np.array([2.5]), 2.5),
        (np.longdouble(0.5), 0.5),
        (Tensor(), 0.25),
        (Tensor(1), 0.25),
        (EagerTensor(), 0.75),
        (decimal.Decimal("0.125"), 0.125),
        (10**400, str(10**400)),
        (1 + 2j, "(1+2j)"),
        (object, repr(object)),
    ],
)
def test_single_values_are_taken(value, plain):
    taken = plain_value("m", value)

    assert (type(taken), taken) == (type(plain), plain)


def test_none_counts_as_nan():
    assert math.isnan(plain_value("m", None))


@pytest.mark.parametrize(
    "value",
    [[1.0], (1.0, 2.0), range(3), {"a": 1}, {1}, b"x", (v for v in (1,)), np.zeros(3), Tensor(2)],
)
def test_collections_are_refused(journal, value):
    run = Run.get_context()

    with pytest.raises(UserErrorException, match="log one number at a time"):
        run.log("accuracy", value)

    assert not journal.exists()


@pytest.mark.parametrize("name", ["", None, 3])
def test_name_must_be_text(journal, name):
    with pytest.raises(UserErrorException, match="name of a metric"):
        Run.get_context().log(name, 1.0)


@pytest.mark.parametrize(
    ("value", "step"),
    [
        (0.1 + 0.2, None),
        (-0.0, 0.0),
        (1e-320, 1e9),
        (math.inf, 2.0),
        (-math.inf, None),
        ("line\nbreak \ud800 \x00 ü", 3.0),
    ],
)
def test_what_is_written_is_read_again(value, step):
    line = format_report("näme\n", value, step=step, time=1700000000.25)

    assert line.count("\n") == 1
    assert parse_report(line.encode("utf-8", "surrogatepass")) == (
        "näme\n",
        value,
        step,
        1700000000.25,
    )


def test_nan_is_read_again():
    parsed = parse_report(format_report("m", math.nan, step=None, time=1.0))

    assert parsed is not None
    assert math.isnan(parsed[1])


@pytest.mark.parametrize("step", [math.nan, math.inf, "three", [1]])
def test_step_that_is_no_number_is_left_out(step):
    assert parse_report(format_report("m", 1.0, step=step, time=5.0)) == ("m", 1.0, None, 5.0)


def test_long_text_and_names_are_cut_to_what_the_reader_takes():
    line = format_report("ü" * 9000, "ü" * 100_000, step=1.0, time=5.0)

    assert len(line.encode()) < 1 << 16
    assert parse_report(line) == ("ü" * 1000, "ü" * 9000, 1.0, 5.0)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"n":"m","t":1}',
        b'{"n":"m","v":null,"t":1}',
        b'{"n":"m","v":1}',
        b'{"n":"m","v":1,"t":Infinity}',
        b'{"n":"m","v":1,"t":1,"s":{}}',
        b'{"n":"m","v":' + b"9" * 400 + b',"t":1}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_garbage_is_no_report(line):
    assert parse_report(line) is None


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_many_contexts_share_one_open_file(journal):
    Run.get_context().log("m", 0)
    before = open_files()

    for i in range(200):
        Run.get_context().log("m", i)

    assert open_files() == before
    assert len(journal.read_text().splitlines()) == 201


def test_report_never_lands_in_a_file_of_the_script(journal, tmp_path):
    script = (
        "import os\nfrom studio.sdk import Run\nrun = Run.get_context()\nrun.log('m', 1)\n"
        "os.closerange(3, 64)\n"  # as a daemon does
        "mine = [open('mine%d' % i, 'wb') for i in range(8)]\n"
        "run.log('m', 2)\n"
    )

    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=inside(journal), check=True)

    assert len(journal.read_text().splitlines()) == 2
    assert {(tmp_path / f"mine{i}").stat().st_size for i in range(8)} == {0}


def test_processes_and_threads_write_whole_lines(journal, tmp_path):
    script = (
        "import os, threading\nfrom studio.sdk import Run\nrun = Run.get_context()\n"
        "run.log('m', -1)\n"
        "def work(k):\n    for i in range(500): run.log('m', k * 1000 + i, step=i)\n"
        "pids = []\n"
        "for p in range(3):\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        threads = [threading.Thread(target=work, args=(2 * p + t,)) for t in (0, 1)]\n"
        "        [t.start() for t in threads]; [t.join() for t in threads]; os._exit(0)\n"
        "    pids.append(pid)\n"
        "for pid in pids: os.waitpid(pid, 0)\n"
    )

    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=inside(journal), check=True)

    values = [parse_report(line)[1] for line in journal.read_bytes().splitlines()]
    assert sorted(values) == [-1, *(k * 1000 + i for k in range(6) for i in range(500))]


def test_fault_of_the_disk_is_one_warning(monkeypatch, capsys):
    monkeypatch.setenv(RUN_VARIABLE, RUN_ID)
    monkeypatch.setenv(JOURNAL_VARIABLE, "/nowhere/at/all/metrics.jsonl")
    run = Run.get_context()

    for i in range(3):
        run.log("m", i)

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("metrics cannot be written") == 1


def test_full_disk_does_no_harm_to_a_script_without_stderr(monkeypatch):
    monkeypatch.setenv(RUN_VARIABLE, RUN_ID)
    monkeypatch.setenv(JOURNAL_VARIABLE, "/dev/full")
    monkeypatch.setattr(sys, "stderr", None)

    Run.get_context().log("m", 1)


def test_report_after_half_a_line_starts_a_line_of_its_own(tmp_path):
    script = (
        "import os, resource, signal\nfrom studio.sdk import Run\nrun = Run.get_context()\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "run.log('m', 1)\n"
        "size = os.path.getsize(os.environ['STUDIO_METRICS_FILE'])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, -1))\n"
        "run.log('m', 2)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))\n"
        "run.log('m', 3)\n"
    )
    journal = tmp_path / "metrics.jsonl"

    subprocess.run([sys.executable, "-c", script], env=inside(journal), check=True)

    parsed = [parse_report(line) for line in journal.read_bytes().splitlines()]
    assert [None if p is None else p[1] for p in parsed] == [1.0, None, 3.0]


@pytest.mark.usefixtures("_offline")
def test_offline_run_prints(capsys):
    run = Run.get_context()

    run.log("accuracy", np.float64(0.5))
    run.log("accuracy", 1, step=3)

    assert capsys.readouterr().out == (
        "Offline run: accuracy = 0.5\nOffline run: accuracy = 1.0 at step 3\n"
    )
    assert run.id.startswith("OfflineRun_")
    assert (run.is_offline, run.number, run.sweep_id) == (True, None, None)


@pytest.mark.usefixtures("_offline")
def test_offline_run_can_be_refused():
    with pytest.raises(RunEnvironmentException, match=RUN_VARIABLE):
        Run.get_context(allow_offline=False)


def test_logging_from_many_threads_opens_one_file(journal):
    run = Run.get_context()
    threads = [threading.Thread(target=run.log, args=("m", i)) for i in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(journal.read_text().splitlines()) == 8


def test_client_needs_a_bare_interpreter_only():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from studio.sdk import Run; "
        "Run.get_context().log('m', 1); "
        "print(sorted(n for n in sys.modules if n.split('.')[0] in ('django', 'numpy', 'rq')))"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "Offline run: m = 1.0\n[]\n", "")


@pytest.mark.parametrize("path", sorted(SDK.glob("*.py")), ids=lambda path: path.name)
def test_client_keeps_to_the_syntax_of_python_3_8(path):
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


def inside(journal: Path) -> dict[str, str]:
    """Return the environment of a script of a run with this journal."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        RUN_VARIABLE: RUN_ID,
        JOURNAL_VARIABLE: str(journal),
    }
