"""Register what a run left behind: a dialog on pages with a run, a page of its own without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from experiments.formats import format_filesize
from experiments.models import ModelVersion, Run
from experiments.permissions import Action
from experiments.problems import ProblemsError
from experiments.queries import models as models_query
from experiments.run_files import RunFile
from experiments.services.models import DEFAULT_PATH, register_model
from experiments.services.refused import Refused
from experiments.views.runs import files_of, find_run
from experiments.views.sweep_head import changer_of

# More are no choice any more; the folders above them stand there as well.
_MOST_CHOICES: Final = 200


@dataclass(frozen=True, slots=True)
class PathChoice:
    """A folder or file of the run that may be registered."""

    path: str
    label: str


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest, run_id: str) -> HttpResponse:
    """Show the form; POST registers a version and leads to its page."""
    run = find_run(request, run_id)
    user = changer_of(request, run.sweep, Action.REGISTER_MODELS)
    if request.method != "POST":
        return _form(request, run, {"name": models_query.suggested_name(run)}, {})
    posted = {key: request.POST.get(key, "").strip() for key in ("name", "path", "description")}
    try:
        version = register_model(
            run,
            name=posted["name"],
            path=posted["path"] or DEFAULT_PATH,
            description=posted["description"],
            user=user,
        )
    except ProblemsError as error:
        return _form(request, run, posted, {p.path: p.message for p in error.problems})
    except Refused as error:
        return _form(request, run, posted, {"": str(error)})
    messages.success(request, f"Registered as {version.model.name}, version {version.number}.")
    return redirect(version)


def path_choices(files: list[RunFile]) -> list[PathChoice]:
    """Return the folders and files to choose from: `outputs` first, then what is in it."""
    folders: dict[str, list[RunFile]] = {}
    for file in files:
        parts = file.path.split("/")
        for depth in range(1, len(parts)):
            folders.setdefault("/".join(parts[:depth]), []).append(file)
    found = [PathChoice(path, _folder_label(path, below)) for path, below in folders.items()]
    found += [PathChoice(f.path, f"{f.path} ({format_filesize(f.size_bytes)})") for f in files]
    found.sort(key=lambda choice: (not _is_output(choice.path), choice.path))
    return found[:_MOST_CHOICES]


def _form(
    request: HttpRequest, run: Run, values: dict[str, str], errors: dict[str, str]
) -> HttpResponse:
    workspace = run.sweep.experiment.workspace
    known = models_query.models_for(request.user).filter(workspace=workspace)
    context: dict[str, Any] = {
        "run": run,
        "sweep": run.sweep,
        "values": {"path": DEFAULT_PATH, **values},
        "errors": errors,
        "choices": path_choices(files_of(run)),
        "known": [(model.name, model.last_number + 1) for model in known.order_by("name")[:500]],
        "stages": ModelVersion.Stage,
    }
    name = "_register_form" if "X-Fragment" in request.headers else "model_register"
    return render(request, f"experiments/{name}.html", context, status=422 if errors else 200)


def _is_output(path: str) -> bool:
    return path == DEFAULT_PATH or path.startswith(f"{DEFAULT_PATH}/")


def _folder_label(path: str, below: list[RunFile]) -> str:
    count = len(below)
    size = format_filesize(sum(file.size_bytes for file in below))
    return f"{path}/ ({count} file{'' if count == 1 else 's'}, {size})"
