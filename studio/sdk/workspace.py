"""Where a program finds the studio, and the experiment it submits sweeps to.

Standard library only; Python 3.8 syntax.
"""

import json
import os
import posixpath
import re
import shlex
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional

from studio.sdk.client import (
    Connection,
    StudioClient,
    StudioRefusedError,
    StudioUnreachableError,
    find_connection,
)
from studio.sdk.errors import (
    ExperimentExecutionException,
    HyperDriveConfigException,
    UserErrorException,
)
from studio.sdk.hyperdrive_config import HyperDriveConfig, logger
from studio.sdk.results import HyperDriveRun, has
from studio.sdk.source_files import (
    SourceDirectoryError,
    SourceFile,
    list_source_files,
    write_zip,
)

_MAX_SHOWN = 8
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")


class Workspace:
    """A studio, and the workspace of it that new sweeps go to.

    `workspace` is its short name; None: the one that the owner of the token works in.
    """

    def __init__(self, url: str, token: str, workspace: Optional[str] = None) -> None:
        self.client = StudioClient(Connection(url.rstrip("/"), token))
        self.slug = workspace

    @classmethod
    def get(cls, name: str, **ignored: Any) -> "Workspace":
        """Return a workspace of the studio by its short name, or by its name.

        Raises:
            UserErrorException: there is no studio, or no such workspace of yours in it.
        """
        found = cls.from_config()
        try:
            known = list(found.client.pages("workspaces"))
        except (StudioRefusedError, StudioUnreachableError) as error:
            raise UserErrorException(str(error), error) from error
        fitting = [one["slug"] for one in known if one["slug"] == name]
        fitting = fitting or [one["slug"] for one in known if one["name"] == name]
        if len(fitting) != 1:
            names = ", ".join(one["slug"] for one in known) or "none"
            what = "no workspace" if not fitting else "more than one workspace"
            text = "You are in %s called %r; there are: %s."
            raise UserErrorException(text % (what, name, names))
        found.slug = fitting[0]
        return found

    @classmethod
    def from_config(
        cls, path: Any = None, workspace: Optional[str] = None, **ignored: Any
    ) -> "Workspace":
        """Return the studio that the command line would find.

        That is STUDIO_URL with STUDIO_TOKEN, else the one on this machine; or what a JSON file at
        `path` says: `{"url": ..., "token": ...}`. `workspace` is the short name of the one that
        new sweeps go to.

        Raises:
            UserErrorException: there is none, or the file does not name one.
        """
        if path is not None:
            connection = _read_file(Path(str(path)))
        else:
            try:
                connection = find_connection(os.environ, studio_home())
            except StudioUnreachableError as error:
                raise UserErrorException(str(error), error) from error
        return cls(connection.url, connection.token, workspace)

    @property
    def name(self) -> str:
        """The address of the studio."""
        return self.client.connection.url

    @property
    def experiments(self) -> Dict[str, "Experiment"]:
        """The experiments that have a sweep, by name."""
        names = {sweep["experiment"] for sweep in self.client.pages("sweeps", limit=500)}
        return {name: Experiment(self, name) for name in sorted(names)}

    @property
    def compute_targets(self) -> Dict[str, "ComputeTarget"]:
        """The compute targets, by name."""
        found = self.client.pages("compute")
        return {item["name"]: ComputeTarget(self, item["name"], item) for item in found}

    @property
    def models(self) -> Dict[str, Any]:
        """The newest version of every registered model, by name."""
        from studio.sdk.model import Model  # noqa: PLC0415 - rarely needed

        return {model.name: model for model in Model.list(self, latest=True)}

    def get_run(self, run_id: str) -> Any:
        """Return a run or a sweep by its id."""
        from studio.sdk.run import Run  # noqa: PLC0415 - only for this

        return Run.get(self, run_id)

    def __repr__(self) -> str:
        return "Workspace(url=%r)" % self.name


class ComputeTarget:
    """A compute target of the studio."""

    def __init__(
        self, workspace: Workspace, name: str, document: Optional[Mapping[str, Any]] = None
    ) -> None:
        """Look a compute target up.

        Raises:
            UserErrorException: there is none of this name.
        """
        if document is None:
            known = {item["name"]: item for item in workspace.client.pages("compute")}
            if name not in known:
                text = "There is no compute target '%s'; there are: %s."
                raise UserErrorException(text % (name, ", ".join(known) or "none"))
            document = known[name]
        self.workspace = workspace
        self.name = name
        self.type = str(document["kind"])
        self.slots = int(document["slots"])

    def __repr__(self) -> str:
        return "ComputeTarget(name=%r)" % self.name


