"""Registered models: their list, one with its versions, one version with its files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from experiments import queries
from experiments.downloads import send_archive, send_file
from experiments.formats import metric_digits
from experiments.forms.codecs import format_pairs
from experiments.models import ModelVersion, RegisteredModel
from experiments.permissions import Action
from experiments.queries import models as models_query
from experiments.services.model_files import find_version_file, version_sources
from experiments.spec_command import format_value
from experiments.storable import is_storable

PAGE_SIZE: Final = 50
_MARKS: Final = (
    ModelVersion.Stage.STAGING,
    ModelVersion.Stage.PRODUCTION,
    ModelVersion.Stage.ARCHIVED,
)
# The picture of a metric among the other versions is this wide.
_TRACK: Final = 100


@dataclass(frozen=True, slots=True)
class ComparedVersion:
    """A version beside the others of its page; `x` is None where the metric is another one."""

    version: ModelVersion
    x: float | None
    is_best: bool
    to_base: float | None


@require_safe
def model_list(request: HttpRequest) -> HttpResponse:
    """List the models of one's workspaces, changed last first."""
    text = request.GET.get("q", "").strip()[:200]
    asked = request.GET.get("from", "")
    offset = int(asked) if asked.isdecimal() and len(asked) < 9 else 0
    starred = "1" if request.GET.get("starred") == "1" else ""
    workspace = request.GET.get("workspace", "")[:60]
    workspace = workspace if is_storable(workspace) else ""
    page = models_query.model_list(
        request.user,
        text=text,
        starred=bool(starred),
        workspace=workspace,
        offset=offset,
        limit=PAGE_SIZE,
    )
    address = reverse("models")
    kept = {"q": text, **({"starred": starred} if starred else {})}
    kept |= {"workspace": workspace} if workspace else {}
    query = urlencode({**kept, "from": page.next_cursor or ""})
    context = {
        "rows": page.items,
        "page": page,
        "text": text,
        "starred": starred,
        "asked_workspace": workspace,
        "stars": models_query.starred_models(request.user, [row.model.pk for row in page.items]),
        "next_url": f"{address}?{query}" if page.next_cursor else "",
        "can_change": queries.may(
            request.user, queries.current_workspace(request.user), Action.REGISTER_MODELS
        ),
    }
    return render(request, "experiments/model_list.html", context)


@require_safe
def model(request: HttpRequest, workspace: str, name: str) -> HttpResponse:
    """Show a model: its versions beside each other."""
    found = find_model(request, workspace, name)
    before = request.GET.get("before", "")
    page = models_query.version_page(
        found,
        before=int(before) if before.isdecimal() and len(before) < 10 else None,
        limit=PAGE_SIZE,
    )
    base = models_query.versions_of(found, stage=ModelVersion.Stage.PRODUCTION).first()
    versions = page.items
    allowed = queries.allowed_in(request.user, found.workspace_id)
    context = {
        "model": found,
        "versions": compare_versions(versions, base),
        "base": base,
        "total": page.total,
        "digits": metric_digits([version.metric_value for version in versions]),
        "next_url": f"{found.get_absolute_url()}?before={page.next_cursor}"
        if page.next_cursor
        else "",
        "can_change": Action.REGISTER_MODELS in allowed,
        "can_delete": Action.DELETE_MODELS in allowed,
    }
    return render(request, "experiments/model.html", context)


@require_safe
def version(request: HttpRequest, workspace: str, name: str, number: int) -> HttpResponse:
    """Show one version: its files, where it comes from, what it is marked as."""
    found = find_version(request, workspace, name, number)
    files = models_query.files_of_version(found)
    allowed = queries.allowed_in(request.user, found.model.workspace_id)
    context = {
        "model": found.model,
        "version": found,
        "files": files,
        "params": [(name, format_value(value)) for name, value in found.params.items()],
        "command_words": [shlex.quote(word) for word in found.command],
        "stages": [
            s for s in ModelVersion.Stage if s not in (found.stage, ModelVersion.Stage.NONE)
        ],
        "tags_text": format_pairs({k: "" if v is None else v for k, v in found.tags.items()}),
        "can_change": Action.REGISTER_MODELS in allowed,
        "can_delete": Action.DELETE_MODELS in allowed,
    }
    return render(request, "experiments/model_version.html", context)


@require_safe
def archive(request: HttpRequest, workspace: str, name: str, number: int) -> HttpResponseBase:
    """Send all files of a version as one zip."""
    found = find_version(request, workspace, name, number)
    return send_archive(request, version_sources(found), models_query.archive_name(found))


@require_safe
def file(
    request: HttpRequest, workspace: str, name: str, number: int, path: str
) -> HttpResponseBase:
    """Send one file of a version."""
    found = find_version(request, workspace, name, number)
    try:
        source = find_version_file(found, path)
        return send_file(request, source, source.name)
    except FileNotFoundError as error:
        raise Http404(str(error)) from error


def compare_versions(
    versions: Sequence[ModelVersion], base: ModelVersion | None
) -> list[ComparedVersion]:
    """Return versions beside each other: those with the metric and goal of the newest one."""
    if not versions:
        return []
    kind = versions[0].metric_name, versions[0].goal
    alike = [v for v in versions if (v.metric_name, v.goal) == kind and v.metric_value is not None]
    values = [v.metric_value or 0.0 for v in alike]
    low, high = min(values, default=0.0), max(values, default=0.0)
    best, worst = (high, low) if kind[1] == "maximize" else (low, high)
    # Of those that are as good as each other, the one that was there first.
    first = min((v.number for v in alike if v.metric_value == best), default=None)
    found = []
    for one in versions:
        value = one.metric_value if one in alike else None
        width = high - low
        place = None if value is None else abs(value - worst) / width if width else 0.5
        to_base = None
        if base and base.pk != one.pk and (base.metric_name, base.goal) == kind:
            is_known = value is not None and base.metric_value is not None
            to_base = (value or 0.0) - (base.metric_value or 0.0) if is_known else None
        found.append(
            ComparedVersion(
                version=one,
                x=None if place is None else 4 + place * (_TRACK - 8),
                is_best=one.number == first and len(alike) > 1,
                to_base=to_base,
            )
        )
    return found


def find_model(request: HttpRequest, workspace: str, name: str) -> RegisteredModel:
    """Return the model, or answer 404 when it is not this person's to see."""
    try:
        return models_query.find_model(request.user, name, workspace=workspace)
    except RegisteredModel.DoesNotExist as error:
        raise Http404(str(error)) from error


def find_version(request: HttpRequest, workspace: str, name: str, number: int) -> ModelVersion:
    """Return the version, or answer 404 when there is none to see."""
    found = models_query.versions_of(find_model(request, workspace, name))
    one = found.filter(number=number).first()
    if one is None:
        raise Http404(f"{name} has no version {number}.")
    return one
