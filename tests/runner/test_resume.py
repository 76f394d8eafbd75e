"""A resumed run gets the old outputs for reading only, and goes on from them for real."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from experiments.models import Artifact, Run
from runner.resume import copy_outputs, remove_copy
from tests.runner.attempts import HEAD, log_of, queue, run_to_end

TRAIN = HEAD + (
    "import argparse, json, os, pathlib\n"
    "parser = argparse.ArgumentParser()\n"
    "parser.add_argument('--rate', type=float)\n"
    "parser.add_argument('--optimizer')\n"
    "parser.add_argument('--resume-from')\n"
    "args = parser.parse_args()\n"
    "epoch = 0\n"
    "if args.resume_from:\n"
    "    epoch = json.loads(pathlib.Path(args.resume_from, 'deep/state.json').read_text())\n"
    "print(os.environ.get('AZUREML_DATAREFERENCE_MODEL_LOCATION'))\n"
    "for epoch in range(epoch + 1, epoch + 4):\n    run.log('accuracy', epoch / 10)\n"
    "pathlib.Path('outputs/deep').mkdir(parents=True, exist_ok=True)\n"
    "pathlib.Path('outputs/deep/state.json').write_text(json.dumps(epoch))\n"
)


@pytest.fixture
def folders(tmp_path):
    """Two folders for two submissions."""
    for name in ("first", "second", "third"):
        (tmp_path / name).mkdir()
    return [tmp_path / name for name in ("first", "second", "third")]


pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


def resume(run: Run, folder: Path, code: str = TRAIN, **spec) -> Run:
    """Submit a sweep that resumes a run, and execute it."""
    return run_to_end(queue(folder, code, resume_child_runs=[run.public_id], **spec))


def test_resumed_run_goes_on_from_the_checkpoint(folders):
    old = run_to_end(queue(folders[0], TRAIN))

    run = resume(old, folders[1])

    assert (run.state, run.params) == ("Completed", old.params)
    assert (old.best_value, run.best_value, run.reports) == (0.3, 0.6, 3)
    place = str(Path(run.directory) / "resume-from")
    assert run.arguments == ["--rate", "0.25", "--optimizer", "adam w", "--resume-from", place]
    assert run.command[1:] == ["train.py", *run.arguments]
    assert log_of(run) == f"{place}\n"
    assert not Path(place).exists()
    paths = set(Artifact.objects.filter(run=run).values_list("path", flat=True))
    assert paths == {"outputs/deep/state.json", "logs/std_log.txt"}
    kept = Path(run.directory) / "outputs/deep/state.json"
    assert json.loads(kept.read_text()) == 6


def test_resumed_run_can_be_resumed_again(folders):
    first = run_to_end(queue(folders[0], TRAIN))
    second = resume(first, folders[1])

    third = resume(second, folders[2])

    assert third.best_value == 0.9
    assert third.arguments.count("--resume-from") == 1


def test_script_can_change_neither_the_copy_nor_the_old_outputs(folders):
    old = run_to_end(queue(folders[0], TRAIN))
    code = HEAD + (
        "import pathlib, stat, sys\n"
        "place = pathlib.Path(sys.argv[-1], 'deep/state.json')\n"
        "print(oct(place.stat().st_mode & 0o777), oct(place.parent.stat().st_mode & 0o777))\n"
        "place.chmod(0o600)\nplace.write_text('99')\nrun.log('accuracy', 1)\n"
    )

    run = resume(old, folders[1], code)

    assert (run.state, log_of(run)) == ("Completed", "0o444 0o555\n")
    assert (Path(old.directory) / "outputs/deep/state.json").read_text() == "3"


def test_command_gets_the_folder_after_its_own_words(folders):
    old = run_to_end(queue(folders[0], TRAIN))
    command = "python train.py --rate ${{search_space.rate}} --optimizer x"

    run = resume(old, folders[1], command=command, script=None)

    assert (run.state, run.best_value) == ("Completed", 0.6)
    assert run.command[-2] == "--resume-from"


def test_run_fails_with_a_sentence_when_the_old_outputs_are_gone(folders):
    old = run_to_end(queue(folders[0], TRAIN))
    queued = queue(folders[1], TRAIN, resume_child_runs=[old.public_id])
    shutil.rmtree(old.directory)

    run = run_to_end(queued)

    assert (run.state, run.end_reason) == ("Failed", "bad_command")
    assert run.reason == (
        f"The command could not be started: the outputs of run {old.public_id}, to go on from, "
        "are gone"
    )


def test_run_fails_with_a_sentence_when_the_old_run_was_deleted(folders):
    old = run_to_end(queue(folders[0], TRAIN))
    queued = queue(folders[1], TRAIN, resume_child_runs=[old.public_id])
    old.sweep.delete()

    run = run_to_end(queued)

    assert run.reason.endswith(f"the outputs of run {old.public_id}, to go on from, are gone")


def test_copy_has_uploads_and_files_of_both_places_and_ticks(tmp_path):
    old, target, ticks = tmp_path / "old", tmp_path / "new" / "resume-from", []
    for name, text in {
        "outputs/model.bin": "x" * (3 << 20),
        "outputs/run.sh": "#!/bin/sh",
        "uploads/outputs/more/late.txt": "late",
        "uploads/other.txt": "not of outputs",
        "logs/std_log.txt": "log",
    }.items():
        path = old / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (old / "outputs/run.sh").chmod(0o755)
    (old / "outputs/link").symlink_to("/etc/passwd")

    count = copy_outputs(old, target, lambda: ticks.append(1))

    found = {
        str(path.relative_to(target)): stat.S_IMODE(path.stat().st_mode)
        for path in target.rglob("*")
        if path.is_file()
    }
    assert count == 3
    assert found == {"model.bin": 0o444, "run.sh": 0o555, "more/late.txt": 0o444}
    assert len(ticks) == 5
    assert (target / "model.bin").stat().st_ino != (old / "outputs/model.bin").stat().st_ino


def test_copy_is_made_again_and_removed_although_it_is_read_only(tmp_path):
    old, target = tmp_path / "old", tmp_path / "new"
    (old / "outputs" / "deep").mkdir(parents=True)
    (old / "outputs" / "deep" / "a.txt").write_text("1")
    copy_outputs(old, target, lambda: None)

    copy_outputs(old, target, lambda: None)
    assert [path.name for path in (target / "deep").iterdir()] == ["a.txt"]
    remove_copy(target)
    remove_copy(target)

    assert not target.exists()
    with pytest.raises(FileNotFoundError, match="no outputs"):
        copy_outputs(tmp_path / "nothing", target, lambda: None)
