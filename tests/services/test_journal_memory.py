"""What is remembered of a journal: whoever wrote it, until a megabyte later, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments.services.journal_memory import REMEMBERED, JournalMemory, Memories


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b"first\nsecond\n")
    return path


@pytest.fixture
def journal(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_APPEND)
    yield file
    os.close(file)


def test_lines_of_others_are_known(path: Path, journal: int) -> None:
    memory = JournalMemory()
    memory.catch_up(journal)
    os.write(journal, b"third\nhalf")

    memory.catch_up(journal)

    lines = [b"first\n", b"third\n", b"new\n", b"half\n", b"new\n"]
    assert [*memory.unknown(lines).values()] == [b"new\n", b"half\n"]
    os.write(journal, b"\n")
    memory.catch_up(journal)
    assert memory.unknown([b"half\n"]) == {}


def test_a_megabyte_is_remembered_and_not_everything(path: Path, journal: int) -> None:
    memory = JournalMemory()
    memory.catch_up(journal)
    line = b"x" * 999 + b"\n"
    for part in range(6):
        os.write(journal, b"%d\n" % part + line * (REMEMBERED // 2000))
        memory.catch_up(journal)

    unknown = memory.unknown([b"first\n", b"0\n", b"4\n", b"5\n", line])
    assert [*unknown.values()] == [b"first\n", b"0\n"]


def test_journal_that_was_cut_is_read_anew(path: Path, journal: int) -> None:
    memory = JournalMemory()
    memory.catch_up(journal)
    path.write_bytes(b"third\n")

    memory.catch_up(journal)

    assert [*memory.unknown([b"first\n", b"third\n"]).values()] == [b"first\n"]


def test_journals_written_last_are_kept(tmp_path: Path) -> None:
    memories = Memories()
    files = [os.open(tmp_path / str(n), os.O_RDWR | os.O_CREAT) for n in range(17)]
    try:
        made = [memories.of(file) for file in files]
        assert memories.find(files[0]) is None
        assert [memories.find(file) for file in files[1:]] == made[1:]
    finally:
        for file in files:
            os.close(file)
