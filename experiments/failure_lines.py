r"""What failures have in common: the sentence about a run's end without what differs run by run.

Pure. Numbers, addresses, ids and folders become "…", so that "Tried to allocate 2.00 GiB" and
"Tried to allocate 512.00 MiB" are one failure; names of errors and files stay.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

GAP: Final = "…"
_MAX_LENGTH: Final = 300
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# How a process ended, which is told before the line that the script left.
_HOW: Final = re.compile(
    r"(Exit code -?\d+|Killed by signal \d+ \(\w+\)|The command could not be started"
    r"|The process ended without leaving an exit code|Stopped by the studio|Preempted)[:.]?\s*"
)
_UUID: Final = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"\b0x[0-9a-fA-F]+\b")
# Of paths the last part is kept: it is the same file in another folder.
_PATH: Final = re.compile(
    r"(?:[A-Za-z]:)?(?:~|\.{1,2})?[\\/](?:[^\s'\"<>|:,;()\\/]+[\\/])+(?=[^\s\\/])"
)
_DATE: Final = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
# Digests and ids: long, of hexadecimal digits, with digits and letters among them.
_HEX: Final = re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b", re.IGNORECASE)
# Digits that belong to a name stay: float32, conv2d, sm_86.
_NUMBER: Final = re.compile(
    r"(?<![A-Za-z\d.])(?:(?<![\w)\]])[-+])?\d[\d_]*(?:[.,]\d+)*(?:[eE][-+]?\d+)?(?!\w*[A-Za-z]\d)"
)
# 32x784, and 2.00 GiB here as 512.00 MiB there.
_SHAPE: Final = re.compile(r"(?<!\w)\d+(?:[x×]\d+)+(?!\w)")
_SIZE: Final = re.compile(rf"{GAP} ?(?:[kKMGT]?i?B|bytes|ms|s|%)(?!\w)")
_GIVEN_NUMBER: Final = re.compile(r"(?<=_)\d+\b")
_LIST: Final = re.compile(rf"{GAP}(?:\s*[,x×]\s*{GAP})+,?")
_GAPS: Final = re.compile(rf"{GAP}(?:[\s:./-]*{GAP})+")


@dataclass(frozen=True, slots=True)
class FailureLine:
    """A sentence in two parts: how the process ended, and the pattern of what it left."""

    how: str
    pattern: str

    @property
    def text(self) -> str:
        """Return both as one line."""
        return ": ".join(part for part in (self.how, self.pattern) if part)

    @property
    def literals(self) -> list[str]:
        """Return the parts of the pattern that are the same for all, longest first."""
        return sorted((part.strip() for part in self.pattern.split(GAP)), key=len, reverse=True)


@lru_cache(maxsize=4096)
def failure_line(reason: str) -> FailureLine:
    """Return what a sentence has in common with other failures of its kind.

    >>> failure_line("Exit code 1: KeyError: 'run 12'").text
    "Exit code 1: KeyError: 'run …'"
    """
    line = " ".join(_ANSI.sub("", reason).split())
    found = _HOW.match(line)
    how = found[1] if found else ""
    return FailureLine(how, _pattern(line[found.end() :] if found else line))


def _pattern(text: str) -> str:
    text = text[: 4 * _MAX_LENGTH]
    for what in (_UUID, _ADDRESS, _DATE):
        text = what.sub(GAP, text)
    text = _PATH.sub(f"{GAP}/", text)
    for what in (_SHAPE, _HEX, _NUMBER, _GIVEN_NUMBER, _SIZE):
        text = what.sub(GAP, text)
    text = _GAPS.sub(GAP, _LIST.sub(GAP, text))
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}{GAP}"
