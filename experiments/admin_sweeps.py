"""Admin of experiments and sweeps: look, search, and act through the services of their pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from experiments.admin_asking import asking, person_of, tell
from experiments.admin_base import (
    EndReasons,
    OwnedByStudioAdmin,
    RowAdmin,
    add_counts,
    admin_link,
    count_of,
    list_link,
    page_link,
    state_chip,
)
from experiments.formats import format_param
from experiments.models import Event, Experiment, Run, Sweep
from experiments.services.refused import Refused
from experiments.services.retries import retry_failed
from experiments.services.sweeps import cancel_sweep, pause_sweep, resume_sweep
from experiments.services.transitions import StaleState
from experiments.services.trash import restore_sweep, trash_sweep
from experiments.states import SWEEP_REASONS, RunState, SweepState

_STAYED: Final = "stayed as they were"


@admin.register(Experiment)
class ExperimentAdmin(RowAdmin[Experiment]):
    """Named series of sweeps."""

    list_display = ["name", "workspace", "sweep_count", "created_at"]
    list_filter = ["workspace", "created_at"]
    list_select_related = ["workspace"]
    search_fields = ["name", "workspace__name"]
    autocomplete_fields = ["workspace"]
    readonly_fields = ["created_at"]
    date_hierarchy = "created_at"

    def add_facts(self, rows: list[Experiment]) -> None:
        add_counts(rows, "n_sweeps", Sweep, "experiment")

    @admin.display(description="sweeps")
    def sweep_count(self, experiment: Experiment) -> SafeString:
        count = str(count_of(experiment, "n_sweeps"))
        return list_link(Sweep, count, experiment__id__exact=experiment.pk)


@admin.register(Sweep)
class SweepAdmin(OwnedByStudioAdmin[Sweep]):
    """Sweeps; name, description and tags may be corrected, everything else is the studio's."""

    list_display = [
        "name",
        "page",
        "experiment",
        "workspace",
        "owner",
        "kind",
        "status",
        "run_count",
        "best_metric",
        "compute",
        "created_at",
    ]
    list_filter = [
        "kind",
        "state",
        EndReasons,
        "goal",
        "compute",
        "experiment__workspace",
        ("trashed_at", admin.EmptyFieldListFilter),
        "created_at",
    ]
    list_select_related = ["experiment__workspace", "owner", "compute"]
    search_fields = [
        "name",
        "public_id",
        "experiment__name",
        "owner__username",
        "metric_name",
        "reason",
    ]
    date_hierarchy = "created_at"
    reasons = SWEEP_REASONS
    actions = [
        "pause_sweeps",
        "resume_sweeps",
        "retry_failed_runs",
        "cancel_sweeps",
        "trash_sweeps",
        "restore_sweeps",
    ]
    editable = ("name", "description", "tags")
    show = (
        "name",
        "description",
        "tags",
        "kind",
        "public_id",
        "page",
        "experiment",
        "workspace",
        "owner",
        "compute",
        "snapshot",
        "state",
        "end_reason",
        "reason",
        "sampler_error",
        "run_count",
        "event_count",
        "sampled",
        "max_total_runs",
        "max_concurrent_runs",
        "next_number",
        "is_exhausted",
        "cursor",
        "seed",
        "metric_name",
        "goal",
        "best",
        "best_value",
        "spec",
        "created_at",
        "started_at",
        "deadline_at",
        "ended_at",
        "keep_outputs_of_best",
        "trashed_at",
        "trashed_by",
        "purging_at",
    )

    def add_facts(self, rows: list[Sweep]) -> None:
        add_counts(rows, "n_runs", Run, "sweep")

    def fits(self, action: str, row: Sweep) -> bool:
        is_trashed, is_over = row.trashed_at is not None, row.is_terminal
        fitting = {
            "pause_sweeps": row.state == SweepState.RUNNING,
            "resume_sweeps": row.state == SweepState.PAUSED,
            "retry_failed_runs": not is_trashed
            and row.runs.filter(state=RunState.FAILED, retries__isnull=True).exists(),
            "cancel_sweeps": not is_over,
            "trash_sweeps": is_over and not is_trashed and row.kind == Sweep.Kind.SWEEP,
            "restore_sweeps": is_trashed and row.purging_at is None,
        }
        return fitting.get(action, True)

    @admin.display(description="workspace", ordering="experiment__workspace__name")
    def workspace(self, sweep: Sweep) -> str | SafeString:
        return admin_link(sweep.experiment.workspace)

    @admin.display(description="status", ordering="state")
    def status(self, sweep: Sweep) -> SafeString:
        return state_chip(sweep.state, sweep.end_reason)

    @admin.display(description="runs")
    def run_count(self, sweep: Sweep) -> SafeString:
        return list_link(Run, str(count_of(sweep, "n_runs")), sweep__id__exact=sweep.pk)

    @admin.display(description="events")
    def event_count(self, sweep: Sweep) -> SafeString:
        return list_link(Event, str(sweep.events.count()), sweep__id__exact=sweep.pk)

    @admin.display(description="best value", ordering="best_value")
    def best_metric(self, sweep: Sweep) -> str:
        return format_param(sweep.best_value, 6)

    @admin.display(description="best run")
    def best(self, sweep: Sweep) -> str | SafeString:
        return admin_link(sweep.best_run)

    @admin.display(description="page")
    def page(self, sweep: Sweep) -> SafeString:
        return page_link(sweep.get_absolute_url(), "Open")

    @admin.action(description="Pause selected sweeps", permissions=["change"])
    @asking("Pause", "No new runs start; those that a worker has taken go on to their end.")
    def pause_sweeps(self, request: HttpRequest, chosen: QuerySet[Sweep]) -> None:
        self._each(request, chosen, pause_sweep, "Paused")

    @admin.action(description="Resume selected sweeps", permissions=["change"])
    @asking("Resume", "Paused sweeps go on with their next runs.")
    def resume_sweeps(self, request: HttpRequest, chosen: QuerySet[Sweep]) -> None:
        self._each(request, chosen, resume_sweep, "Resumed")

    @admin.action(description="Retry the failed runs of selected sweeps", permissions=["change"])
    @asking(
        "Retry failed runs",
        "Every failed run that has no repetition yet runs again as a new run, not counted in the "
        "limit. Sweeps that have ended go on for it.",
    )
    def retry_failed_runs(self, request: HttpRequest, chosen: QuerySet[Sweep]) -> None:
        self._each(
            request,
            chosen.filter(kind=Sweep.Kind.SWEEP, trashed_at__isnull=True),
            lambda sweep, user: bool(retry_failed(sweep, user=user)),
            "Repeats failed runs of",
        )

    @admin.action(description="Cancel selected sweeps", permissions=["change"])
    @asking(
        "Cancel",
        "No new runs start, and running scripts are stopped. What was reported stays; a canceled "
        "sweep takes no new samples.",
        is_danger=True,
    )
    def cancel_sweeps(self, request: HttpRequest, chosen: QuerySet[Sweep]) -> None:
        canceled, ended = 0, 0
        for sweep in chosen:
            if sweep.is_terminal:
                ended += 1
                continue
            try:
                cancel_sweep(sweep, user=person_of(request))
                canceled += 1
            except StaleState:
                ended += 1
        tell(self, request, "sweep", "Canceling", canceled, ended, "had ended already")

    @admin.action(description="Move selected sweeps to the trash", permissions=["change"])
    @asking(
        "Move to the trash",
        "Sweeps that have ended leave every list and number; they can be restored until the trash "
        "is emptied. Registered models stay.",
        is_danger=True,
    )
    def trash_sweeps(self, request: HttpRequest, chosen: QuerySet[Sweep]) -> None:
        self._each(request, chosen.filter(kind=Sweep.Kind.SWEEP), trash_sweep, "Trashed")

    @admin.action(description="Restore selected sweeps from the trash", permissions=["change"])
    @asking("Restore", "They come back as they were.")
    def restore_sweeps(self, request: HttpRequest, chosen: QuerySet[Sweep]) -> None:
        self._each(request, chosen, restore_sweep, "Restored")

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[Sweep],
        act: Callable[..., bool],
        verb: str,
    ) -> None:
        done, left = 0, 0
        for sweep in chosen:
            try:
                is_done = act(sweep, user=person_of(request))
            except (Refused, Sweep.DoesNotExist):
                is_done = False
            done, left = done + is_done, left + (not is_done)
        tell(self, request, "sweep", verb, done, left, _STAYED)
