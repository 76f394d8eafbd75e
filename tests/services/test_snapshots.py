"""Snapshots: what is submitted, what is refused, and that nothing leaves its directory."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from pathlib import Path

import pytest

from experiments import snapshot_rules
from experiments.models import Snapshot
from experiments.problems import ProblemsError
from experiments.services.snapshots import (
    file_names,
    script_names,
    snapshot_directory,
    snapshot_path,
    snapshot_zip,
)
from experiments.snapshot_rules import check_zip, is_safe_name, list_files, write_zip
from studio.sdk import source_files
from tests.factories import make_workspace


@pytest.fixture
def storage(settings, tmp_path):
    """A storage of its own."""
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return settings.STUDIO_STORAGE_ROOT


@pytest.fixture
def source(tmp_path):
    """A source directory with a script."""
    return tree(tmp_path / "source", {"train.py": "print(1)", "lib/model.py": "x = 1"})


@pytest.fixture
def workspace(db):
    return make_workspace()


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def zip_of(files: dict[str, bytes], **changes) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            for key, value in changes.items():
                setattr(info, key, value)
            archive.writestr(info, data, compress_type=zipfile.ZIP_DEFLATED)
    target.seek(0)
    return target


def names(directory: Path) -> list[str]:
    return [file.name for file in list_files(directory)]


def test_a_directory_is_listed_with_relative_names(source):
    assert names(source) == ["lib/model.py", "train.py"]


def test_rubbish_and_environments_are_never_submitted(source):
    tree(
        source,
        {
            ".git/HEAD": "ref",
            "__pycache__/train.pyc": "",
            "lib/__pycache__/model.cpython-311.pyc": "",
            ".venv/pyvenv.cfg": "",
            ".venv/lib/site.py": "",
            ".ipynb_checkpoints/a.ipynb": "",
        },
    )

    assert names(source) == ["lib/model.py", "train.py"]


def test_gitignore_is_followed(source):
    tree(
        source,
        {".gitignore": "data/\n*.log\n!keep.log\n", "data/x": "", "a.log": "", "keep.log": ""},
    )

    assert names(source) == [".gitignore", "keep.log", "lib/model.py", "train.py"]


def test_amlignore_beats_gitignore(source):
    tree(
        source,
        {".gitignore": "*.csv\n", ".amlignore": "secret.txt\n", "a.csv": "", "secret.txt": ""},
    )

    assert names(source) == [".amlignore", ".gitignore", "a.csv", "lib/model.py", "train.py"]


def test_the_same_content_gives_the_same_bytes(source, tmp_path):
    other = tree(tmp_path / "other", {"lib/model.py": "x = 1", "train.py": "print(1)"})
    os.utime(other / "train.py", (1, 1))
    (other / "train.py").chmod(0o600)

    digests = [write_zip(list_files(d), io.BytesIO()) for d in (source, other)]

    assert digests[0] == digests[1]


def test_the_executable_bit_is_kept(source):
    (source / "train.py").chmod(0o755)
    target = io.BytesIO()

    write_zip(list_files(source), target)

    modes = {i.filename: i.external_attr >> 16 for i in zipfile.ZipFile(target).infolist()}
    assert modes == {
        "train.py": stat.S_IFREG | 0o755,
        "lib/model.py": stat.S_IFREG | 0o644,
    }


def test_a_link_inside_is_followed_and_one_that_leads_out_is_refused(source, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (source / "copy.py").symlink_to(source / "train.py")
    assert names(source) == ["copy.py", "lib/model.py", "train.py"]
    (source / "stolen").symlink_to(tmp_path / "secret")
    (source / "loop").symlink_to(source)

    with pytest.raises(ProblemsError) as error:
        list_files(source)

    assert [p.message for p in error.value.problems] == [
        '"loop" is a link to a directory, which is not followed. Copy it or list it in .amlignore.',
        '"stolen" is a link to a file outside of it, which is not followed. '
        "Copy it or list it in .amlignore.",
    ]


def test_ignored_links_do_no_harm(source, tmp_path):
    (source / "data").symlink_to(tmp_path)
    (source / ".amlignore").write_text("data\n")

    assert names(source) == [".amlignore", "lib/model.py", "train.py"]


@pytest.mark.parametrize("kind", ["missing", "empty", "file"])
def test_a_directory_without_files_is_refused(tmp_path, kind):
    path = tmp_path / "x"
    if kind == "empty":
        path.mkdir()
    elif kind == "file":
        path.write_text("")

    with pytest.raises(ProblemsError, match="source_directory: "):
        list_files(path)


def test_too_many_files_are_refused(source, monkeypatch):
    monkeypatch.setattr(source_files, "MAX_FILES", 1)

    with pytest.raises(ProblemsError, match="has more than 1 files; at most 2000 files and 300 MB"):
        list_files(source)


def test_too_many_bytes_are_refused(source, monkeypatch):
    monkeypatch.setattr(source_files, "MAX_BYTES", 10)

    with pytest.raises(ProblemsError, match=r"300 MB are allowed\. List what the script does not"):
        list_files(source)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../up", "a/../../up", "a\\b", "C:/x", "", "a/\x00b"]
)
def test_names_that_lead_out_are_not_safe(name):
    assert not is_safe_name(name)


@pytest.mark.parametrize("name", ["a", "a/b.py", "..a", "a..b/c", "ünï/ç"])
def test_names_that_stay_inside_are_safe(name):
    assert is_safe_name(name)


@pytest.mark.parametrize(
    ("archive", "text"),
    [
        (zip_of({"../up.py": b""}), "'../up.py' leads out of the snapshot; use relative names"),
        (zip_of({"/up.py": b""}), "'/up.py' leads out of the snapshot"),
        (
            zip_of({"link": b"/etc/passwd"}, external_attr=(stat.S_IFLNK | 0o777) << 16),
            "'link' is a link or a device",
        ),
        (zip_of({}), "The zip has no files in it"),
        (io.BytesIO(b"no zip at all"), "not a zip that can be read"),
        (io.BytesIO(zip_of({"a": b"x" * 5000}).getvalue()[:60]), "not a zip that can be read"),
    ],
)
def test_uploads_that_are_not_safe_are_refused(archive, text):
    with pytest.raises(ProblemsError, match=text):
        check_zip(archive)


def test_a_zip_that_lies_about_its_size_is_found_out(monkeypatch):
    monkeypatch.setattr(snapshot_rules, "MAX_BYTES", 1000)
    bomb = zip_of({"a": b"\x00" * 100_000})
    raw = bytearray(bomb.getvalue())
    small = (10).to_bytes(4, "little")
    at = raw.find(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    raw[at : at + 4] = small

    with pytest.raises(ProblemsError):
        check_zip(io.BytesIO(bytes(raw)))
    with pytest.raises(ProblemsError, match="larger than at most"):
        check_zip(bomb)


def test_a_directory_is_stored_once(storage, source, workspace):
    first, again = (snapshot_directory(source, workspace=workspace) for _ in range(2))

    assert first == again
    assert (first.file_count, Snapshot.objects.count()) == (2, 1)
    path = snapshot_path(first)
    assert path == storage / "snapshots" / first.digest[:2] / f"{first.digest}.zip"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == first.digest
    assert first.size_bytes == path.stat().st_size
    assert [p for p in storage.rglob("*") if p.is_file()] == [path]


def test_an_upload_is_stored_under_the_hash_of_its_bytes(storage, workspace):
    archive = zip_of({"train.py": b"print(1)", "data.csv": b"1"})
    digest = hashlib.sha256(archive.getvalue()).hexdigest()

    snapshot = snapshot_zip(archive, workspace=workspace)

    assert snapshot.digest == digest
    assert file_names(snapshot) == ["data.csv", "train.py"]
    assert script_names(snapshot) == ["train.py"]


def test_a_refused_upload_leaves_no_row_and_no_file(storage, workspace):
    with pytest.raises(ProblemsError):
        snapshot_zip(zip_of({"../up.py": b""}), workspace=workspace)

    assert not Snapshot.objects.exists()
    assert not [p for p in storage.rglob("*") if p.is_file()]


def test_a_zip_of_the_command_line_and_of_the_studio_are_the_same(storage, source, workspace):
    target = io.BytesIO()
    write_zip(list_files(source), target)
    target.seek(0)

    assert snapshot_zip(target, workspace=workspace) == snapshot_directory(
        source, workspace=workspace
    )


def test_a_name_that_is_file_and_folder_is_refused():
    with pytest.raises(ProblemsError, match="'a' is both a file and a folder"):
        check_zip(zip_of({"a": b"", "a/b": b""}))


def test_an_endless_upload_is_cut_off_before_it_fills_the_disk(storage, monkeypatch, workspace):
    monkeypatch.setattr("experiments.services.snapshots.MAX_BYTES", 1024)
    monkeypatch.setattr("experiments.services.snapshots._OVERHEAD", 1024)

    with pytest.raises(ProblemsError, match="The upload is larger than"):
        snapshot_zip(io.BytesIO(b"x" * 4096), workspace=workspace)

    assert not [p for p in storage.rglob("*") if p.is_file()]


def test_a_line_that_is_no_pattern_ignores_nothing(source):
    tree(source, {".amlignore": "[a\n!\n/\nnotes\\\n", "a": ""})

    assert names(source) == [".amlignore", "a", "lib/model.py", "train.py"]
