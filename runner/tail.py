"""Read what has come to a journal of reports since the last look.

Pure. Half a line waits for its rest; a line that is no report is counted and skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from studio.sdk.run import parse_report

# So much is read at once: bounds the size of one transaction and the memory it takes.
_BLOCK: Final = 1 << 20
# Longer than any report; a script that writes such a line wrote something else.
_MAX_LINE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One report; `seq` is where its line ends in the journal, so it grows and never repeats."""

    seq: int
    name: str
    value: float | str
    step: float | None
    time: float


class JournalTail:
    """An incremental reader of one journal, from `offset` on."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = offset
        self.skipped = 0
        # Whether the last look found more than one block.
        self.is_behind = False

    def read(self) -> list[JournalEntry]:
        """Return the entries of the next block; advances over them. Empty: nothing new."""
        try:
            with self._path.open("rb") as file:
                file.seek(self.offset)
                data = file.read(_BLOCK)
        except FileNotFoundError:
            return []
        self.is_behind = len(data) == _BLOCK
        end = data.rfind(b"\n") + 1
        if not end:
            return self._skip_overlong(data)
        entries = []
        position = self.offset
        for line in data[:end].split(b"\n")[:-1]:
            position += len(line) + 1
            parsed = parse_report(line) if len(line) <= _MAX_LINE else None
            if parsed is None:
                self.skipped += bool(line.strip())
            else:
                name, value, step, time = parsed
                entries.append(JournalEntry(position, name, value, step, time))
        self.offset = position
        return entries

    def _skip_overlong(self, data: bytes) -> list[JournalEntry]:
        if len(data) == _BLOCK:  # a megabyte without a line end is garbage: step over it
            self.offset += len(data)
            self.skipped += 1
        return []
