"""The run: that of this script, one of a studio by its id, or one that only prints.

`Run.get_context()` is what a training script needs; it loads neither HTTP nor anything else that
takes time. Standard library only; Python 3.8 syntax.
"""

import os
import time
import uuid
from pathlib import Path
from typing import Any, Dict, Iterator, List, NoReturn, Optional, Sequence, Union

from studio.sdk.errors import RunEnvironmentException, UserErrorException
from studio.sdk.journal import (
    JOURNAL_VARIABLE,
    RUN_VARIABLE,
    Value,
    format_report,
    parse_report,
    plain_value,
)
from studio.sdk.metrics_log import MetricsLog
from studio.sdk.remote_run import RemoteRun

__all__ = [
    "JOURNAL_VARIABLE",
    "RUN_VARIABLE",
    "Run",
    "RunEnvironmentException",
    "UserErrorException",
    "format_report",
    "parse_report",
    "plain_value",
]


class Run(MetricsLog, RemoteRun):
    """A run of the studio; outside a studio an offline run that prints what it is told."""

    type = "azureml.scriptrun"

    def __init__(self, experiment: Any, run_id: str, outputs: Any = None) -> None:
        """Look at a run of the studio that the experiment belongs to."""
        if not isinstance(run_id, str) or not run_id:
            raise UserErrorException("The id of a run is %r; use text." % (run_id,))
        self._id = run_id
        self._experiment = experiment

    @classmethod
    def get_context(cls, allow_offline: bool = True) -> "Run":
        """Return the run of this process, or an offline run outside a studio.

        Raises:
            RunEnvironmentException: outside a studio, when `allow_offline` is False.
        """
        from studio.sdk.script_run import OfflineRun, ScriptRun  # noqa: PLC0415 - it imports us

        run_id = os.environ.get(RUN_VARIABLE)
        journal = os.environ.get(JOURNAL_VARIABLE)
        if run_id and journal:
            return ScriptRun(run_id, Path(journal))
        if not allow_offline:
            raise RunEnvironmentException(
                "This script was not started by a studio: %s is not set." % RUN_VARIABLE
            )
        return OfflineRun("OfflineRun_%s" % uuid.uuid4())

    @staticmethod
    def get(workspace: Any, run_id: str) -> "Run":
        """Return a run or a sweep by its id.

        Raises:
            UserErrorException: the studio has none of this id.
        """
        from studio.sdk.results import find_run  # noqa: PLC0415 - it imports us

        return find_run(workspace, run_id)

    @staticmethod
    def list(experiment: Any, **conditions: Any) -> Iterator["Run"]:
        """Return the sweeps of an experiment, newest first; see Experiment.get_runs."""
        runs: Iterator[Run] = experiment.get_runs(**conditions)
        return runs

    @property
    def id(self) -> str:
        """The id of the run: `<sweep>_<number>`."""
        return self._id

    @property
    def name(self) -> str:
        """The id; runs have no other name."""
        return self._id

    display_name = name

    @property
    def number(self) -> Optional[int]:
        """The number of the run in its sweep; None offline."""
        tail = self._id.rpartition("_")[2]
        return int(tail) if not self.is_offline and tail.isdigit() else None

    @property
    def sweep_id(self) -> Optional[str]:
        """The id of the sweep the run belongs to; None offline."""
        return None if self.is_offline else self._id.rpartition("_")[0]

    @property
    def parent(self) -> Optional["Run"]:
        """The sweep the run belongs to."""
        from studio.sdk.results import HyperDriveRun  # noqa: PLC0415 - it imports us

        return HyperDriveRun(self._experiment, str(self.sweep_id)) if self.sweep_id else None

    @property
    def experiment(self) -> Any:
        """The experiment the run was asked for with."""
        return self._experiment

    @property
    def is_offline(self) -> bool:
        """Whether the script runs outside a studio."""
        return False

    def get_portal_url(self) -> str:
        """Return the address of the run's page."""
        return "%s/runs/%s/" % (self._client().connection.url, self._id)

    def get_children(self, **conditions: Any) -> Iterator["Run"]:
        """Return the runs below this one: a run of a sweep has none of its own."""
        return iter(())

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: Any = None) -> None:
        """Keep a file under `name` in the tree of the run."""
        self._add_file(name, path_or_stream)

    def upload_files(
        self,
        names: Sequence[str],
        paths: Sequence[Any],
        return_artifacts: bool = False,
        timeout_seconds: Optional[float] = None,
        datastore_name: Any = None,
    ) -> None:
        """Keep several files.

        Raises:
            UserErrorException: there are not as many names as paths, or a file cannot be kept.
        """
        if len(names) != len(paths):
            text = "upload_files has %d names and %d paths; give as many of each."
            raise UserErrorException(text % (len(names), len(paths)))
        for index, name in enumerate(names):
            self._add_file(name, paths[index])

    def upload_folder(self, name: str, path: Any, datastore_name: Any = None) -> None:
        """Keep all files below a folder, under `name`."""
        from studio.sdk.uploads import folder_files  # noqa: PLC0415 - for scripts that upload

        for inner, file in folder_files(path).items():
            self._add_file("%s/%s" % (name.rstrip("/"), inner), file)

    def start(self) -> None:
        """Do nothing: a run is started by its worker."""

    def flush(self, timeout_seconds: float = 300) -> None:
        """Do nothing: every report is in the journal when the call that made it returns."""

    def complete(self, _set_status: bool = True) -> None:
        """Say that the work is done; the run is Completed when its script exits with 0."""
        self._only_inside("complete")

    def fail(self, error_details: Any = None, error_code: Any = None) -> None:
        """Make the run end as Failed with this reason, whatever the exit code."""
        self._only_inside("fail")

    def child_run(self, name: Optional[str] = None, run_id: Any = None, outputs: Any = None) -> Any:
        """Return a part of this run, whose metrics and files are named `<child>/...`."""
        self._only_inside("child_run")

    def create_children(
        self,
        count: Optional[int] = None,
        tag_key: Optional[str] = None,
        tag_values: Optional[Sequence[Any]] = None,
    ) -> List[Any]:
        """Return several child runs, by count or one per value of a tag; at most 100."""
        if (count is None) == (tag_key is None or tag_values is None):
            raise UserErrorException("create_children: give count, or tag_key and tag_values.")
        names = [None] * (count or 0) if tag_values is None else [str(v) for v in tag_values]
        if len(names) > 100:
            raise UserErrorException("create_children: %d are more than 100." % len(names))
        return [self.child_run(name) for name in names]

    def submit_child(self, config: Any, tags: Any = None, **options: Any) -> NoReturn:
        """Refuse: a run submits nothing."""
        raise UserErrorException(
            "A run cannot submit another one; submit a sweep with Experiment.submit."
        )

    def register_model(
        self,
        model_name: str,
        model_path: Optional[str] = None,
        tags: Any = None,
        properties: Any = None,
        model_framework: Any = None,
        model_framework_version: Any = None,
        description: Optional[str] = None,
        datasets: Any = None,
        **ignored: Any,
    ) -> Any:
        """Make a version of a model of a file or folder of the run; return it.

        `model_path` is a name in the tree of the run, such as `outputs/model.pkl`; without it a
        file or folder of the model's name.

        Raises:
            UserErrorException: the name or the path is wrong, or you may not.
        """
        from studio.sdk.model import register_model  # noqa: PLC0415 - for those who register

        if not isinstance(model_name, str) or not model_name:
            raise UserErrorException("The name of a model is %r; use text." % (model_name,))
        path = self._tree_name(str(model_path or model_name))
        self._settle(path)
        return register_model(
            self._client(),
            self._workspace(),
            self._id,
            model_name,
            path,
            tags=tags,
            properties=properties,
            framework=model_framework,
            framework_version=model_framework_version,
            description=description,
        )

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if error is None:
            self.complete()
        else:
            self.fail("%s: %s" % (type(error).__name__, error))

    def __repr__(self) -> str:
        return "Run(id=%r)" % self._id

    def _client(self) -> Any:
        workspace = getattr(self._experiment, "workspace", self._experiment)
        client = getattr(workspace, "client", None)
        if client is None:
            raise UserErrorException(
                "%r is no experiment of a workspace; use Experiment(workspace, name)."
                % (self._experiment,)
            )
        return client

    def _workspace(self) -> Any:
        """Return the studio of the run, as far as its token opens it."""
        from studio.sdk.workspace import Workspace  # noqa: PLC0415 - it imports us

        known = getattr(self._experiment, "workspace", None)
        return known or Workspace(*self._client().connection)

    def _report(self, name: str, value: Value, step: Optional[float]) -> None:
        report: Dict[str, Union[Value, None]] = {"name": name, "value": _for_json(value)}
        if step is not None:
            report["step"] = float(step)
        self._client().post(self._address("metrics"), [{**report, "time": time.time()}])

    def _add_file(self, name: str, source: Any) -> None:
        self._only_inside("upload_file")

    def _file_names(self) -> List[str]:
        return self.get_file_names()

    def _tree_name(self, name: str) -> str:
        return name

    def _settle(self, path: str) -> None:
        """Wait until the studio has what this process knows of the run, files of `path` too."""

    def _only_inside(self, what: str) -> None:
        raise UserErrorException(
            "%s: only the script of a run can do this; use Run.get_context() in it." % what
        )


def _for_json(value: Value) -> Value:
    if isinstance(value, float) and value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value == float("inf") else "-Infinity"
    return value
