"""MLflow's artifacts: the files of a run, sent and fetched through the studio."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from experiments.api.auth import Caller
from experiments.api.mlflow.fields import Fields
from experiments.api.mlflow.forms import artifact_uri
from experiments.api.mlflow.reports import started
from experiments.api.mlflow.who import Target, target_of, writable
from experiments.api.mlflow.wire import MlflowError
from experiments.downloads import send_file
from experiments.services.uploaded_files import keep_upload
from experiments.storage.chosen import tree_of

# Between the id of a run and the names of its files.
_ROOT: Final = "artifacts"
_MOST_PATH: Final = 1300


def list_artifacts(caller: Caller, fields: Fields) -> dict[str, Any]:
    """List what is in one folder of a run; names are relative to the run."""
    target = target_of(caller, fields.text("run_id", most=256))
    folder = fields.text("path", "", most=_MOST_PATH).strip("/")
    return {"root_uri": artifact_uri(target), "files": _entries(target, folder, folder)}


def list_folder(caller: Caller, fields: Fields) -> dict[str, Any]:
    """List what is in one folder of a run; names are relative to the folder."""
    run_id, path = split_address(fields.text("path", most=_MOST_PATH))
    return {"files": _entries(target_of(caller, run_id), path, "")}


def receive(request: HttpRequest, caller: Caller, address: str) -> dict[str, Any]:
    """Keep the body as a file of a run; a file of that name is replaced."""
    run_id, path = split_address(address)
    target = writable(caller, run_id)
    keep_upload(started(target.run), target.prefix + path, request)
    return {}


def send(request: HttpRequest, caller: Caller, address: str) -> HttpResponseBase:
    """Send a file of a run, or the part of it that a Range header asks for."""
    run_id, path = split_address(address)
    target = target_of(caller, run_id)
    try:
        found = tree_of(target.run.directory).find(target.prefix + path)
        return send_file(request, found, found.name)
    except FileNotFoundError:
        raise MlflowError(
            "RESOURCE_DOES_NOT_EXIST", f"The run '{run_id}' has no file '{path}'."
        ) from None


def split_address(address: str) -> tuple[str, str]:
    """Return the id of a run and the name of one of its files, from `<run>/artifacts/<name>`.

    Raises:
        MlflowError: it is written in another way.
    """
    run_id, _, rest = address.strip("/").partition("/")
    root, _, path = rest.partition("/")
    if root != _ROOT or not run_id:
        raise MlflowError(
            "RESOURCE_DOES_NOT_EXIST",
            f"'{address[:120]}' is no place for files; they are at <run>/{_ROOT}/<name>.",
        )
    return run_id, path


def _entries(target: Target, folder: str, shown: str) -> list[dict[str, Any]]:
    inside = f"{target.prefix}{folder}".strip("/")
    begin = f"{inside}/" if inside else ""
    files: dict[str, int] = {}
    folders: set[str] = set()
    for file in tree_of(target.run.directory).files():
        if file.path == inside:  # a file lists itself
            name = PurePosixPath(file.path).name
            return [{"path": shown or name, "is_dir": False, "file_size": file.size_bytes}]
        if file.path.startswith(begin):
            name, slash, _ = file.path[len(begin) :].partition("/")
            if slash:
                folders.add(name)
            else:
                files[name] = file.size_bytes
    before = f"{shown}/" if shown else ""
    found = [{"path": f"{before}{name}", "is_dir": True} for name in sorted(folders)]
    found += [
        {"path": f"{before}{name}", "is_dir": False, "file_size": size}
        for name, size in sorted(files.items())
    ]
    return found
