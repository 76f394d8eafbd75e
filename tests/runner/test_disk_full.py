"""A full disk: no run is blamed for it, and no worker takes runs until there is space again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.models import Run
from runner import worker as workers
from runner.quotas import free_bytes
from runner.worker import SlotWorker
from tests.runner.attempts import HEAD, queue, run_to_end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


@pytest.fixture
def small_disk(tmp_path, settings) -> Iterator[Path]:
    """A disk of 4 MB that holds the storage of the studio."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small disk")
    settings.STUDIO_STORAGE_ROOT = disk
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Take all the space of a disk."""
    path = disk / "everything"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return path


def test_a_run_that_finds_no_space_is_repeated_when_there_is_some(tmp_path, small_disk, settings):
    settings.STUDIO_MAX_RETRIES = 1
    run = queue(tmp_path, HEAD + "run.log('accuracy', 0.5)\n" + "# long\n" * 3000)
    hog = fill(small_disk)

    lost = run_to_end(run)

    assert (lost.state, lost.end_reason) == ("Failed", "worker_lost")
    assert "No space is left on the disk of its worker" in lost.reason
    retry = Run.objects.get(retry_of=run)
    hog.unlink()
    assert run_to_end(retry).state == "Completed"


def test_a_worker_takes_runs_only_while_there_is_space(small_disk, settings, caplog):
    slot = SlotWorker.__new__(SlotWorker)
    slot.name = "local@here-1"
    settings.STUDIO_MIN_FREE_BYTES = 1_000_000
    assert not slot._is_disk_full()

    hog = fill(small_disk)
    full = [slot._is_disk_full() for _ in range(2)]
    hog.unlink()

    assert full == [True, True]
    assert not slot._is_disk_full()
    told = [record.getMessage() for record in caplog.records if record.name == workers.__name__]
    assert [text.split(":")[0] for text in told] == [
        "worker local@here-1 takes no runs",
        "worker local@here-1 takes runs again",
    ]


def test_free_space_is_told_of_a_folder_that_does_not_exist_yet(small_disk):
    assert 0 < free_bytes(small_disk / "not" / "yet") <= 4 * 1024**2
