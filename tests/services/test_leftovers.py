"""Snapshots that nothing has any more, and files in the storage without a row."""

import io
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from experiments.models import ModelVersion, Removal, Snapshot
from experiments.problems import ProblemsError
from experiments.services import leftovers
from experiments.services.models import register_model
from experiments.services.purge import delete_for_good
from experiments.services.removals import carry_on
from experiments.services.snapshots import mark_used, snapshot_path, snapshot_zip
from experiments.services.trash import trash_sweep
from tests.factories import make_user, make_workspace
from tests.services.ended_sweeps import ended_sweep
from tests.web.api_world import zip_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def storage(settings, tmp_path) -> Path:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return settings.STUDIO_STORAGE_ROOT


@pytest.fixture
def alice():
    return make_user("alice")


def stored(text: str) -> Snapshot:
    return snapshot_zip(io.BytesIO(zip_of(train_py=text)), workspace=make_workspace())


def use_long_ago(*snapshots: Snapshot) -> None:
    old = timezone.now() - DAY - timedelta(minutes=1)
    Snapshot.objects.filter(pk__in=[s.pk for s in snapshots]).update(used_at=old)


def test_only_snapshots_that_nothing_has_are_removed(alice):
    sweep = ended_sweep(0.5, owner=alice)
    used, unused, modelled, recent = (stored(text) for text in "abcd")
    sweep.snapshot = used
    sweep.save(update_fields=["snapshot"])
    register_model(sweep.runs.get(), name="digits", user=alice)
    ModelVersion.objects.update(snapshot_digest=modelled.digest)
    trash_sweep(sweep, user=alice)  # the trash still has it
    use_long_ago(used, unused, modelled)
    size = snapshot_path(unused).stat().st_size

    found = leftovers.remove_unused_snapshots(timezone.now() - DAY)

    assert found == (1, size)
    assert [s.pk for s in (used, modelled, recent)] == list(
        Snapshot.objects.filter(size_bytes__gt=1).order_by("pk").values_list("pk", flat=True)
    )
    assert not snapshot_path(unused).exists()
    assert all(snapshot_path(s).exists() for s in (used, modelled, recent))
    note = Removal.objects.get()
    assert (note.kind, note.name, note.freed_bytes) == ("snapshot", "1 unused snapshot", size)

    carry_on(delete_for_good(sweep, user=alice), seconds=60)
    assert leftovers.remove_unused_snapshots(timezone.now() - DAY)[0] == 1
    assert not snapshot_path(used).exists()


def test_upload_of_the_same_content_makes_an_old_snapshot_new(alice):
    old = stored("same")
    use_long_ago(old)
    assert stored("same") == old
    assert leftovers.remove_unused_snapshots(timezone.now() - DAY) == (0, 0)

    use_long_ago(old)
    leftovers.remove_unused_snapshots(timezone.now() - DAY)
    with pytest.raises(ProblemsError, match="were removed, as nothing used them; upload them"):
        mark_used(old)
    again = stored("same")
    assert again.digest == old.digest
    assert snapshot_path(again).exists()


def test_leftovers_are_found_and_removed_after_a_day(alice, storage):
    sweep = ended_sweep(0.5, owner=alice)
    register_model(sweep.runs.get(), name="digits", user=alice)
    kept = stored("kept")
    lost = {
        "runs/HD_gone/0/outputs/model.bin": "no such sweep",
        f"runs/{sweep.public_id}/7/outputs/model.bin": "no such run",
        f"runs/{sweep.public_id}/odd/model.bin": "no such run",
        f"snapshots/aa/{'a' * 64}.zip": "no such snapshot",
        "snapshots/incoming-x1": "an upload that never ended",
        "models/999/folder/model.bin": "no such version of a model",
        "models/incoming/folder/model.bin": "a copy that never ended",
    }
    for name in lost:
        (storage / name).parent.mkdir(parents=True, exist_ok=True)
        (storage / name).write_bytes(b"x" * 10)
    assert leftovers.find_leftovers() == []  # all of them may still be on their way

    yesterday = time.time() - 25 * 3600
    for path in storage.rglob("*"):
        os.utime(path, (yesterday, yesterday))
    found = leftovers.find_leftovers()

    assert {(one.path.split("/")[0], one.why, one.size_bytes) for one in found} == {
        (name.split("/")[0], why, 10) for name, why in lost.items()
    }
    assert leftovers.remove_leftovers(found) == 10 * len(lost)
    assert leftovers.find_leftovers() == []
    assert snapshot_path(kept).exists()
    assert (Path(sweep.runs.get().directory) / "outputs" / "model.bin").exists()
    assert Removal.objects.get().name == "7 leftovers"
