"""What every storage promises, asked of a folder and of a bucket in a real S3 service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.storage.base import Deleted, Storage, StorageError
from experiments.storage.folder import FolderStorage
from experiments.storage.trees import StoredTree, download
from tests.s3 import S3Service, running_service

# Larger than one part of an upload and than two reads.
LARGE = bytes(range(256)) * 4 * 1024 * 9
ODD = 'runs/HD_1/0/outputs/a b#é?%20[1]*~\\{^}|"<>\x7f.txt'


@pytest.fixture(scope="module")
def s3_service() -> Iterator[S3Service]:
    with running_service() as service:
        service.make_bucket("contract")
        yield service


@pytest.fixture(params=["folder", "bucket"])
def storage(request, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return FolderStorage(tmp_path / "kept")
    service = request.getfixturevalue("s3_service")
    return service.open("contract", f"of/{request.node.name.split('[')[0]}-{time.time_ns()}")


def put(storage: Storage, tmp_path: Path, **files: bytes | str) -> None:
    """Put files under names; `__` stands for a slash."""
    put_named(storage, tmp_path, {name.replace("__", "/"): raw for name, raw in files.items()})


def put_named(storage: Storage, tmp_path: Path, files: dict[str, bytes | str]) -> None:
    sources = {}
    for number, (name, raw) in enumerate(files.items()):
        sources[name] = tmp_path / f"source-{number}"
        sources[name].write_bytes(raw.encode() if isinstance(raw, str) else raw)
    storage.put(sources)


def names(storage: Storage, prefix: str) -> list[str]:
    return sorted(file.name for file in storage.files(prefix))


def test_a_file_comes_back_whole_and_in_pieces(storage: Storage, tmp_path: Path):
    before = time.time()
    put_named(storage, tmp_path, {ODD: "odd", "a/large": LARGE, "a/empty": b""})

    assert b"".join(storage.read("a/large")) == LARGE
    assert b"".join(storage.read("a/large", 5_000_000, 5_000_007)) == LARGE[5_000_000:5_000_007]
    assert b"".join(storage.read("a/large", len(LARGE) - 3)) == LARGE[-3:]
    assert b"".join(storage.read("a/large", len(LARGE) + 3, len(LARGE) + 9)) == b""
    assert b"".join(storage.read("a/empty")) == b""
    assert b"".join(storage.read(ODD, 1, 99)) == b"dd"
    assert names(storage, "runs") == [ODD]
    found = storage.stat("a/large")
    assert (found.name, found.size) == ("a/large", len(LARGE))
    assert abs(found.modified - before) < 600


def test_a_second_file_of_the_same_name_replaces_the_first(storage: Storage, tmp_path: Path):
    put(storage, tmp_path, a__b="first, and longer")
    put(storage, tmp_path, a__b="second")

    assert b"".join(storage.read("a/b")) == b"second"
    assert storage.size("a") == 6


def test_what_is_not_there_is_said(storage: Storage, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        storage.stat("runs/none")
    with pytest.raises(FileNotFoundError):
        storage.read("runs/none")
    assert names(storage, "runs") == []
    assert storage.size("runs") == 0
    assert storage.delete("runs/none") == 0
    assert storage.delete_tree("runs") == Deleted(0, is_done=True)


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "", "a\0b"])
def test_a_name_stays_inside(storage: Storage, tmp_path: Path, name: str):
    (tmp_path / "x").write_text("x")

    with pytest.raises(ValueError, match="no name of a file"):
        storage.put({name: tmp_path / "x"})


def test_a_folder_is_listed_measured_and_removed_alone(storage: Storage, tmp_path: Path):
    put(storage, tmp_path, runs__1__a="12", runs__1__b__c="345", runs__10__a="6789", top="0")

    assert names(storage, "runs/1") == ["runs/1/a", "runs/1/b/c"]
    assert storage.size("runs/1") == 5
    assert storage.delete_tree("runs/1") == Deleted(5, is_done=True)
    assert names(storage, "runs") == ["runs/10/a"]
    assert storage.delete("runs/10/a") == 4
    assert storage.size("runs") == 0
    assert b"".join(storage.read("top")) == b"0"


def test_a_removal_whose_time_is_up_goes_on_where_it_was(storage: Storage, tmp_path: Path):
    put_named(storage, tmp_path, {f"many/{n}": "x" for n in range(21)})

    first = storage.delete_tree("many", until=time.monotonic())

    assert not first.is_done
    assert 0 < first.freed_bytes < 21
    rest = storage.delete_tree("many")
    assert rest.is_done
    assert first.freed_bytes + rest.freed_bytes == 21


def test_putting_tells_that_it_lives_and_can_be_stopped(storage: Storage, tmp_path: Path):
    ticks = []
    (tmp_path / "x").write_text("x")
    storage.put({"a/x": tmp_path / "x"}, lambda: ticks.append(1))

    def stop() -> None:
        raise InterruptedError

    (tmp_path / "y").write_text("y")
    with pytest.raises(InterruptedError):
        storage.put({"a/y": tmp_path / "y"}, stop)
    assert ticks
    assert b"".join(storage.read("a/x")) == b"x"


def test_a_source_that_is_gone_leaves_nothing(storage: Storage, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        storage.put({"a/gone": tmp_path / "gone"})

    assert names(storage, "a") == []


def test_a_tree_shows_the_files_of_a_run(storage: Storage, tmp_path: Path):
    put_named(
        storage,
        tmp_path,
        {
            "runs/HD_1/0/outputs/deep/model.pt": "weights",
            "runs/HD_1/0/uploads/outputs/late.txt": "late",
            "runs/HD_1/0/uploads/plots/loss.png": "png",
            "runs/HD_1/0/logs/std_log.txt": "one\ntwö\n",
            "runs/HD_1/0/metrics.jsonl": "{}\n",
            "runs/HD_1/1/outputs/other": "",
        },
    )
    tree = StoredTree(storage, "runs/HD_1/0")

    assert [(file.path, file.size_bytes) for file in tree.files()] == [
        ("logs/std_log.txt", 9),
        ("outputs/deep/model.pt", 7),
        ("outputs/late.txt", 4),
        ("plots/loss.png", 3),
    ]
    assert b"".join(tree.find("plots/loss.png").blocks()) == b"png"
    assert b"".join(tree.find("outputs/late.txt").blocks()) == b"late"
    assert sorted(name for name, _ in tree.outputs()) == ["deep/model.pt", "late.txt"]
    assert tree.read_text("logs/std_log.txt", 4, 3).text == "tw"
    assert tree.read_text("logs/std_log.txt", 99, 3).offset == 9
    assert tree.read_text("logs/none.txt", 0, 3).size == 0
    for path in ("metrics.jsonl", "../1/outputs/other", "/etc/passwd", ""):
        with pytest.raises(FileNotFoundError):
            tree.find(path)


def test_a_download_is_verified_by_its_hash(storage: Storage, tmp_path: Path):
    put(storage, tmp_path, runs__HD_1__0__outputs__a="as it was")
    source = StoredTree(storage, "runs/HD_1/0").find("outputs/a")
    digest = "5b6a6f1cd9b1c1a7cd3c6d2b1d4c1f8c5f1e0d9b8a7c6d5e4f3a2b1c0d9e8f7a"

    with pytest.raises(StorageError, match="another SHA-256"):
        download(source, tmp_path / "here", digest=digest)

    assert not (tmp_path / "here").exists()
    download(source, tmp_path / "here")
    assert (tmp_path / "here").read_bytes() == b"as it was"


def test_a_check_leaves_nothing(storage: Storage):
    assert "written, read and deleted" in storage.check()
    assert names(storage, "probes") == []
