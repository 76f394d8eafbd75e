"""The trash: what goes there, what comes back, what is deleted for good, and what outlives it."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from experiments import queries
from experiments.models import (
    Artifact,
    Event,
    MetricChunk,
    ModelVersion,
    Removal,
    Resumption,
    Run,
    Sweep,
    WarmStart,
)
from experiments.problems import ProblemsError
from experiments.services import removals, removed_files
from experiments.services.models import register_model
from experiments.services.purge import begin_overdue, delete_for_good, empty_trash
from experiments.services.refused import Refused
from experiments.services.removals import carry_on, carry_on_all
from experiments.services.retention import look_after
from experiments.services.retries import retry_run
from experiments.services.sweeps import cancel_sweep
from experiments.services.trash import restore_sweep, trash_sweep
from tests.factories import make_sweep, make_user, make_workspace
from tests.services.ended_sweeps import ALL, ended_sweep, files_below

pytestmark = pytest.mark.django_db
LONG = 60.0


@pytest.fixture
def storage(settings, tmp_path) -> Path:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return settings.STUDIO_STORAGE_ROOT


@pytest.fixture
def alice():
    return make_user("alice")


def trashed(alice, *values, **spec) -> Sweep:
    sweep = ended_sweep(*values, owner=alice, **spec)
    assert trash_sweep(sweep, user=alice)
    return Sweep.objects.get(pk=sweep.pk)


def test_trashed_sweep_is_nowhere_until_it_is_restored(storage, alice):
    sweep, other = ended_sweep(0.5, owner=alice), make_sweep(owner=alice, name="other")

    assert trash_sweep(sweep, user=alice)
    assert not trash_sweep(sweep, user=alice)  # twice is once
    assert [row.name for row in queries.sweep_list(alice).items] == [other.name]
    assert queries.state_counts(alice)["all"] == 1
    assert not queries.runs_for(alice).filter(sweep=sweep).exists()
    assert list(queries.trashed_for(alice)) == [sweep]
    with pytest.raises(ProblemsError, match="There is no sweep"):
        make_sweep(owner=alice, resume_from=[sweep.public_id])
    with pytest.raises(ProblemsError, match="There is no run"):
        make_sweep(owner=alice, resume_child_runs=[f"{sweep.public_id}_0"])

    assert restore_sweep(sweep, user=alice)
    assert not restore_sweep(sweep, user=alice)
    assert queries.get_sweep(alice, sweep.public_id).best_value == 0.5
    told = list(Event.objects.filter(sweep=sweep, kind="notice").values_list("message", flat=True))
    assert told == [
        "Sweep: moved to the trash by alice",
        "Sweep: restored from the trash by alice",
    ]


def test_live_sweep_is_refused_and_a_trashed_one_repeats_nothing(storage, alice):
    live = make_sweep(owner=alice)

    with pytest.raises(Refused, match=r'The sweep "digits" is running\. .* cancel it first'):
        trash_sweep(live, user=alice)
    cancel_sweep(live, user=alice)
    assert trash_sweep(live, user=alice)

    sweep = ended_sweep(0.5, owner=alice)
    run = sweep.runs.get()
    Run.objects.filter(pk=run.pk).update(state="Failed", end_reason="exit_code", reason="no")
    trash_sweep(sweep, user=alice)
    with pytest.raises(Refused, match="in the trash; restore it first"):
        retry_run(run, user=alice)


def test_deleting_for_good_leaves_only_models_and_a_note(storage, alice):
    kept = ended_sweep(0.1, owner=alice, name="kept")
    sweep = trashed(alice, 0.4, 0.9)
    version = register_model(sweep.runs.get(number=1), name="digits", user=alice)
    later = make_sweep(owner=alice, name="later", is_running=False)
    run = sweep.runs.get(number=0)
    WarmStart.objects.create(
        sweep=kept, position=0, parent=sweep, parent_public_id="HD_x", parent_name="digits"
    )
    Resumption.objects.create(
        sweep=kept, position=0, source=run, source_public_id=run.public_id, params={}
    )

    removal = carry_on(delete_for_good(sweep, user=alice), seconds=LONG)

    assert removal.finished_at is not None
    assert (removal.run_count, removal.expected_bytes) == (2, 2 * ALL)
    assert removal.freed_bytes == 2 * ALL
    assert (removal.name, removal.requested_by, removal.sweep) == ("digits", alice, None)
    assert set(Sweep.objects.all()) == {kept, later}
    for rows in (Run, Artifact, MetricChunk, Event):
        field = "run__sweep" if rows is Artifact else "sweep"
        assert not rows.objects.exclude(**{f"{field}__in": [kept, later]}).exists()
    assert files_below(storage / "runs") == {
        f"{kept.public_id}/0/{name}"
        for name in (
            "outputs/model.bin",
            "outputs/deep/notes.txt",
            "uploads/checkpoints/last.bin",
            "logs/std_log.txt",
        )
    }
    stays = ModelVersion.objects.get(pk=version.pk)
    assert (stays.run, stays.sweep, stays.metric_value) == (None, None, 0.9)
    assert "model.bin" in {f.path for f in stays.files.all()}
    assert WarmStart.objects.get().parent is None
    assert Resumption.objects.get().source is None


def test_only_what_is_in_the_trash_is_deleted_and_only_once(storage, alice):
    sweep = ended_sweep(0.5, owner=alice)
    with pytest.raises(Refused, match="is not in the trash; move it there first"):
        delete_for_good(sweep, user=alice)

    trash_sweep(sweep, user=alice)
    first, second = (delete_for_good(sweep, user=alice) for _ in range(2))
    assert first == second
    with pytest.raises(Refused, match="being deleted for good"):
        restore_sweep(sweep, user=alice)


def test_sweep_that_a_live_one_goes_on_from_waits_for_its_end(storage, alice, settings):
    sweep = ended_sweep(0.5, owner=alice)
    later = make_sweep(owner=alice, name="later", resume_from=[sweep.public_id])
    trash_sweep(sweep, user=alice)
    Sweep.objects.filter(pk=sweep.pk).update(trashed_at=timezone.now() - timedelta(days=31))

    begun, refused = empty_trash([sweep], user=alice)
    assert begun == []
    assert refused == [
        f'The sweep "later" ({later.public_id}) is live and goes on from "digits"; '
        "wait for its end or cancel it first."
    ]
    assert begin_overdue(timezone.now()) == 0

    cancel_sweep(later, user=alice)
    assert begin_overdue(timezone.now()) == 1


def test_purge_comes_after_the_days_and_never_without(storage, alice, settings):
    sweep, fresh = trashed(alice, 0.5), trashed(alice, 0.6)
    now = timezone.now()
    Sweep.objects.filter(pk=sweep.pk).update(trashed_at=now - timedelta(days=30, minutes=1))

    settings.STUDIO_TRASH_DAYS = 0
    look_after(now)
    assert Sweep.objects.count() == 2

    settings.STUDIO_TRASH_DAYS = 30
    look_after(now)
    carry_on_all(seconds=LONG)
    assert list(Sweep.objects.all()) == [fresh]
    assert Removal.objects.get().requested_by is None


def test_purge_in_the_smallest_pieces_comes_to_the_same_end(storage, alice, monkeypatch):
    sweep = trashed(alice, *[0.1 * n for n in range(12)])
    removal = delete_for_good(sweep, user=alice)
    monkeypatch.setattr(removals, "_BATCH", 1)

    looks = 0
    while removal.finished_at is None:
        looks += 1
        removal = carry_on(removal, seconds=0)  # one file, or the rows of one run
        assert looks < 500
        assert Sweep.objects.filter(pk=sweep.pk).exists() or removal.finished_at

    assert looks > 12 * 5
    assert removal.freed_bytes == 12 * ALL
    assert not Run.objects.exists()
    assert not (storage / "runs" / sweep.public_id).exists()


def test_what_cannot_be_removed_is_told_and_tried_again(storage, alice, monkeypatch):
    sweep = trashed(alice, 0.5)
    removal = delete_for_good(sweep, user=alice)

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        removal = carry_on(removal, seconds=LONG)
    assert removal.finished_at is None
    assert "Permission denied" in removal.problem
    assert removals.open_removals() == []  # it rests for a minute

    Removal.objects.update(problem_at=timezone.now() - timedelta(seconds=61))
    carry_on_all(seconds=LONG)
    removal.refresh_from_db()
    assert removal.finished_at is not None
    assert removal.problem == ""


def test_nothing_outside_the_storage_is_touched(storage, alice, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "thesis.txt").write_text("years")
    sweep = trashed(alice, 0.5)
    folder = storage / "runs" / sweep.public_id
    (folder / "0" / "outputs" / "link").symlink_to(precious)
    (folder / "1").symlink_to(precious)
    os.link(precious / "thesis.txt", folder / "0" / "outputs" / "copy.txt")
    locked = folder / "0" / "resume-from"
    locked.mkdir()
    (locked / "old.txt").write_text("old")
    locked.chmod(0o500)

    removal = carry_on(delete_for_good(sweep, user=alice), seconds=LONG)

    assert removal.finished_at is not None
    assert removal.freed_bytes == ALL + 3  # neither links nor the second name of a file
    assert (precious / "thesis.txt").read_text() == "years"
    for path in (precious, storage / ".." / "precious", storage):
        with pytest.raises(ValueError, match="not in the storage"):
            removed_files.remove_trees([path], until=float("inf"))


def test_empty_trash_takes_one_workspace_at_most(storage, alice):
    charlie = make_user("charlie")
    theirs = ended_sweep(
        0.5, owner=charlie, workspace=make_workspace(charlie, name="Elsewhere"), name="theirs"
    )
    trash_sweep(theirs, user=charlie)
    trashed(alice, 0.5)

    begun, refused = empty_trash(queries.trashed_for(alice), user=alice)

    assert ([r.name for r in begun], refused) == (["digits"], [])
