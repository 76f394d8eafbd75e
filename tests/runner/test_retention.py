"""A purge that is killed and several at once: nothing half-made stays, nothing is counted twice."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from experiments.models import Removal, Run, Sweep
from experiments.services.purge import delete_for_good
from experiments.services.removals import carry_on
from experiments.services.trash import trash_sweep
from runner import watchdog
from tests.at_once import at_once
from tests.factories import make_user
from tests.runner.processes import Service, wait_until
from tests.services.ended_sweeps import ALL, ended_sweep

pytestmark = pytest.mark.django_db(transaction=True)

# As slow as it can be: one file, or the rows of one run, at a time.
PURGE = """
import django, time
django.setup()
from experiments.services import removals
removals._BATCH = 1
while removals.open_removals():
    removals.carry_on_all(seconds=0)
    time.sleep(0.02)
"""


@pytest.fixture
def sweep():
    alice = make_user("alice")
    sweep = ended_sweep(*[0.1 * n for n in range(8)], owner=alice)
    trash_sweep(sweep, user=alice)
    return Sweep.objects.get()


def test_purge_that_is_killed_twice_goes_on_by_itself(sweep, tmp_path, valkey_url):
    removal = delete_for_good(sweep, user=sweep.owner)
    folder = Path(settings.STUDIO_STORAGE_ROOT) / "runs" / sweep.public_id

    def half_of_the_files() -> bool:
        # os.walk passes over folders that vanish meanwhile.
        return sum(len(names) for _, _, names in os.walk(folder)) <= 16

    def half_of_the_rows() -> bool:
        return Run.objects.count() <= 4

    for is_time in (half_of_the_files, half_of_the_rows):
        process = Service(tmp_path / "purge.log", valkey_url, "-c", PURGE)
        wait_until(is_time)
        os.kill(process.popen.pid, signal.SIGKILL)
        process.popen.wait()
        assert Sweep.objects.get().purging_at is not None
        assert Removal.objects.get().finished_at is None

    watchdog.tick(timezone.now())
    wait_until(lambda: watchdog.tick() or Removal.objects.get().finished_at)

    assert not Sweep.objects.exists()
    assert not Run.objects.exists()
    assert not folder.exists()
    removal.refresh_from_db()
    # What a kill came between the file and its count is not counted: one file each time.
    assert 8 * ALL - 2 * 600 <= removal.freed_bytes <= 8 * ALL


def test_purges_at_once_count_every_file_once(sweep):
    removal = delete_for_good(sweep, user=sweep.owner)

    at_once(*[partial(carry_on, removal, seconds=60)] * 4)

    removal.refresh_from_db()
    assert removal.finished_at is not None
    assert removal.freed_bytes == 8 * ALL
    assert not Sweep.objects.exists()
