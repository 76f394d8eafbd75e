"""The page of one run, its live log, its files, and canceling it."""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from experiments import queries
from experiments.curves import downsample
from experiments.downloads import send_archive, send_file
from experiments.formats import DASH, format_metric
from experiments.models import Run, Sweep
from experiments.permissions import Action
from experiments.progress import SweepProgress
from experiments.queries import Series
from experiments.queries.json_forms import in_declared_order
from experiments.queries.models import versions_from
from experiments.queries.notes import notes_of
from experiments.queries.queue_places import place_of_run
from experiments.queries.receipts import receipt_of
from experiments.queries.run_facts import place_of, progress_of, series_summaries
from experiments.run_files import (
    STD_LOG,
    RunFile,
    TextPiece,
)
from experiments.services.by_hand import takes_by_hand
from experiments.services.retries import is_repeatable
from experiments.services.runs import cancel_run
from experiments.spec_command import format_value
from experiments.states import RUN_LIVE, RunState, SweepState, badge
from experiments.storable import is_storable
from experiments.storage.base import StorageError
from experiments.storage.chosen import tree_of
from experiments.storage.trees import FileTree
from experiments.views.parts import once
from experiments.views.run_overlay import Overlay, overlay_of
from experiments.views.run_why import why_of
from experiments.views.sweep_head import changer_of, page_data

_LOG_BYTES: Final = 256 * 1024
# What the first page shows of a long log; the rest is in the download.
_LOG_TAIL: Final = 64 * 1024
_POINTS: Final = 600
_SMALL_CHARTS: Final = 12
_CANCELABLE: Final = frozenset(
    {RunState.NOT_STARTED, RunState.QUEUED, RunState.STARTING, RunState.RUNNING}
)


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A hyperparameter of the run, exactly as its script got it, beside the best run's."""

    name: str
    exact: str
    best: Any
    is_same: bool


@require_safe
def run(request: HttpRequest, run_id: str) -> HttpResponse:
    """Show one run: how it went, with what, and what it printed."""
    found = find_run(request, run_id)
    context = run_context(request, found)
    is_fragment = "X-Fragment" in request.headers
    name = "experiments/_run_detail_parts.html" if is_fragment else "experiments/run_detail.html"
    return render(request, name, context)


@require_POST
def cancel(request: HttpRequest, run_id: str) -> HttpResponse:
    """Cancel the run, for people who may change its sweep."""
    found = find_run(request, run_id)
    if not cancel_run(found, user=changer_of(request, found.sweep)):
        messages.info(request, "The run had ended already.")
    return redirect(found)


@require_safe
def log(request: HttpRequest, run_id: str) -> HttpResponse:
    """Return what the run has printed from the byte `?offset=` on."""
    found = find_run(request, run_id)
    offset = request.GET.get("offset", "")
    start = int(offset) if offset.isdecimal() and len(offset) < 19 else 0
    piece = _read_log(found, start, _LOG_BYTES)
    is_done = found.is_terminal and piece.next_offset >= piece.size
    return JsonResponse(
        {
            "text": piece.text,
            "offset": piece.offset,
            "next_offset": piece.next_offset,
            "size": piece.size,
            "done": is_done,
        }
    )


@require_safe
def file(request: HttpRequest, run_id: str, path: str) -> HttpResponseBase:
    """Send one file of the run."""
    found = find_run(request, run_id)
    try:
        source = _tree(found).find(path)
        return send_file(request, source, source.name)
    except FileNotFoundError as error:
        raise Http404(str(error)) from error


