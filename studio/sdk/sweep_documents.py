"""What a notebook shows of one sweep, as small JSON documents, kept up by the sweep's change feed.

Reads over REST; knows no notebook. Standard library only; Python 3.8 syntax.
"""

import math
from typing import Any, Dict, List, Optional
from urllib.parse import quote

from studio.sdk.log_tail import LogTail
from studio.sdk.remote_run import TERMINAL

# About how many points all curves have together.
_POINTS = 20000
_PAGE, _CHANGES, _MOST_PAGES = 500, 2000, 25
_SWEEP = (
    *("id", "name", "experiment", "status", "label", "css", "icon", "reason", "end_reason", "url"),
    *("metric", "goal", "limits", "counts", "stopped_early", "best_run"),
    *("created", "started", "ended"),
)
# The order is that of FIELDS in static/js/notebook/widget.js.
_RUN = ("number", "status", "label", "css", "icon", "reason", "end_reason")
_FIGURE = (
    *("x", "label", "x_label", "goal", "decimals", "best", "styles", "limits", "limit_label"),
    "metric",
)
_PARALLEL = ("axes", "lines", "absent", "best", "decimals")
_LONGEST_REASON = 300


class SweepDocuments:
    """The documents `sweep`, `runs`, `figure`, `curves`, `parallel` and `log` of one sweep.

    `wanted` says which `metric` over which `x` and the log of which `run` is asked for; run None
    is the one that runs, or else the best. `client` is a StudioClient, or answers `get` and `pages`
    as one does.
    """

    def __init__(self, client: Any, sweep_id: str) -> None:
        self._client = client
        self._address = "sweeps/%s" % quote(sweep_id)
        self._cursor: Optional[int] = None
        self._sweep: Dict[str, Any] = {}
        self._runs: Dict[int, Dict[str, Any]] = {}
        self._space: Dict[str, Any] = {}
        self._tail: Optional[LogTail] = None
        self._log: Dict[str, Any] = {}
        self._drawn: Any = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing of the sweep changes any more, as far as is known."""
        ended = self._sweep.get("status") in TERMINAL
        return ended and all(run["status"] in TERMINAL for run in self._runs.values())

    def update(self, wanted: Dict[str, Any]) -> Dict[str, Any]:
        """Read what is new; return the documents that may have changed.

        Raises:
            StudioError: the studio does not answer, or refuses.
        """
        changes = self._load() if self._cursor is None else self._catch_up()
        asked = (wanted.get("metric") or "", wanted.get("x") or "interval")
        documents: Dict[str, Any] = {}
        if changes:
            documents["sweep"] = {key: self._sweep[key] for key in _SWEEP}
            documents["runs"] = self._table()
        if changes or asked != self._drawn:
            documents.update(self._charts(changes, *asked))
            self._drawn = asked
        log = self._read_log(wanted.get("run"))
        if log != self._log:
            self._log = documents["log"] = log
        return documents

    def _load(self) -> List[str]:
        """Read everything anew."""
        sweep = self._client.get(self._address)
        self._space = self._client.get(self._address + "/spec")["search_space"]
        self._runs = {run["number"]: run for run in self._read_runs()}
        self._sweep, self._cursor, self._drawn = sweep, sweep["cursor"], None
        return ["run", "metrics"]

    def _read_runs(self) -> List[Dict[str, Any]]:
        return list(self._client.pages(self._address + "/runs", limit=_PAGE))

    def _catch_up(self) -> List[str]:
        """Take over what happened since the last time; return the kinds of events."""
        kinds: List[str] = []
        for _ in range(_MOST_PAGES):
            page = self._client.get(self._address + "/events", after=self._cursor, limit=_CHANGES)
            for event in page["events"]:
                kinds.append(event["type"])
                if event["type"] == "run":
                    self._runs[event["run"]["number"]] = event["run"]
            is_done = page["cursor"] == self._cursor or not page["events"]
            self._cursor = page["cursor"]
            if is_done:
                if kinds:
                    self._sweep = self._client.get(self._address)
                return sorted(set(kinds))
        # So far behind it is quicker to read everything than to read how it came about.
        return self._load()

    def _table(self) -> Dict[str, Any]:
        names = list(self._space)
        rows = [_row(run, names) for _, run in sorted(self._runs.items())]
        notes = {name: _distribution(value) for name, value in self._space.items()}
        return {"params": names, "notes": notes, "rows": rows}

    def _charts(self, changes: List[str], metric: str, x: str) -> Dict[str, Any]:
        """Read the charts that the changes may have changed, or all of them when there are none."""
        address = self._address + "/charts/"
        figure = self._client.get(address + "metrics", metric=metric or None, x=x)["meta"]
        shown = {key: figure[key] for key in _FIGURE if key in figure}
        options = [o for o in figure["options"] if o["name"] == "metric"]
        shown["metrics"] = [value for option in options for value, _ in option["choices"]]
        found: Dict[str, Any] = {"figure": shown, "curves": None}
        if figure.get("x") != "run":
            found["curves"] = self._client.get(
                self._address + "/curves", metric=metric or None, x=x, points=_POINTS
            )
        if not self._drawn or "run" in changes or "best" in changes:
            parallel = self._client.get(address + "parallel_coordinates")["meta"]
            found["parallel"] = {key: parallel[key] for key in _PARALLEL}
        return found

    def _read_log(self, number: Optional[int]) -> Dict[str, Any]:
        """Return the end of the log of a run."""
        chosen = self._runs.get(number) if number is not None else self._shown_run()
        if chosen is None:
            return {"run": None, "text": "", "note": "No run has started yet."}
        if self._tail is None or self._tail.number != chosen["number"]:
            self._tail = LogTail(self._client, chosen["id"], chosen["number"])
        return self._tail.read()

    def _shown_run(self) -> Optional[Dict[str, Any]]:
        """Return the run whose log is worth a look: the newest that runs, or else the best."""
        started = [run for run in self._runs.values() if run["started"]]
        running = [run for run in started if run["status"] not in TERMINAL]
        best = self._runs.get((self._sweep.get("best_run") or {}).get("number", -1))
        latest = max(running, key=_number) if running else best
        return latest or (max(started, key=_number) if started else None)


def _number(run: Dict[str, Any]) -> int:
    return int(run["number"])


def _row(run: Dict[str, Any], names: List[str]) -> List[Any]:
    values = [run[key] for key in _RUN]
    reason = _RUN.index("reason")
    values[reason] = str(values[reason] or "")[:_LONGEST_REASON]
    best = run["best"] and run["best"]["value"]
    is_finite = isinstance(best, (int, float)) and math.isfinite(best)
    values += [best if is_finite else None, run["last"], run["reports"]]
    values += [run["started"], run["ended"]]
    return values + [run["hyperparameters"].get(name) for name in names]


def _distribution(expression: Any) -> str:
    """Return the name of a distribution, however the specification writes it."""
    if isinstance(expression, dict):
        return str(expression.get("type", ""))
    if isinstance(expression, list):
        return str(expression[0]) if expression else ""
    return str(expression).partition("(")[0]