class Experiment:
    """A named series of sweeps."""

    def __init__(self, workspace: Workspace, name: str, **ignored: Any) -> None:
        """Name an experiment; the studio makes it with its first sweep.

        Raises:
            UserErrorException: the name cannot be one.
        """
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise UserErrorException(
                "The name of an experiment is %r; use 1 to 255 letters, digits, hyphens and "
                "underscores, and begin with a letter or digit." % (name,)
            )
        self.workspace = workspace
        self.name = name

    def submit(
        self,
        config: Any,
        tags: Optional[Mapping[str, Any]] = None,
        display_name: Optional[str] = None,
        description: Optional[str] = None,
        **ignored: Any,
    ) -> HyperDriveRun:
        """Send the source directory and submit a sweep; returns at once.

        Raises:
            HyperDriveConfigException: the definition is wrong; `errors` has every problem.
            ExperimentExecutionException: the studio does not answer, or does not take it.
            UserErrorException: `config` is no definition of a sweep.
        """
        if not isinstance(config, HyperDriveConfig):
            raise UserErrorException(
                "submit takes a HyperDriveConfig, not %r; to run a script once, make one with "
                "max_total_runs=1." % (config,)
            )
        spec = config.to_spec(name=display_name or self.name, experiment=self.name)
        if tags:
            spec["tags"] = {str(k): "" if v is None else str(v) for k, v in tags.items()}
        if description:
            spec["description"] = str(description)
        files = _list_files(Path(str(config.source_directory)).expanduser())
        try:
            with tempfile.TemporaryFile() as archive:
                spec["snapshot"] = write_zip(files, archive)
                self._check(spec, [file.name for file in files])
                archive.seek(0)
                client, slug = self.workspace.client, self.workspace.slug
                client.upload("snapshots", archive, "application/zip", workspace=slug)
            sweep = client.post("sweeps", spec, workspace=slug)
        except StudioRefusedError as error:
            raise _refusal(error) from error
        except StudioUnreachableError as error:
            raise ExperimentExecutionException(str(error), error) from error
        for warning in sweep["warnings"]:
            logger.warning("%s", warning)
        return HyperDriveRun(self, sweep["id"], config)

    def get_runs(
        self,
        type: Optional[str] = None,  # noqa: A002 - the name of the original
        tags: Any = None,
        properties: Any = None,
        include_children: bool = False,
    ) -> Iterator[Any]:
        """Yield the sweeps of this experiment, newest first, with their runs where asked for."""
        for document in self.workspace.client.pages("sweeps", experiment=self.name, limit=100):
            run = HyperDriveRun(self, document["id"])
            fits = type in (None, run.type) and (tags is None or has(run.get_tags(), tags))
            if fits and (properties is None or has(run.get_properties(), properties)):
                yield run
            if include_children:
                yield from run.get_children(type=type, tags=tags, properties=properties)

    def _check(self, spec: Dict[str, Any], names: List[str]) -> None:
        """Ask the studio before anything is stored: what it refuses leaves no files behind."""
        slug = self.workspace.slug
        answer = self.workspace.client.post("sweeps/check", spec, workspace=slug)
        found = [error for error in answer["errors"] if error["path"] != "snapshot"]
        # The studio may not know the files yet.
        missing = _missing_script(spec, names)
        if missing and missing["path"] not in {error["path"] for error in found}:
            found.append(missing)
        if found:
            raise _wrong(found)

    def __repr__(self) -> str:
        return "Experiment(name=%r, workspace=%r)" % (self.name, self.workspace.name)


def studio_home() -> Path:
    """Return the data folder of a studio on this machine, where `studio up` leaves its address."""
    given = os.environ.get("STUDIO_HOME", "").strip()
    if given:
        return Path(given).expanduser().resolve()
    checkout = Path(__file__).resolve().parent.parent.parent
    if (checkout / "manage.py").exists():
        return checkout / ".studio"
    base = os.environ.get("XDG_DATA_HOME", "").strip() or "~/.local/share"
    return Path(base).expanduser() / "sweep-studio"


def _read_file(path: Path) -> Connection:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Connection(str(document["url"]), str(document["token"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        text = '%s cannot be used (%s); write {"url": "http://...", "token": "..."} into it.'
        raise UserErrorException(text % (path, error), error) from error


def _list_files(directory: Path) -> List[SourceFile]:
    try:
        return list_source_files(directory)
    except SourceDirectoryError as error:
        raise HyperDriveConfigException(
            "source_directory: %s" % " ".join(error.messages), error, target="source_directory"
        ) from error


def _missing_script(spec: Dict[str, Any], names: List[str]) -> Optional[Dict[str, str]]:
    """Return the problem of a file that is to be run and is not among `names`."""
    script = spec.get("script")
    if script is None:
        try:
            words = shlex.split(spec.get("command") or "")
        except ValueError:
            return None  # the studio says what is wrong with it
        is_python = len(words) > 1 and words[0] in ("python", "python3")
        script = words[1] if is_python and words[1].endswith(".py") else None
    if script is None or "$" in script or posixpath.normpath(script) in names:
        return None
    known = ", ".join([name for name in names if name.endswith(".py")][:_MAX_SHOWN])
    text = '"%s" is not in source_directory, which has %s.'
    path = "script" if spec.get("script") else "command"
    return {"path": path, "message": text % (script, known or "no Python file")}


def _refusal(error: StudioRefusedError) -> Exception:
    if error.status not in (400, 422):
        return ExperimentExecutionException(error.detail, error, errors=error.errors)
    return _wrong(error.errors, error)


def _wrong(errors: List[Dict[str, Any]], cause: Any = None) -> HyperDriveConfigException:
    lines = ["%s: %s" % (e["path"], e["message"]) if e["path"] else e["message"] for e in errors]
    return HyperDriveConfigException("\n".join(lines), cause, errors=errors)
