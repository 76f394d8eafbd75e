"""The run a script belongs to, and the format of the journal its reports are written to.

`Run.log` is one write(2) of one line to a file opened for appending: it returns when the line is in
the kernel, so nothing is lost when the script ends or dies, and it never waits for the studio.
Standard library only; Python 3.8 syntax.
"""

import json
import math
import os
import sys
import time
import uuid
from typing import Any, Dict, Optional, Tuple, Union

JOURNAL_VARIABLE = "STUDIO_METRICS_FILE"
RUN_VARIABLE = "STUDIO_RUN_ID"

Value = Union[float, str]


class UserErrorException(Exception):  # noqa: N818 - the name of the original
    """A logging call cannot mean anything: a list where one value belongs, no name."""


class RunEnvironmentException(Exception):  # noqa: N818 - the name of the original
    """The script does not run in a studio, and `allow_offline` is False."""


class Run:
    """A run of the studio; outside a studio an offline run that prints what it is told."""

    def __init__(self, run_id: str, journal: Optional[str]) -> None:
        self._id = run_id
        self._journal = journal
        self._file = -1
        self._file_pid = -1
        self._has_warned = False
        self._needs_newline = False

    @classmethod
    def get_context(cls, allow_offline: bool = True) -> "Run":
        """Return the run of this process, or an offline run outside a studio.

        Raises:
            RunEnvironmentException: outside a studio, when `allow_offline` is False.
        """
        run_id = os.environ.get(RUN_VARIABLE)
        journal = os.environ.get(JOURNAL_VARIABLE)
        if run_id and journal:
            return cls(run_id, journal)
        if not allow_offline:
            raise RunEnvironmentException(
                "This script was not started by a studio: %s is not set." % RUN_VARIABLE
            )
        return cls("OfflineRun_%s" % uuid.uuid4(), None)

    @property
    def id(self) -> str:
        """The id of the run: `<sweep>_<number>`."""
        return self._id

    @property
    def number(self) -> Optional[int]:
        """The number of the run in its sweep; None offline."""
        _, _, tail = self._id.rpartition("_")
        return int(tail) if self._journal and tail.isdigit() else None

    @property
    def is_offline(self) -> bool:
        """Whether the script runs outside a studio."""
        return self._journal is None

    def log(
        self, name: str, value: Any, description: str = "", step: Optional[float] = None
    ) -> None:
        """Report one value of a metric; reporting the same name again grows its curve.

        Numbers, numpy scalars, booleans and text are taken; NaN and infinity are kept as they are.
        A fault of the studio or of its disk never reaches the script: it is one warning on stderr.

        Raises:
            UserErrorException: `name` is no text, or `value` is a collection.
        """
        plain = plain_value(name, value)
        if self._journal is None:
            suffix = "" if step is None else " at step %s" % step
            print("Offline run: %s = %s%s" % (name, plain, suffix))
            return
        self._write(format_report(name, plain, step=step, time=time.time()))

    def _write(self, line: str) -> None:
        data = line.encode("utf-8", "surrogatepass")
        if self._needs_newline:
            data = b"\n" + data
        try:
            if self._file_pid != os.getpid():
                self._open()
            written = os.write(self._file, data)
            # A full disk can take half a line: the next one must not grow onto it.
            self._needs_newline = written != len(data)
        except OSError as error:
            self._warn(error)

    def _open(self) -> None:
        # After a fork the child opens the file for itself, should the parent close its own.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        self._file = os.open(str(self._journal), flags, 0o600)
        self._file_pid = os.getpid()

    def _warn(self, error: OSError) -> None:
        if not self._has_warned:
            self._has_warned = True
            sys.stderr.write("Sweep Studio: metrics cannot be written: %s\n" % error)

    def __repr__(self) -> str:
        return "Run(id=%r)" % self._id


def plain_value(name: str, value: Any) -> Value:
    """Return `value` as a float or text.

    Raises:
        UserErrorException: `name` is no text, or `value` is a collection.
    """
    if not isinstance(name, str) or not name:
        raise UserErrorException("The name of a metric is %r; use text." % (name,))
    if type(value) is float:
        return value
    if hasattr(value, "item") and getattr(value, "size", 1) == 1:
        value = value.item()  # a numpy or torch scalar
    if isinstance(value, (bool, int, float)):
        return _as_float(value)
    if isinstance(value, str):
        return value
    if value is None:
        return float("nan")
    if hasattr(value, "__iter__") or hasattr(value, "__len__"):
        raise UserErrorException(
            "The value of %r is a %s; log one number at a time." % (name, type(value).__name__)
        )
    return repr(value)


def _as_float(value: Union[int, float]) -> Value:
    try:
        return float(value)
    except OverflowError:
        return str(value)


_quoted: Dict[str, str] = {}


def format_report(name: str, value: Value, *, step: Optional[float], time: float) -> str:
    """Return one line of the journal: a JSON object with name, value, time and step.

    Keys: `n` name; `v` a finite number, `f` "NaN", "Infinity" or "-Infinity", or `x` text;
    `t` Unix seconds; `s` step, left out without one.
    """
    quoted = _quoted.get(name)
    if quoted is None:
        quoted = _quoted[name] = json.dumps(name)
    if isinstance(value, str):
        key, shown = "x", json.dumps(value)
    elif math.isfinite(value):
        key, shown = "v", repr(float(value))
    else:
        key, shown = "f", '"NaN"' if value != value else json.dumps(_infinity(value))
    where = _format_step(step)
    return '{"n":%s,"%s":%s,"t":%.6f%s}\n' % (quoted, key, shown, time, where)


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


def parse_report(line: Union[str, bytes]) -> Optional[Tuple[str, Value, Optional[float], float]]:
    """Return (name, value, step, time) of a journal line; None when it is none."""
    try:
        fields = json.loads(line)
        name, stamp, step = fields["n"], float(fields["t"]), fields.get("s")
        if "v" in fields:
            value: Value = float(fields["v"])
        elif "f" in fields:
            value = float(fields["f"])
        else:
            value = str(fields["x"])
        return str(name), value, None if step is None else float(step), stamp
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
