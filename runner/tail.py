"""Read what has come to a journal of reports since the last look.

Pure. Half a line waits for its rest; a line that is no report is counted and skipped.
"""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Final

from pydantic_core import from_json

from experiments.reported import Report
from studio.sdk.run import parse_report

# So much is read at once: bounds the size of one transaction and the memory it takes.
_BLOCK: Final = 1 << 20
# Longer than any report; a script that writes such a line wrote something else.
_MAX_LINE: Final = 1 << 16


class JournalTail:
    """An incremental reader of one journal, from `offset` on."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self._path = path
        self.offset = offset
        self.skipped = 0
        # Whether the last look found more than one block.
        self.is_behind = False

    def read(self) -> list[Report]:
        """Return the reports of the next block; advances over them. Empty: nothing new.

        Their `seq` is where their line ends in the journal, so it grows and never repeats.
        """
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
        reports = []
        position = self.offset
        for line in data[:end].split(b"\n")[:-1]:
            position += len(line) + 1
            report = _usual(line, position) or _report(line, position)
            if report is None:
                self.skipped += bool(line.strip())
            else:
                reports.append(report)
        self.offset = position
        return reports

    def _skip_overlong(self, data: bytes) -> list[Report]:
        if len(data) == _BLOCK:  # a megabyte without a line end is garbage: step over it
            self.offset += len(data)
            self.skipped += 1
        return []


def _usual(line: bytes, end: int) -> Report | None:
    """Return a finite number as `format_report` writes it, in half the time; None for the rest."""
    try:
        fields = from_json(line)
        name, value, time, step = fields["n"], fields["v"], fields["t"], fields.get("s")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if (
        type(value) is float
        and type(time) is float
        and isfinite(time)
        and type(name) is str
        and (step is None or (type(step) is float and isfinite(step)))
        and len(line) <= _MAX_LINE
    ):
        return Report(end, name, value, step, time)
    return None


def _report(line: bytes, end: int) -> Report | None:
    parsed = parse_report(line) if len(line) <= _MAX_LINE else None
    if parsed is None:
        return None
    name, value, step, time = parsed
    return Report(end, name, value, step, time)
