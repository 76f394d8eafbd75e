"""Values as frameworks hand them over: named, some of them no numbers, reported to one run.

A training must not end because of a value that cannot be reported: that is one line on stderr.
"""

import contextlib
import sys
from typing import Any, Mapping, Optional, Set

from studio.sdk.errors import UserErrorException
from studio.sdk.run import Run


class FrameworkMetrics:
    """Reports to a run, by default that of this script, under the framework's names or others.

    `names` maps names of the framework to names of metrics: `{"valid-auc": "auc"}` makes the one
    that a sweep looks at; what is not in it keeps its name.
    """

    def __init__(
        self, run: Optional[Run] = None, names: Optional[Mapping[str, str]] = None
    ) -> None:
        self.run = Run.get_context() if run is None else run
        self._names = dict(names or {})
        self._left_out: Set[str] = set()

    def report(self, values: Optional[Mapping[str, Any]], step: Optional[float] = None) -> None:
        """Report each value that can be one; `step` is the epoch or iteration."""
        for name, value in (values or {}).items():
            if value is None:
                continue
            try:
                self.run.log(self._names.get(name, name), value, step=step)
            except UserErrorException as error:
                self._leave_out(str(name), error)

    def _leave_out(self, name: str, error: Exception) -> None:
        if name not in self._left_out:
            self._left_out.add(name)
            with contextlib.suppress(Exception):
                sys.stderr.write("Sweep Studio: %r is not reported: %s\n" % (name, error))
