"""Lack of memory is told from other ends: by what scripts say, and by what the kernel counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.memory import OutOfMemory
from runner.process import ExitRecord
from tests.runner.attempts import queue, run_to_end

MB = 10**6


@pytest.mark.django_db(transaction=True)
def test_memory_that_is_refused_is_named_with_the_peak(tmp_path, quick):
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_AS, (400_000_000, 400_000_000))\n"
        "hog = bytearray(4_000_000_000)\n"
    )

    ended = run_to_end(queue(tmp_path, code))

    assert ended.state == "Failed"
    assert ended.reason.startswith("Exit code 1: out of memory (MemoryError). Its largest process ")


@pytest.mark.django_db(transaction=True)
def test_script_is_what_the_kernel_ends_first(tmp_path, quick):
    code = "print('score', open('/proc/self/oom_score_adj').read())"

    ended = run_to_end(queue(tmp_path, code))

    assert "score 500" in (Path(ended.directory) / "logs/std_log.txt").read_text()


def kernel(folder: Path, group: str, *, kills: int, limit: str) -> OutOfMemory:
    """Write what a kernel shows of a group, and look at it."""
    (folder / "proc/self").mkdir(parents=True, exist_ok=True)
    (folder / "proc/meminfo").write_text("MemTotal:       16000000 kB\nMemFree: 1 kB\n")
    (folder / "proc/self/cgroup").write_text(group)
    path = folder / "cgroup" / group.partition(":/")[2].strip()
    path.mkdir(parents=True, exist_ok=True)
    (path / "memory.max").write_text(limit)
    (path / "memory.events").write_text(f"low 0\noom 3\noom_kill {kills}\n")
    return OutOfMemory(folder / "cgroup", folder / "proc")


def ended(**facts: int) -> ExitRecord:
    record = {"code": None, "signal": None, "stopped": False, "exec_error": "", **facts}
    return ExitRecord(**record)  # type: ignore[arg-type]


def test_kill_without_a_trace_of_the_kernel_is_a_guess_only_near_the_limit(tmp_path):
    memory = kernel(tmp_path, "0::/box\n", kills=7, limit="1000000000\n")

    assert memory.limit() == 1000 * MB
    assert memory.explain(ended(signal=9, peak=500 * MB), "") == ""
    assert memory.explain(ended(signal=9, peak=950 * MB), "") == (
        "perhaps out of memory. Its largest process had 950 MB at most; "
        "all runs here together may have 1.0 GB."
    )
    (tmp_path / "cgroup/box/memory.events").write_text("oom_kill 8\n")
    assert memory.explain(ended(signal=9), "") == "out of memory; the kernel ended the script."
    assert memory.explain(ended(signal=11), "") == ""
    # The kill of another run of the group does not explain an ordinary failure.
    assert memory.explain(ended(code=1), "ValueError: negative") == ""
    assert memory.explain(ended(code=137), "").startswith("out of memory; the kernel ended one of")


def test_group_without_a_limit_has_that_of_the_machine(tmp_path):
    memory = kernel(tmp_path, "0::/box/slot\n", kills=0, limit="max\n")

    assert memory.limit() == 16_000_000 * 1024
    (tmp_path / "cgroup/box/memory.max").write_text("2000\n")
    assert memory.limit() == 2000


def test_memory_of_a_gpu_is_no_memory_of_the_machine(tmp_path):
    memory = kernel(tmp_path, "0::/box\n", kills=0, limit="max")

    assert memory.explain(ended(code=1), "torch.OutOfMemoryError: CUDA out of memory.") == ""
    assert memory.explain(ended(code=1, peak=MB), "OSError: Cannot allocate memory").startswith(
        "out of memory (OSError: Cannot allocate memory)."
    )


def test_machine_without_counters_claims_nothing(tmp_path):
    memory = OutOfMemory(tmp_path / "none", tmp_path / "none")

    assert not memory.has_struck()
    assert memory.limit() == 0
    assert memory.explain(ended(signal=9, peak=MB), "") == ""
