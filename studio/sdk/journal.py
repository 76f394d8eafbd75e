"""The format of the journal that reports are written to, and the file itself.

A report is one write(2) of one line to a file opened for appending: it is in the kernel when the
call returns, so nothing is lost when the script ends or dies, and it never waits for the studio.
Standard library only; Python 3.8 syntax.
"""

import contextlib
import json
import math
import os
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, Optional, Sequence, Tuple, Union

from studio.sdk.errors import UserErrorException

JOURNAL_VARIABLE = "STUDIO_METRICS_FILE"
RUN_VARIABLE = "STUDIO_RUN_ID"

Value = Union[float, str]
Report = Tuple[str, Value, Optional[float], float]


class Journal:
    """The file that the reports of this process go to; one object for all runs of one path."""

    _known: Dict[str, "Journal"] = {}

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = -1
        self._identity: Optional[Tuple[int, int]] = None
        self._has_warned = False
        self._needs_newline = False

    @classmethod
    def of(cls, path: str) -> "Journal":
        """Return the journal of a path: many contexts in one script share one open file."""
        return cls._known.setdefault(path, cls(path))

    def write(self, line: str) -> None:
        """Append one line; a fault of the disk becomes one warning."""
        data = line.encode("utf-8", "surrogatepass")
        if self._needs_newline:
            data = b"\n" + data
        try:
            if not self._is_open():
                self._open()
            written = os.write(self._file, data)
            # A full disk can take half a line: the next one must not grow onto it.
            self._needs_newline = written != len(data)
        except OSError as error:
            self._warn(error)

    def reports(self) -> Iterator[Report]:
        """Yield what this run has reported so far, whoever reported it."""
        try:
            with Path(self._path).open("rb") as file:
                for line in file:
                    report = parse_report(line)
                    if report is not None:
                        yield report
        except OSError:
            return

    def _is_open(self) -> bool:
        # A script that becomes a daemon closes what it does not know. The number may then belong
        # to a file of its own, and a report would end up in the middle of a checkpoint.
        try:
            status = os.fstat(self._file)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._file = os.open(self._path, flags, 0o600)
        status = os.fstat(self._file)
        self._identity = (status.st_dev, status.st_ino)

    def _warn(self, error: OSError) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        with contextlib.suppress(Exception):  # no stderr, nothing to say it with
            sys.stderr.write("Sweep Studio: metrics cannot be written: %s\n" % error)


def plain_value(name: str, value: Any) -> Value:
    """Return `value` as a float or text.

    Raises:
        UserErrorException: `name` is no text, or `value` is a collection.
    """
    if not isinstance(name, str) or not name:
        raise UserErrorException("The name of a metric is %r; use text." % (name,))
    if type(value) is float:
        return value
    is_single = _is_single(value)
    if is_single and callable(getattr(value, "item", None)):
        value = value.item()
    if isinstance(value, (bool, int, float)):
        return _as_float(value)
    if isinstance(value, str):
        return value
    if value is None:
        return float("nan")
    if hasattr(value, "__iter__") and not is_single:
        raise UserErrorException(
            "The value of %r is a %s; log one number at a time." % (name, type(value).__name__)
        )
    if hasattr(value, "__float__"):  # Decimal, Fraction, scalars of other libraries
        return _as_float(value)
    return repr(value)


def _is_single(value: Any) -> bool:
    """Tell whether a value is one element of numpy, torch, tensorflow, pandas or their like."""
    shape = getattr(value, "shape", None)
    return shape is not None and hasattr(shape, "__iter__") and all(n == 1 for n in shape)


def _as_float(value: Any) -> Value:
    try:
        return float(value)
    except (OverflowError, ValueError, TypeError):
        return str(value)


# Longer text is cut: a line of the journal stays well below what its reader takes.
_MAX_NAME = 1000
_MAX_TEXT = 9000
_MAX_QUOTED = 1000
_quoted: Dict[str, str] = {}


def format_report(name: str, value: Value, *, step: Optional[float], time: float) -> str:
    """Return one line of the journal: a JSON object with name, value, time and step.

    Keys: `n` name; `v` a finite number, `f` "NaN", "Infinity" or "-Infinity", or `x` text;
    `t` Unix seconds; `s` step, left out without one.
    """
    quoted = _quoted.get(name)
    if quoted is None:
        if len(_quoted) >= _MAX_QUOTED:
            _quoted.clear()
        quoted = _quoted[name] = json.dumps(name[:_MAX_NAME])
    if isinstance(value, str):
        key, shown = "x", json.dumps(value[:_MAX_TEXT])
    elif math.isfinite(value):
        key, shown = "v", repr(float(value))
    else:
        key, shown = "f", '"NaN"' if value != value else json.dumps(_infinity(value))
    where = _format_step(step)
    return '{"n":%s,"%s":%s,"t":%.6f%s}\n' % (quoted, key, shown, time, where)


def format_plain(
    names: Sequence[str], shown: Sequence[str], times: Sequence[float], steps: Sequence[int]
) -> str:
    """Return the lines of finite values with whole steps below 2**53, as `format_report` has them.

    `shown`: the values as `repr` writes them. A quarter of its time for a thousand: what many
    reports share is written once.
    """
    heads = {name: '{"n":%s,"v":' % json.dumps(name[:_MAX_NAME]) for name in set(names)}
    ends = {time: ',"t":%.6f,"s":' % time for time in set(times)}
    rows = zip(names, shown, times, steps)  # noqa: B905 - not in Python 3.8
    return "".join([f"{heads[n]}{v}{ends[t]}{s}.0}}\n" for n, v, t, s in rows])


def _infinity(value: float) -> str:
    return "Infinity" if value > 0 else "-Infinity"


def _format_step(step: Optional[float]) -> str:
    if step is None:
        return ""
    try:
        number = float(step)
    except (TypeError, ValueError, OverflowError):
        return ""
    return ',"s":%r' % number if math.isfinite(number) else ""


_decoder = json.JSONDecoder()


def _fields(line: Union[str, bytes]) -> Any:
    """Return what json.loads would, in a third of its time for a plain line of the journal."""
    text = line if isinstance(line, str) else line.decode("utf-8", "surrogatepass")
    if text.startswith("{"):
        fields, end = _decoder.raw_decode(text)
        if not text[end:].strip(" \t\r\n"):
            return fields
    return json.loads(text)


def parse_report(line: Union[str, bytes]) -> Optional[Report]:
    """Return (name, value, step, time) of a journal line; None when it is none."""
    try:
        fields = _fields(line)
        name, stamp, step = fields["n"], float(fields["t"]), fields.get("s")
        if "v" in fields:
            value: Value = float(fields["v"])
        elif "f" in fields:
            value = float(fields["f"])
        else:
            value = str(fields["x"])
        number = None if step is None else float(step)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    if not math.isfinite(stamp):
        return None
    return str(name), value, number if number is None or math.isfinite(number) else None, stamp
