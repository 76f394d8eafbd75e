"""A run as the studio knows it: its state, metrics, files, log and marks, over HTTP.

Standard library only; Python 3.8 syntax.
"""

import sys
import time
from pathlib import Path, PurePosixPath
from typing import Any, Dict, Iterable, List, Optional, Sequence
from urllib.parse import quote

from studio.sdk.errors import ActivityFailedException, UserErrorException
from studio.sdk.metrics_log import metrics_of, number_of

RUNNING = ("NotStarted", "Queued", "Starting", "Running", "NotResponding", "Paused")
TERMINAL = ("Completed", "Failed", "Canceled")
_FIRST_PAUSE, _LAST_PAUSE = 0.2, 5.0


class RemoteRun:
    """Needs `_id` and `_client()` of the run it belongs to."""

    _id: str

    def _client(self) -> Any:
        raise NotImplementedError

    def _address(self, *parts: str) -> str:
        return "/".join(["runs", quote(self._id), *parts])

    def _read(self) -> Dict[str, Any]:
        document: Dict[str, Any] = self._client().get(self._address())
        return document

    def get_status(self) -> str:
        """Return the state of the run, asked anew."""
        return str(self._read()["status"])

    @property
    def status(self) -> str:
        """The state of the run."""
        return self.get_status()

    def get_detailed_status(self) -> Dict[str, Any]:
        """Return the state and the sentence that says why."""
        document = self._read()
        return {"status": document["status"], "details": document["reason"]}

    def get_details(self) -> Dict[str, Any]:
        """Return what there is to know; `runDefinition` has the arguments the script was given."""
        document = self._read()
        definition = {
            "script": document["script"],
            "arguments": document["arguments"],
            "Arguments": document["arguments"],  # as older programs spell it
            "target": document["compute"],
        }
        details = {
            "runId": document["id"],
            "target": document["compute"],
            "status": document["status"],
            "startTimeUtc": document["started"],
            "endTimeUtc": document["ended"],
            "properties": document["properties"],
            "tags": document["tags"],
            "inputDatasets": [],
            "outputDatasets": [],
            "runDefinition": definition,
            "logFiles": self._log_files(),
            "submittedBy": document["owner"],
            "warnings": [],
        }
        if document["status"] == "Failed":
            error = {"code": document["end_reason"], "message": document["reason"]}
            details["error"] = {"error": error}
        return {key: value for key, value in details.items() if value is not None}

    def get_details_with_logs(self) -> Dict[str, Any]:
        """Return the details with the text of the log beside its name."""
        details = self.get_details()
        details["logFiles"] = {
            name: self._log_text() if name == "logs/std_log.txt" else address
            for name, address in details["logFiles"].items()
        }
        return details

    def get_metrics(
        self,
        name: Optional[str] = None,
        recursive: bool = False,
        run_type: Any = None,
        populate: bool = False,
    ) -> Dict[str, Any]:
        """Return all metrics: a name reported once has its value, otherwise the list of them."""
        items = self._client().get(self._address("metrics"))["items"]
        metrics = metrics_of({s["name"]: [number_of(v) for v in s["values"]] for s in items})
        return metrics if name is None else {k: v for k, v in metrics.items() if k == name}

    def get_file_names(self) -> List[str]:
        """Return the names of all files of the run."""
        return [str(item["path"]) for item in self._client().get(self._address("files"))["items"]]

    def download_file(self, name: str, output_file_path: Any = None) -> None:
        """Download one file; by default to its base name in the working directory.

        Raises:
            UserErrorException: the run has no such file.
        """
        if name not in self.get_file_names():
            raise UserErrorException("The run has no file '%s'." % name)
        base = PurePosixPath(name).name
        target = Path(base if output_file_path is None else str(output_file_path))
        if target.is_dir():
            target = target / base
        self._fetch(name, target)

    def download_files(
        self,
        prefix: Optional[str] = None,
        output_directory: Any = None,
        output_paths: Optional[Sequence[str]] = None,
        batch_size: int = 100,
        append_prefix: bool = True,
        timeout_seconds: Optional[float] = None,
    ) -> None:
        """Download the files whose names begin with `prefix`.

        Raises:
            UserErrorException: no file matches, or `output_paths` has another length.
        """
        names = [name for name in self.get_file_names() if name.startswith(prefix or "")]
        if not names:
            raise UserErrorException("The run has no file that begins with '%s'." % (prefix or ""))
        if output_paths is not None and len(output_paths) != len(names):
            text = "output_paths has %d paths for %d files."
            raise UserErrorException(text % (len(output_paths), len(names)))
        root = Path(str(output_directory or "."))
        for index, name in enumerate(names):
            kept = name if append_prefix or not prefix else name[len(prefix) :].lstrip("/")
            self._fetch(name, root / (output_paths[index] if output_paths else kept or name))

    def get_all_logs(self, destination: Any = None) -> List[str]:
        """Download all logs; return where they are."""
        root = Path(str(destination or "."))
        names = [name for name in self.get_file_names() if name.startswith("logs/")]
        for name in names:
            self._fetch(name, root / name)
        return [str(root / name) for name in names]

    def get_tags(self) -> Dict[str, Optional[str]]:
        """Return the tags, read anew."""
        return dict(self._read()["tags"])

    def get_properties(self) -> Dict[str, str]:
        """Return the properties, read anew."""
        return dict(self._read()["properties"])

    @property
    def tags(self) -> Dict[str, Optional[str]]:
        """The tags."""
        return self.get_tags()

    @property
    def properties(self) -> Dict[str, str]:
        """The properties."""
        return self.get_properties()

    def tag(self, key: str, value: Any = None) -> None:
        """Set one tag."""
        self.set_tags({key: value})

    def set_tags(self, tags: Dict[str, Any]) -> None:
        """Merge tags with those there are."""
        self._mark(tags={str(k): None if v is None else str(v) for k, v in tags.items()})

    def remove_tags(self, tags: Iterable[str]) -> None:
        """Remove tags by name; unknown ones are passed over."""
        self._mark(remove_tags=[tags] if isinstance(tags, str) else [str(tag) for tag in tags])

    def add_properties(self, properties: Dict[str, Any]) -> None:
        """Add properties; one that exists cannot be changed."""
        if properties:
            self._mark(properties={str(key): str(value) for key, value in properties.items()})

    def cancel(self) -> None:
        """Ask the studio to stop the run; one that has ended stays as it is."""
        self._client().post(self._address("cancel"))

    def wait_for_completion(
        self,
        show_output: bool = False,
        wait_post_processing: bool = False,
        raise_on_error: bool = True,
    ) -> Dict[str, Any]:
        """Wait until the run has ended; return its details.

        Raises:
            ActivityFailedException: it has failed, and `raise_on_error`.
        """
        pause = _FIRST_PAUSE
        shown = self._show(0) if show_output else 0
        while True:
            document = self._waited()
            status = document["status"]
            if show_output:
                shown = self._show(shown)
            if status in TERMINAL or (status not in RUNNING and not wait_post_processing):
                break
            time.sleep(pause)
            pause = min(pause * 1.5, _LAST_PAUSE)
        if status == "Failed" and raise_on_error:
            text = "%s has failed: %s" % (self._id, document["reason"])
            raise ActivityFailedException(text)
        return self.get_details()

    def _waited(self) -> Dict[str, Any]:
        return self._read()

    def _show(self, shown: int) -> int:
        """Print what is new since `shown`; return the next position."""
        while True:
            piece = self._client().get(self._address("logs"), offset=shown)
            sys.stdout.write(piece["text"])
            if piece["next_offset"] == shown:
                sys.stdout.flush()
                return shown
            shown = piece["next_offset"]

    def _mark(self, **changes: Any) -> None:
        from studio.sdk.client import StudioRefusedError  # noqa: PLC0415 - slow to import

        try:
            self._client().patch(self._address(), changes)
        except StudioRefusedError as error:
            texts = [problem["message"] for problem in error.errors]
            text = "%s cannot be marked: %s" % (self._id, " ".join(texts))
            raise UserErrorException(text, error, errors=error.errors) from error

    def _log_files(self) -> Dict[str, str]:
        items = self._client().get(self._address("files"))["items"]
        return {i["path"]: i["url"] for i in items if i["path"].startswith("logs/")}

    def _log_text(self) -> str:
        text, offset = "", 0
        while True:
            piece = self._client().get(self._address("logs"), offset=offset)
            if piece["next_offset"] == offset:
                return text
            text, offset = text + piece["text"], piece["next_offset"]

    def _fetch(self, name: str, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            self._client().download(self._address("files", quote(name)), file)
