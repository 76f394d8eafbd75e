"""Admin of experiments, sweeps and runs: look, search, cancel, requeue."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from experiments.admin_base import (
    NamedValues,
    OwnedByStudioAdmin,
    RowAdmin,
    admin_link,
    list_link,
    page_link,
    state_word,
)
from experiments.formats import format_duration, format_filesize, format_param
from experiments.models import Event, Experiment, Run, Sweep
from experiments.services.refused import Refused
from experiments.services.runs import cancel_run, lose_run, requeue_run
from experiments.services.sweeps import cancel_sweep
from experiments.services.transitions import StaleState
from experiments.services.trash import restore_sweep, trash_sweep
from experiments.states import RunState


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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Experiment]:
        return super().get_queryset(request).annotate(n_sweeps=Count("sweeps"))

    @admin.display(description="sweeps", ordering="n_sweeps")
    def sweep_count(self, experiment: Experiment) -> SafeString:
        count = getattr(experiment, "n_sweeps", 0)
        return list_link(Sweep, str(count), experiment__id__exact=experiment.pk)


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
        ("end_reason", NamedValues),
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
    actions = ["cancel_sweeps", "trash_sweeps", "restore_sweeps"]
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sweep]:
        return super().get_queryset(request).annotate(n_runs=Count("runs"))

    @admin.display(description="workspace", ordering="experiment__workspace__name")
    def workspace(self, sweep: Sweep) -> str | SafeString:
        return admin_link(sweep.experiment.workspace)

    @admin.display(description="status", ordering="state")
    def status(self, sweep: Sweep) -> str:
        return state_word(sweep.state, sweep.end_reason)

    @admin.display(description="runs", ordering="n_runs")
    def run_count(self, sweep: Sweep) -> SafeString:
        return list_link(Run, str(getattr(sweep, "n_runs", 0)), sweep__id__exact=sweep.pk)

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

    @admin.action(description="Cancel selected sweeps", permissions=["change"])
    def cancel_sweeps(self, request: HttpRequest, chosen: QuerySet[Sweep]) -> None:
        canceled, ended = 0, 0
        for sweep in chosen:
            if sweep.is_terminal:
                ended += 1
                continue
            try:
                cancel_sweep(sweep, user=_person(request))
                canceled += 1
            except StaleState:
                ended += 1
        _tell(self, request, "sweep", "Canceling", canceled, ended, "had ended already")

    @admin.action(description="Move selected sweeps to the trash", permissions=["change"])
    def trash_sweeps(self, request: HttpRequest, chosen: QuerySet[Sweep]) -> None:
        self._each(request, chosen.filter(kind=Sweep.Kind.SWEEP), trash_sweep, "Trashed")

    @admin.action(description="Restore selected sweeps from the trash", permissions=["change"])
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
                is_done = act(sweep, user=_person(request))
            except (Refused, Sweep.DoesNotExist):
                is_done = False
            done, left = done + is_done, left + (not is_done)
        _tell(self, request, "sweep", verb, done, left, "stayed as they were")


@admin.register(Run)
class RunAdmin(OwnedByStudioAdmin[Run]):
    """Child runs; nothing of them is typed in."""

    list_display = [
        "title",
        "page",
        "sweep",
        "status",
        "best",
        "reports",
        "duration",
        "worker_name",
        "host",
        "exit_code",
        "short_reason",
        "created_at",
    ]
    list_filter = [
        "state",
        ("end_reason", NamedValues),
        "sweep__compute",
        "sweep__experiment__workspace",
    ]
    list_select_related = ["sweep"]
    search_fields = ["public_id", "sweep__name", "worker_name", "host", "reason"]
    date_hierarchy = "created_at"
    actions = ["cancel_runs", "requeue_runs"]
    ordering = ["-pk"]
    show = (
        "public_id",
        "page",
        "sweep",
        "number",
        "params",
        "note",
        "retry",
        "state",
        "end_reason",
        "reason",
        "exit_code",
        "arguments",
        "command",
        "directory",
        "worker_name",
        "host",
        "executor_pid",
        "guard_pid",
        "fence",
        "lease_expires_at",
        "stamp",
        "last_seq",
        "reports",
        "best_value",
        "best_interval",
        "best_step",
        "last_value",
        "last_decision",
        "log_size",
        "output_size",
        "created_at",
        "started_at",
        "ended_at",
    )

    @admin.display(description="run", ordering="number")
    def title(self, run: Run) -> str:
        return f"run {run.number}"

    @admin.display(description="page")
    def page(self, run: Run) -> SafeString:
        is_check = run.sweep.kind == Sweep.Kind.CHECK
        return page_link((run.sweep if is_check else run).get_absolute_url(), "Open")

    @admin.display(description="status", ordering="state")
    def status(self, run: Run) -> str:
        return state_word(run.state, run.end_reason)

    @admin.display(description="retry of")
    def retry(self, run: Run) -> str | SafeString:
        return admin_link(run.retry_of)

    @admin.display(description="best value", ordering="best_value")
    def best(self, run: Run) -> str:
        return format_param(run.best_value, 6)

    @admin.display(description="duration")
    def duration(self, run: Run) -> str:
        if run.started_at is None or run.ended_at is None:
            return "-"
        return format_duration((run.ended_at - run.started_at).total_seconds())

    @admin.display(description="reason", ordering="reason")
    def short_reason(self, run: Run) -> str:
        return run.reason if len(run.reason) <= 80 else run.reason[:79] + "…"

    @admin.display(description="log size", ordering="log_bytes")
    def log_size(self, run: Run) -> str:
        return format_filesize(run.log_bytes)

    @admin.display(description="output size", ordering="output_bytes")
    def output_size(self, run: Run) -> str:
        return format_filesize(run.output_bytes)

    @admin.action(description="Cancel selected runs", permissions=["change"])
    def cancel_runs(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        canceled, ended = 0, 0
        for run in chosen:
            if not run.is_terminal and cancel_run(run, user=_person(request)):
                canceled += 1
            else:
                ended += 1
        _tell(self, request, "run", "Canceling", canceled, ended, "could not be canceled any more")

    @admin.action(description="Requeue selected waiting or lost runs", permissions=["change"])
    def requeue_runs(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        """Queue the job of waiting runs again; give runs up whose worker is silent."""
        requeued, others = 0, 0
        for run in chosen:
            if _requeue(run, _person(request)):
                requeued += 1
            else:
                others += 1
        _tell(self, request, "run", "Requeued", requeued, others, "neither wait nor are lost")


def _requeue(run: Run, person: User) -> bool:
    if run.state == RunState.QUEUED:
        return requeue_run(run.pk)
    if run.state != RunState.NOT_RESPONDING:
        return False
    reason = f"Given up by {person.get_username()}: its worker did not respond any more."
    return lose_run(run.pk, reason=reason, fence=run.fence) is not None


def _person(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _tell(
    page: RowAdmin[Sweep] | RowAdmin[Run],
    request: HttpRequest,
    noun: str,
    verb: str,
    done: int,
    left: int,
    why_left: str,
) -> None:
    if done:
        text = f"{verb} {done} {noun}{'' if done == 1 else 's'}."
        page.message_user(request, text, messages.SUCCESS)
    if left:
        text = f"{left} {noun}{'' if left == 1 else 's'} {why_left}."
        page.message_user(request, text, messages.WARNING)
