"""Admin of runs: look, search, cancel, requeue; nothing of them is typed in."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from experiments.admin_asking import asking, person_of, tell
from experiments.admin_base import (
    EndReasons,
    OwnedByStudioAdmin,
    admin_link,
    page_link,
    state_chip,
)
from experiments.formats import format_duration, format_filesize, format_param
from experiments.models import Run, Sweep
from experiments.services.runs import cancel_run, lose_run, requeue_run
from experiments.states import RUN_REASONS, RunState


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
        EndReasons,
        "sweep__compute",
        "sweep__experiment__workspace",
    ]
    list_select_related = ["sweep"]
    search_fields = ["public_id", "sweep__name", "worker_name", "host", "reason"]
    reasons = RUN_REASONS
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

    def title_of(self, row: Run) -> str:
        return f"{row.sweep.name}, run {row.number}"

    @admin.display(description="page")
    def page(self, run: Run) -> SafeString:
        is_check = run.sweep.kind == Sweep.Kind.CHECK
        return page_link((run.sweep if is_check else run).get_absolute_url(), "Open")

    @admin.display(description="status", ordering="state")
    def status(self, run: Run) -> SafeString:
        return state_chip(run.state, run.end_reason)

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

    def fits(self, action: str, row: Run) -> bool:
        if action == "requeue_runs":
            return row.state in (RunState.QUEUED, RunState.NOT_RESPONDING)
        return not row.is_terminal

    @admin.action(description="Cancel selected runs", permissions=["change"])
    @asking(
        "Cancel", "Their scripts are stopped; what they reported stays. Their sweeps go on.",
        is_danger=True,
    )  # fmt: skip
    def cancel_runs(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        canceled, ended = 0, 0
        for run in chosen:
            if not run.is_terminal and cancel_run(run, user=person_of(request)):
                canceled += 1
            else:
                ended += 1
        tell(self, request, "run", "Canceling", canceled, ended, "could not be canceled any more")

    @admin.action(description="Requeue selected waiting or lost runs", permissions=["change"])
    @asking(
        "Requeue",
        "The job of a waiting run is queued again; a run whose worker is silent is given up and "
        "repeated as a new one.",
    )
    def requeue_runs(self, request: HttpRequest, chosen: QuerySet[Run]) -> None:
        requeued, others = 0, 0
        for run in chosen:
            if _requeue(run, person_of(request)):
                requeued += 1
            else:
                others += 1
        tell(self, request, "run", "Requeued", requeued, others, "neither wait nor are lost")


def _requeue(run: Run, person: User) -> bool:
    if run.state == RunState.QUEUED:
        return requeue_run(run.pk)
    if run.state != RunState.NOT_RESPONDING:
        return False
    reason = f"Given up by {person.get_username()}: its worker did not respond any more."
    return lose_run(run.pk, reason=reason, fence=run.fence) is not None
