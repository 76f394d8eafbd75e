"""The run as its own script sees it: a journal, a folder, the studio only where it must be asked.

Standard library only; Python 3.8 syntax.
"""

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from studio.sdk.errors import RunEnvironmentException, UserErrorException
from studio.sdk.journal import Journal, Value, format_report
from studio.sdk.metrics_log import collect, metrics_of
from studio.sdk.run import Run

# A report is stored within a second; a studio that is slower than this must not hold a script up.
_SETTLE_SECONDS = 5.0
# From another machine files are sent when they have not changed for some seconds.
_FILES_SECONDS = 60.0


class ScriptRun(Run):
    """The run of this process."""

    def __init__(self, run_id: str, journal: Path, prefix: str = "") -> None:
        super().__init__(None, run_id)
        self._path = journal
        self._journal = Journal.of(str(journal))
        self._prefix = prefix
        self._children: List[Run] = []
        self._known_client: Any = None

    @property
    def name(self) -> str:
        """The id; of a child run its name."""
        return self._prefix.rstrip("/") or self._id

    def get_metrics(
        self,
        name: Optional[str] = None,
        recursive: bool = False,
        run_type: Any = None,
        populate: bool = False,
    ) -> Dict[str, Any]:
        """Return what was reported so far, read from the journal: nothing has to be sent first."""
        series = collect(self._journal.reports())
        own = {
            key[len(self._prefix) :]: values
            for key, values in series.items()
            if key.startswith(self._prefix)
        }
        metrics = metrics_of(own)
        return metrics if name is None else {k: v for k, v in metrics.items() if k == name}

    def get_file_names(self) -> List[str]:
        """Return the names of the files of the run so far."""
        return [n[len(self._prefix) :] for n in self._files().names() if n.startswith(self._prefix)]

    def complete(self, _set_status: bool = True) -> None:
        """Say that the work is done; the run is Completed when its script exits with 0."""

    def fail(self, error_details: Any = None, error_code: Any = None) -> None:
        """Make the run end as Failed with this reason, whatever the exit code."""
        code = "" if error_code is None else "[%s] " % error_code
        details = "no details" if error_details is None else str(error_details)
        self._files().fail("the script called Run.fail: %s%s" % (code, details))

    def child_run(self, name: Optional[str] = None, run_id: Any = None, outputs: Any = None) -> Run:
        """Return a part of this run, whose metrics and files are named `<child>/...`."""
        number = len(self._children)
        label = str(name or run_id or "child-%d" % number).replace("/", "_")
        child = ScriptRun(self._id, self._path, "%s%s/" % (self._prefix, label))
        child._known_client = self._known_client
        self._children.append(child)
        return child

    def get_children(self, **conditions: Any) -> Any:
        """Return the child runs that this object has started."""
        return iter(list(self._children))

    def _report(self, name: str, value: Value, step: Optional[float]) -> None:
        line = format_report(self._prefix + name, value, step=step, time=time.time())
        self._journal.write(line)

    def _add_file(self, name: str, source: Any) -> None:
        self._files().add(self._prefix + str(name), source)

    def _files(self) -> Any:
        from studio.sdk.uploads import FileStore  # noqa: PLC0415 - for scripts that need it

        return FileStore(self._path.parent)

    def _fetch(self, name: str, target: Path) -> None:
        import shutil  # noqa: PLC0415 - for scripts that need it

        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(self._files().path_of(self._prefix + name)), str(target))

    def _tree_name(self, name: str) -> str:
        is_shared = name.split("/")[0] in ("outputs", "logs")
        return name if is_shared else self._prefix + name

    def _settle(self, path: str) -> None:
        """Wait until reports and files so far are in the studio; a version has both.

        Raises:
            UserErrorException: the files are still on their way from this machine.
        """
        _wait(self._reports_are_stored, _SETTLE_SECONDS)
        if not _wait(lambda: self._files_are_stored(path), _FILES_SECONDS):
            raise UserErrorException(
                "'%s' has not reached the studio in %d s; register it when the run has ended."
                % (path, _FILES_SECONDS)
            )

    def _reports_are_stored(self) -> bool:
        items = self._client().get(self._address("metrics"))["items"]
        stored = {item["name"]: item["count"] for item in items}
        logged = collect(self._journal.reports())
        return all(stored.get(name, 0) >= len(values) for name, values in logged.items())

    def _files_are_stored(self, path: str) -> bool:
        """Tell whether the studio has all files of a path as they are here."""
        store = self._files()
        wanted = path.strip("/")
        names = [n for n in store.names() if n == wanted or n.startswith(wanted + "/")]
        items = self._client().get(self._address("files"))["items"] if names else []
        stored = {item["path"]: item["size"] for item in items}
        return all(stored.get(name) == store.path_of(name).stat().st_size for name in names)

    def _mark(self, **changes: Any) -> None:
        from studio.sdk.client import StudioUnreachableError  # noqa: PLC0415 - slow to import

        for kind in ("tags", "properties"):
            if kind in changes:
                changes[kind] = {self._prefix + k: v for k, v in changes[kind].items()}
        try:
            super()._mark(**changes)
        except StudioUnreachableError as error:
            # A training must not end because the studio was restarted meanwhile.
            with contextlib.suppress(Exception):
                sys.stderr.write("Sweep Studio: tags cannot be written: %s\n" % error)

    def _client(self) -> Any:
        if self._known_client is None:
            from studio.sdk.client import Connection, StudioClient  # noqa: PLC0415 - slow

            url = os.environ.get("STUDIO_URL", "")
            token = os.environ.get("STUDIO_RUN_TOKEN", "")
            if not url or not token:
                raise RunEnvironmentException(
                    "The studio of this run is not known: STUDIO_URL or STUDIO_RUN_TOKEN is empty."
                )
            self._known_client = StudioClient(Connection(url.rstrip("/"), token))
        return self._known_client


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until a condition holds; False when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


