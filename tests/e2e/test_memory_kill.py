"""Scripts that the kernel really ends for lack of memory, in a control group with a limit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from experiments.models import Run
from tests.memory_groups import memory_group
from tests.runner.attempts import queue
from tests.runner.processes import environment
from tests.servers import ROOT

MB = 10**6
EXECUTE = (
    "import sys, django; django.setup(); from runner.executor import execute; "
    "execute(int(sys.argv[1]), worker_name='limited')"
)
GREEDY = "hog = [bytearray(16_000_000) for _ in range(100)]\n"
HELPER = (
    "from concurrent.futures import ProcessPoolExecutor as Pool\n"
    "def eat():\n    hog = [bytearray(16_000_000) for _ in range(100)]\n"
    "if __name__ == '__main__':\n    Pool(1).submit(eat).result()\n"
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("code", "beginning"),
    [
        (GREEDY, "Killed by signal 9 (SIGKILL): out of memory; the kernel ended the script. "),
        (HELPER, "Exit code 1: out of memory; the kernel ended one of its processes (concurrent."),
    ],
    ids=["script", "helper"],
)
def test_kill_for_memory_is_named_with_the_peak(
    tmp_path: Path, valkey_url: str, code: str, beginning: str
) -> None:
    run = queue(tmp_path, code)
    with memory_group(500 * MB) as group:
        assert group is not None
        # The executor itself moves there, as a container or a unit of systemd would have it.
        enter = f'echo $$ > {group}/cgroup.procs; exec "$@"'
        done = subprocess.run(
            ["sh", "-c", enter, "sh", sys.executable, "-c", EXECUTE, str(run.pk)],
            cwd=ROOT,
            env=environment(valkey_url),
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    ended = Run.objects.get(pk=run.pk)
    assert (ended.state, ended.end_reason) == ("Failed", "nonzero_exit")
    assert ended.reason.startswith(beginning)
    said = ended.reason.rpartition("Its largest process had ")[2]
    assert 200 < float(said.split(" MB")[0]) <= 550
    assert said.endswith("at most; all runs here together may have 500 MB.")
