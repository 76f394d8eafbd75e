"""A sweep as a program reads it: its runs, the best of them, their metrics and hyperparameters.

Standard library only; Python 3.8 syntax.
"""

import json
import math
import sys
from typing import Any, Dict, Iterator, List, Optional
from urllib.parse import quote

from studio.sdk.client import StudioRefusedError
from studio.sdk.errors import HyperDriveNotImplementedException, UserErrorException
from studio.sdk.hyperdrive_config import HyperDriveConfig
from studio.sdk.run import Run


class HyperDriveRun(Run):
    """A sweep: the parent of its runs."""

    type = "hyperdrive"

    def __init__(
        self,
        experiment: Any,
        run_id: str,
        hyperdrive_config: Optional[HyperDriveConfig] = None,
    ) -> None:
        """Look at a sweep by its id; its definition is read from the studio when it is needed."""
        super().__init__(experiment, run_id)
        self._config = hyperdrive_config

    @property
    def hyperdrive_config(self) -> HyperDriveConfig:
        """The definition; one that is read from the studio has no source directory."""
        if self._config is None:
            from studio.sdk.stored_config import config_of  # noqa: PLC0415 - rarely needed

            self._config = config_of(self._spec())
        return self._config

    @property
    def number(self) -> Optional[int]:
        """None: sweeps have no number."""
        return None

    @property
    def parent(self) -> Optional[Run]:
        """None: sweeps stand at the top."""
        return None

    def get_portal_url(self) -> str:
        """Return the address of the sweep's page."""
        return str(self._read()["url"])

    def get_children(
        self,
        recursive: bool = False,
        tags: Any = None,
        properties: Any = None,
        type: Optional[str] = None,  # noqa: A002 - the name of the original
        status: Optional[str] = None,
        **ignored: Any,
    ) -> Iterator[Run]:
        """Yield the runs in sampling order, those that meet the conditions."""
        for document in self._children():
            fits = status is None or document["status"] == status
            fits = fits and type in (None, Run.type)
            if fits and has(document["tags"], tags) and has(document["properties"], properties):
                yield Run(self._experiment, document["id"])

    def get_best_run_by_primary_metric(
        self,
        include_failed: bool = True,
        include_canceled: bool = True,
        include_resume_from_runs: bool = True,
    ) -> Optional[Run]:
        """Return the run with the best value of the primary metric; None where none has one."""
        conditions = {
            "include_failed": include_failed,
            "include_canceled": include_canceled,
            "include_resume_from_runs": include_resume_from_runs,
        }
        wanted = {name: str(bool(value)).lower() for name, value in conditions.items()}
        found = self._client().get(self._address("best-run"), **wanted)
        return None if found is None else Run(self._experiment, found["id"])

    def get_children_sorted_by_primary_metric(
        self, top: int = 0, reverse: bool = False, discard_no_metric: bool = False
    ) -> List[Dict[str, Any]]:
        """Return run_id, hyperparameters (JSON text), best_primary_metric and status of the runs.

        The best come first; `reverse` turns that round. Runs without a value are last. `top` 0
        means all.
        """
        if isinstance(top, bool) or not isinstance(top, int) or top < 0:
            raise AssertionError("top is %r; use a whole number of at least 0." % (top,))
        for name, value in (("reverse", reverse), ("discard_no_metric", discard_no_metric)):
            if not isinstance(value, bool):
                raise AssertionError("%s is %r; use True or False." % (name, value))
        documents = list(self._children())
        valued = sorted(
            (document for document in documents if _has_best(document)),
            key=_best,
            reverse=self._is_maximized() != reverse,
        )
        others = [document for document in documents if not _has_best(document)]
        rows = valued if discard_no_metric else valued + others
        return [
            {
                "run_id": document["id"],
                "hyperparameters": json.dumps(document["hyperparameters"]),
                "best_primary_metric": _best(document) if _has_best(document) else None,
                "status": document["status"],
            }
            for document in (rows[:top] if top else rows)
        ]

    def get_hyperparameters(self) -> Dict[str, str]:
        """Return the hyperparameters of every run as JSON text, by its id."""
        return {d["id"]: json.dumps(d["hyperparameters"]) for d in self._children()}

    def get_metrics(self, *unused: Any, **options: Any) -> Dict[str, Any]:
        """Return the metrics of every run, by its id.

        Raises:
            TypeError: an argument is given; the metrics of one run are asked of that run.
        """
        if unused or options:
            raise TypeError("get_metrics() of a sweep takes no arguments")
        return {d["id"]: Run(self._experiment, d["id"]).get_metrics() for d in self._children()}

    def get_details(self) -> Dict[str, Any]:
        """Return what there is to know about the sweep."""
        document, spec = self._read(), self._spec()
        metric = json.dumps({"name": document["metric"], "goal": document["goal"]})
        best = document["best_run"]
        details = {
            "runId": document["id"],
            "target": spec["compute"],
            "status": document["status"],
            "startTimeUtc": document["started"],
            "endTimeUtc": document["ended"],
            "properties": {
                "primary_metric_config": metric,
                "runTemplate": "HyperDrive",
                "ContentSnapshotId": spec["snapshot"],
                **({"best_child_run_id": best["id"], "score": str(best["value"])} if best else {}),
            },
            "tags": spec["tags"],
            "inputDatasets": [],
            "outputDatasets": [],
            "runDefinition": {
                "script": spec["script"] or spec["command"],
                "arguments": spec["arguments"],
                "Arguments": spec["arguments"],
                "target": spec["compute"],
            },
            "logFiles": {},
            "submittedBy": document["owner"],
            "warnings": [{"source": "studio", "message": document["reason"]}],
        }
        if document["status"] == "Failed":
            error = {"code": document["end_reason"], "message": document["reason"]}
            details["error"] = {"error": error}
        if not document["reason"]:
            details["warnings"] = []
        return {key: value for key, value in details.items() if value is not None}

    def get_tags(self) -> Dict[str, Optional[str]]:
        """Return the tags that the sweep was submitted with."""
        return dict(self._spec()["tags"])

    def get_properties(self) -> Dict[str, str]:
        """Return what the studio notes about the sweep."""
        return dict(self.get_details()["properties"])

    def get_file_names(self) -> List[str]:
        """Return nothing: a sweep has no files of its own."""
        return []

    def fail(self, error_details: Any = None, error_code: Any = None) -> None:
        """Refuse: nobody can fail a sweep by hand."""
        raise HyperDriveNotImplementedException("A sweep cannot be failed; use cancel().")

    def register_model(self, *unused: Any, **options: Any) -> Any:
        """Refuse: a sweep has no files.

        Raises:
            UserErrorException: always.
        """
        raise UserErrorException(
            "A sweep has no files to register; register its best run: "
            "run.get_best_run_by_primary_metric().register_model(...)."
        )

    def get_diagnostics(self) -> None:
        """Refuse: the log of each run has what there is."""
        raise HyperDriveNotImplementedException("A sweep has no diagnostics; see get_all_logs().")

    def get_all_logs(self, destination: Any = None) -> List[str]:
        """Download the logs of all runs, each into a folder with the number of its run."""
        found: List[str] = []
        for document in self._children():
            folder = "%s/%s" % (str(destination or "."), document["number"])
            found += Run(self._experiment, document["id"]).get_all_logs(folder)
        return found

    def _address(self, *parts: str) -> str:
        return "/".join(["sweeps", quote(self._id), *parts])

    def _spec(self) -> Dict[str, Any]:
        document: Dict[str, Any] = self._client().get(self._address("spec"))
        return document

    def _children(self) -> Iterator[Dict[str, Any]]:
        yield from self._client().pages(self._address("runs"), limit=500)

    def _is_maximized(self) -> bool:
        return bool(self._read()["goal"] == "maximize")

    def _mark(self, **changes: Any) -> None:
        raise UserErrorException(
            "Tags of a sweep are given at submission: submit(config, tags=...)."
        )

    def _show(self, shown: int) -> int:
        """Print a line for each new change of the sweep and its runs."""
        if not shown:
            print("RunId: %s\nWeb View: %s" % (self._id, self.get_portal_url()))
        while True:
            page = self._client().get(self._address("events"), after=shown, limit=500)
            for event in page["events"]:
                if event["type"] in ("run", "sweep"):
                    item = event[event["type"]]
                    label = item.get("label", item.get("status", ""))
                    print(
                        "%s %s"
                        % (
                            "run %s:" % item.get("number") if event["type"] == "run" else "sweep:",
                            label,
                        )
                    )
            if page["cursor"] == shown or not page["events"]:
                sys.stdout.flush()
                return int(page["cursor"])
            shown = page["cursor"]


