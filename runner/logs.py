"""The log of a run: keep it below a size, find the line that says why a script failed.

Pure.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

_TRACEBACK: Final = "Traceback (most recent call last):"
_EXCEPTION: Final = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Warning)?(:.*)?$")
_LOOK_BACK: Final = 64 * 1024
_MAX_LINE: Final = 500


def cut_log(path: Path, limit: int, *, lost_before: int = 0) -> int:
    """Cut a log longer than `limit` bytes to its first half and its last quarter; return the loss.

    `lost_before` is what earlier cuts took: the notice in the log counts it in. The script keeps on
    appending meanwhile: what it writes between reading and cutting is lost with the middle.
    """
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return 0
    if size <= limit:
        return 0
    head, tail = limit // 2, limit // 4
    with path.open("r+b") as file:
        file.seek(size - tail)
        # Not in the middle of a line, nor of a character.
        end = file.read(tail)
        end = end[end.find(b"\n") + 1 :]
        file.truncate(head)
    lost = size - head - len(end)
    notice = (
        f"\n[studio] {lost + lost_before} bytes of output left out: "
        f"the log is limited to {limit} bytes\n"
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(descriptor, notice.encode() + end)
    finally:
        os.close(descriptor)
    return lost


def add_notice(path: Path, text: str) -> None:
    """Write a line of the studio at the end of a log."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, f"\n[studio] {text}\n".encode())
    finally:
        os.close(descriptor)


def error_line(path: Path) -> str:
    """Return the last line of the last traceback, or the last line of the log; "" when empty."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _LOOK_BACK))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not lines:
        return ""
    starts = [i for i, line in enumerate(lines) if line.startswith(_TRACEBACK)]
    if starts:
        for line in lines[starts[-1] + 1 :]:
            if not line.startswith(" ") and _EXCEPTION.match(line):
                return line[:_MAX_LINE]
    return lines[-1].strip()[:_MAX_LINE]