@require_safe
def archive(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """Send all files of the run, or those below `?under=outputs`, as one zip."""
    found = find_run(request, run_id)
    under = request.GET.get("under", "")
    tree = _tree(found)
    files = [f for f in tree.files() if not under or f.path.startswith(f"{under}/")]
    if not files:
        raise Http404(f"Run {found.number} has no files{f' below {under}' if under else ''}.")
    pairs = [(f.path, tree.find(f.path)) for f in files]
    return send_archive(request, pairs, f"{found.public_id}.zip")


def find_run(request: HttpRequest, run_id: str) -> Run:
    """Return the run, or answer 404 when it is not this person's to see."""
    if not is_storable(run_id):
        raise Http404("No run has such an id.")
    runs = queries.runs_for(request.user).select_related(
        "sweep__best_run", "sweep__owner", "outputs_removal__requested_by"
    )
    return get_object_or_404(runs, public_id=run_id)


def can_resume(found: Run, files: list[RunFile]) -> bool:
    """Tell whether another sweep could go on from what a run left."""
    is_check = found.sweep.kind == Sweep.Kind.CHECK
    return found.is_terminal and not is_check and any(f.path.startswith("outputs/") for f in files)


def files_of(found: Run) -> list[RunFile]:
    """Return the files of a run, also while it runs."""
    return tree_of(found.directory).files()


def run_context(request: HttpRequest, found: Run) -> dict[str, Any]:
    """Return what the page of a run shows."""
    sweep = found.sweep
    place = place_of(found)
    progress = progress_of(sweep, timezone.now())
    best = sweep.best_run
    is_best = best is not None and best.pk == found.pk
    files, piece, problem = _look_at_files(found)
    overlay = overlay_of(request, found)
    return {
        "run": found,
        "overlay": overlay,
        "sweep": sweep,
        "place": place,
        "previous_url": _neighbour_url(sweep, place.previous),
        "next_url": _neighbour_url(sweep, place.next),
        "is_best": is_best,
        "why": once(lambda: why_of(found)),
        "notes": once(lambda: notes_of(found)),
        "notes_url": reverse("run_notes", args=[found.public_id]),
        "receipt": once(lambda: receipt_of(found)),
        "best": best,
        "to_best": _difference(found, sweep, progress.digits),
        "digits": progress.digits,
        "resumed_from": once(lambda: queries.resumed_from(found)),
        "resumed_by": once(lambda: queries.resumed_by(found)),
        "retries": once(lambda: list(found.retries.order_by("number"))),
        "seconds": _seconds(found),
        "waited": _waited(found),
        "queued": once(lambda: place_of_run(found, timezone.now())),
        "params": _parameter_rows(found, best),
        "arguments_text": shlex.join(found.arguments),
        "command_words": [shlex.quote(word) for word in found.command],
        "run_css": badge(found.state, found.end_reason).css,
        "summaries": once(lambda: series_summaries(found)),
        "files": files,
        "files_problem": problem,
        "registered": once(lambda: versions_from(run=found)),
        "outputs_size": sum(f.size_bytes for f in files if not f.path.startswith("logs/")),
        "environment": sorted({**sweep.compute.environment, **sweep.spec["environment"]}),
        "is_live": found.state in RUN_LIVE,
        "log_text": piece.text,
        "log_skipped": piece.offset,
        "page": _run_page(found, progress, piece.next_offset, overlay),
        **_offered(request, found, files),
    }


def _offered(request: HttpRequest, found: Run, files: list[RunFile]) -> dict[str, bool]:
    """Return what the person may do with the run as it is now."""
    sweep = found.sweep
    may_change = queries.may(request.user, sweep.experiment.workspace, Action.CHANGE_ANY_SWEEP)
    may_retry = may_change and sweep.state != SweepState.CANCEL_REQUESTED
    return {
        "can_change": may_change,
        "can_resume": may_change and can_resume(found, files),
        "can_remove_outputs": may_change and found.is_terminal and _has_outputs(files),
        "can_register": may_change and found.is_terminal and bool(files),
        "can_cancel": may_change and found.state in _CANCELABLE,
        "can_retry": may_retry and is_repeatable(found),
        "can_clone": may_change and takes_by_hand(sweep),
    }


def _run_page(
    found: Run, progress: SweepProgress, log_offset: int, overlay: Overlay | None
) -> dict[str, Any]:
    sweep = found.sweep
    series = queries.all_series(found)
    best = sweep.best_run if sweep.best_run_id != found.pk else None
    return {
        **page_data(sweep, progress),
        "live": not found.is_terminal or bool(overlay and overlay.is_live),
        "run": {
            "id": found.public_id,
            "number": found.number,
            "status": found.state,
            "end_reason": found.end_reason,
            "done": found.is_terminal,
        },
        "series": [_series_json(one) for one in _main_first(series, sweep.metric_name)],
        "small_charts": _SMALL_CHARTS,
        "best": curve_json(best, sweep.metric_name) if best else None,
        "log": {"url": reverse("run_log", args=[found.public_id]), "offset": log_offset},
    }


def curve_json(run: Run, metric: str) -> dict[str, Any] | None:
    """Return the values of a run as a small chart draws them; None without any."""
    found = queries.series_of(run, metric)
    return None if found is None else {"number": run.number, **_series_json(found)}


def _main_first(series: list[Series], metric: str) -> list[Series]:
    return sorted(series, key=lambda one: (one.name != metric, one.name))


def _series_json(series: Series) -> dict[str, Any]:
    x, y = downsample(series.intervals, series.values, _POINTS)
    return {
        "name": series.name,
        "count": int(series.values.size),
        "x": x.astype(np.int64).tolist(),
        "y": [value if math.isfinite(value) else None for value in y.tolist()],
        "texts": len(series.texts),
    }


def _has_outputs(files: list[RunFile]) -> bool:
    return any(not file.path.startswith("logs/") for file in files)


def _read_log(found: Run, start: int, limit: int) -> TextPiece:
    return tree_of(found.directory).read_text(STD_LOG, start, limit)


def _look_at_files(found: Run) -> tuple[list[RunFile], TextPiece, str]:
    """Return the files, the end of the log, and why both are empty when they cannot be read."""
    try:
        return files_of(found), _log_tail(found), ""
    except StorageError as error:
        # Everything else on the page comes from rows.
        return [], TextPiece("", 0, 0, 0), str(error)


def _log_tail(found: Run) -> TextPiece:
    size = _read_log(found, 0, 0).size
    piece = _read_log(found, max(0, size - _LOG_TAIL), _LOG_TAIL)
    if not piece.offset:
        return piece
    # Begin with a whole line.
    _, _, text = piece.text.partition("\n")
    return TextPiece(text or piece.text, piece.offset, piece.next_offset, piece.size)


def _tree(found: Run) -> FileTree:
    if not found.directory:
        raise Http404(f"Run {found.number} has not started, so it has no files.")
    return tree_of(found.directory)


def _neighbour_url(sweep: Sweep, number: int | None) -> str:
    return "" if number is None else reverse("run", args=[f"{sweep.public_id}_{number}"])


def _difference(found: Run, sweep: Sweep, digits: int) -> str:
    if found.best_value is None or sweep.best_value is None:
        return DASH
    difference = found.best_value - sweep.best_value
    text = format_metric(difference, digits)
    return f"+{text}" if difference > 0 else text


def _waited(found: Run) -> float | None:
    return (found.started_at - found.created_at).total_seconds() if found.started_at else None


def _seconds(found: Run) -> float | None:
    if found.started_at is None:
        return None
    return ((found.ended_at or timezone.now()) - found.started_at).total_seconds()


def _parameter_rows(found: Run, best: Run | None) -> list[ParameterRow]:
    others = best.params if best is not None and best.pk != found.pk else {}
    params = in_declared_order(found.params, found.sweep.spec)
    return [
        ParameterRow(
            name=name,
            exact=format_value(value),
            best=others.get(name),
            is_same=name in others and others[name] == value,
        )
        for name, value in params.items()
    ]
