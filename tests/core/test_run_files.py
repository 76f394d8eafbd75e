"""The tree of a run's files: what is listed, what is refused, how text is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.run_files import RunFile, find_file, list_files, read_text


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    directory = tmp_path / "run"
    for name, text in {
        "outputs/model.bin": "weights",
        "outputs/deep/er/x.txt": "x",
        "logs/std_log.txt": "hello\n",
        "metrics.jsonl": "{}",
        "code/train.py": "print()",
        "code/logs/own.txt": "mine",
    }.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (tmp_path / "secret").write_text("s3cret", encoding="utf-8")
    return directory


def test_list_files_shows_both_trees_and_the_live_ones(run_directory: Path) -> None:
    assert list_files(run_directory) == [
        RunFile("logs/own.txt", 4),
        RunFile("logs/std_log.txt", 6),
        RunFile("outputs/deep/er/x.txt", 1),
        RunFile("outputs/model.bin", 7),
    ]


def test_list_files_of_an_absent_directory_is_empty(tmp_path: Path) -> None:
    assert list_files(tmp_path / "none") == []


def test_list_files_leaves_out_links_that_lead_away(run_directory: Path, tmp_path: Path) -> None:
    (run_directory / "outputs/leak").symlink_to(tmp_path / "secret")
    (run_directory / "outputs/dangling").symlink_to(tmp_path / "nothing")
    (run_directory / "outputs/all").symlink_to(tmp_path, target_is_directory=True)
    (run_directory / "outputs/alias").symlink_to(run_directory / "outputs/model.bin")

    paths = [file.path for file in list_files(run_directory)]

    assert paths == [
        "logs/own.txt",
        "logs/std_log.txt",
        "outputs/alias",
        "outputs/deep/er/x.txt",
        "outputs/model.bin",
    ]


@pytest.mark.parametrize("path", ["outputs/model.bin", "logs/std_log.txt", "logs/own.txt"])
def test_find_file_finds_what_is_listed(run_directory: Path, path: str) -> None:
    assert find_file(run_directory, path).name == Path(path).name


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "outputs/../../secret",
        "outputs/../metrics.jsonl",
        "/etc/passwd",
        "metrics.jsonl",
        "code/train.py",
        "outputs",
        "outputs/none",
        "outputs/leak",
        "outputs/all/secret",
        "outputs/model.bin\0",
        "",
    ],
)
def test_find_file_refuses_everything_else(run_directory: Path, tmp_path: Path, path: str) -> None:
    (run_directory / "outputs/leak").symlink_to(tmp_path / "secret")
    (run_directory / "outputs/all").symlink_to(tmp_path, target_is_directory=True)

    with pytest.raises(FileNotFoundError):
        find_file(run_directory, path)


def test_read_text_never_cuts_a_character(tmp_path: Path) -> None:
    text = "aä€😀z" * 7
    path = tmp_path / "log"
    path.write_text(text, encoding="utf-8")

    for limit in range(4, 12):
        pieces, offset = [], 0
        while offset < path.stat().st_size:
            piece = read_text(path, offset, limit)
            pieces.append(piece.text)
            assert piece.next_offset > offset
            offset = piece.next_offset
        assert "".join(pieces) == text


def test_read_text_shows_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"ok \xff\xfe end")

    assert read_text(path, 0, 100).text == "ok \ufffd\ufffd end"


def test_read_text_behind_the_end_says_the_true_size(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"abc")

    piece = read_text(path, 50, 10)

    assert (piece.text, piece.next_offset, piece.size) == ("", 3, 3)


def test_read_text_of_an_absent_file_is_empty(tmp_path: Path) -> None:
    assert read_text(tmp_path / "none", 5, 10).next_offset == 0


def test_uploads_stand_in_the_tree_under_their_own_names(
    run_directory: Path, tmp_path: Path
) -> None:
    for name in ("plots/loss.png", "model.onnx"):
        path = run_directory / "uploads" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("up", encoding="utf-8")
    (run_directory / "uploads/leak").symlink_to(tmp_path / "secret")

    paths = [file.path for file in list_files(run_directory)]

    assert [path for path in paths if not path.startswith(("logs/", "outputs/"))] == [
        "model.onnx",
        "plots/loss.png",
    ]
    assert find_file(run_directory, "plots/loss.png").read_text(encoding="utf-8") == "up"
    for path in ("leak", "uploads/model.onnx", "../secret", "metrics.jsonl", "/etc/passwd", ""):
        with pytest.raises(FileNotFoundError):
            find_file(run_directory, path)


def test_uploads_behind_a_link_are_none(run_directory: Path, tmp_path: Path) -> None:
    (run_directory / "uploads").symlink_to(tmp_path, target_is_directory=True)

    assert "secret" not in [file.path for file in list_files(run_directory)]
    with pytest.raises(FileNotFoundError):
        find_file(run_directory, "secret")