class OfflineRun(Run):
    """A run outside a studio: it prints what it is told, and forgets it with the process."""

    def __init__(self, run_id: str) -> None:
        super().__init__(None, run_id)
        self._series: Dict[str, List[Value]] = {}
        self._tags: Dict[str, Optional[str]] = {}
        self._properties: Dict[str, str] = {}
        self._status = "Running"

    @property
    def is_offline(self) -> bool:
        """Whether the script runs outside a studio."""
        return True

    def get_status(self) -> str:
        """Return the state as this program has set it."""
        return self._status

    def get_details(self) -> Dict[str, Any]:
        """Return what there is to know: the id and the state."""
        arguments = list(sys.argv[1:])
        return {
            "runId": self._id,
            "status": self._status,
            "properties": self.get_properties(),
            "runDefinition": {"arguments": arguments, "Arguments": arguments},
        }

    def get_metrics(
        self,
        name: Optional[str] = None,
        recursive: bool = False,
        run_type: Any = None,
        populate: bool = False,
    ) -> Dict[str, Any]:
        """Return what was logged so far."""
        metrics = metrics_of(self._series)
        return metrics if name is None else {k: v for k, v in metrics.items() if k == name}

    def get_file_names(self) -> List[str]:
        """Return nothing: an offline run keeps no files."""
        return []

    def get_tags(self) -> Dict[str, Optional[str]]:
        """Return the tags."""
        return dict(self._tags)

    def get_properties(self) -> Dict[str, str]:
        """Return the properties."""
        return dict(self._properties)

    def complete(self, _set_status: bool = True) -> None:
        """Mark the run as Completed."""
        self._end("Completed")

    def fail(self, error_details: Any = None, error_code: Any = None) -> None:
        """Mark the run as Failed."""
        self._end("Failed", "" if error_details is None else str(error_details))

    def cancel(self) -> None:
        """Mark the run as Canceled; the script goes on."""
        self._end("Canceled")

    def child_run(self, name: Optional[str] = None, run_id: Any = None, outputs: Any = None) -> Run:
        """Return another offline run."""
        return OfflineRun("%s_%s" % (self._id, name or run_id or "child"))

    def _report(self, name: str, value: Value, step: Optional[float]) -> None:
        self._series.setdefault(name, []).append(value)
        suffix = "" if step is None else " at step %s" % step
        print("Offline run: %s = %s%s" % (name, value, suffix))

    def _add_file(self, name: str, source: Any) -> None:
        print("Offline run: file %s from %s" % (name, source))

    def _mark(self, **changes: Any) -> None:
        for key, value in changes.get("properties", {}).items():
            if key in self._properties:
                raise UserErrorException("The property %r exists and cannot be changed." % key)
            self._properties[key] = value
        self._tags.update(changes.get("tags", {}))
        for key in changes.get("remove_tags", []):
            self._tags.pop(key, None)
        print("Offline run: %s" % ", ".join("%s %s" % pair for pair in changes.items()))

    def _end(self, status: str, details: str = "") -> None:
        self._status = status
        print("Offline run: %s%s" % (status, ": " + details if details else ""))

    def _client(self) -> Any:
        raise RunEnvironmentException("An offline run has no studio to ask.")