def find_run(workspace: Any, run_id: str) -> Run:
    """Return the run or the sweep of an id; raises UserErrorException where there is none."""
    from studio.sdk.workspace import Experiment  # noqa: PLC0415 - it imports us

    client = workspace.client
    try:
        document = client.get("sweeps/%s" % quote(run_id))
        return HyperDriveRun(Experiment(workspace, document["experiment"]), run_id)
    except StudioRefusedError as error:
        if error.status != 404:
            raise
    try:
        sweep = client.get("runs/%s" % quote(run_id))["sweep"]
    except StudioRefusedError as error:
        if error.status != 404:
            raise
        raise UserErrorException("The studio has no run '%s'." % run_id, error) from error
    document = client.get("sweeps/%s" % quote(sweep))
    return Run(Experiment(workspace, document["experiment"]), run_id)


def has(marks: Dict[str, Any], wanted: Any) -> bool:
    """Tell whether tags or properties meet a condition: a name, or names with values."""
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return wanted in marks
    return all(key in marks and marks[key] == value for key, value in dict(wanted).items())


def _has_best(document: Dict[str, Any]) -> bool:
    return document["best"] is not None and math.isfinite(float(document["best"]["value"]))


def _best(document: Dict[str, Any]) -> float:
    return float(document["best"]["value"])
