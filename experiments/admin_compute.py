"""Admin of compute targets and workers, with what waits on each target's queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.forms import ModelForm as DjangoModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from redis.exceptions import RedisError

from experiments import queries
from experiments.admin_base import (
    OwnedByStudioAdmin,
    RowAdmin,
    RowsInline,
    admin_link,
    list_link,
    page_link,
)
from experiments.compute_settings import read_changes
from experiments.models import ComputeTarget, Run, Worker
from experiments.problems import ProblemsError
from experiments.services.compute import remove_worker
from experiments.services.dispatch import get_queue
from experiments.states import RUN_LIVE, RunState

if TYPE_CHECKING:
    ModelForm = DjangoModelForm[ComputeTarget]
else:
    # Django's own is generic in the type stubs alone.
    ModelForm = DjangoModelForm

_SETTINGS: Final = ("labels", "python", "environment")
_LIVE: Final = sorted(str(state) for state in RUN_LIVE)


class WorkerInline(RowsInline[Worker, ComputeTarget]):
    """The slots of a target; they attach themselves (`studio worker --compute NAME`)."""

    model = Worker
    can_delete = False
    fields = ["name", "host", "pid", "version", "python_version", "started_at", "last_seen_at"]
    readonly_fields = [
        "name",
        "host",
        "pid",
        "version",
        "python_version",
        "started_at",
        "last_seen_at",
    ]

    def has_add_permission(self, request: HttpRequest, obj: ComputeTarget | None = None) -> bool:
        return False


class ComputeTargetForm(ModelForm):
    """What its own page checks is checked here as well."""

    class Meta:
        model = ComputeTarget
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        """Check labels, interpreter and variables; an empty mapping is written {}."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        raw: dict[str, Any] = {name: cleaned[name] for name in _SETTINGS if name in cleaned}
        try:
            changes = read_changes(raw)
        except ProblemsError as error:
            for problem in error.problems:
                field = problem.path.partition(".")[0]
                self.add_error(field if field in self.fields else None, problem.message)
            return cleaned
        return cleaned | {name: getattr(changes, name) for name in raw}


@admin.register(ComputeTarget)
class ComputeTargetAdmin(RowAdmin[ComputeTarget]):
    """Where runs execute."""

    form = ComputeTargetForm
    list_display = [
        "name",
        "kind",
        "is_enabled",
        "workspace",
        "worker_count",
        "working",
        "waiting",
        "jobs",
    ]
    list_editable = ["is_enabled"]
    list_filter = ["kind", "is_enabled", "workspace"]
    list_select_related = ["workspace"]
    search_fields = ["name"]
    autocomplete_fields = ["workspace"]
    readonly_fields = ["secret_names", "queue_name", "jobs", "created_at"]
    inlines = [WorkerInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ComputeTarget]:
        alive = Q(workers__last_seen_at__gte=queries.alive_since())
        live = Q(sweeps__runs__state__in=_LIVE)
        queued = Q(sweeps__runs__state=RunState.QUEUED)
        return (
            super()
            .get_queryset(request)
            .annotate(
                n_workers=Count("workers", filter=alive, distinct=True),
                n_live=Count("sweeps__runs", filter=live, distinct=True),
                n_queued=Count("sweeps__runs", filter=queued, distinct=True),
            )
        )

    @admin.display(description="secret variables")
    def secret_names(self, compute: ComputeTarget) -> str | SafeString:
        if compute.pk is None:
            return "-"
        names = ", ".join(sorted(compute.secrets)) or "none"
        return page_link(reverse("compute_settings", args=[compute.name]), f"{names}: change them")

    @admin.display(description="workers alive", ordering="n_workers")
    def worker_count(self, compute: ComputeTarget) -> SafeString:
        count = getattr(compute, "n_workers", 0)
        return list_link(Worker, str(count), compute__id__exact=compute.pk)

    @admin.display(description="runs working", ordering="n_live")
    def working(self, compute: ComputeTarget) -> SafeString:
        return list_link(
            Run,
            str(getattr(compute, "n_live", 0)),
            sweep__compute__id__exact=compute.pk,
            state__in=",".join(_LIVE),
        )

    @admin.display(description="runs queued", ordering="n_queued")
    def waiting(self, compute: ComputeTarget) -> SafeString:
        return list_link(
            Run,
            str(getattr(compute, "n_queued", 0)),
            sweep__compute__id__exact=compute.pk,
            state__exact=RunState.QUEUED,
        )

    @admin.display(description="jobs in its RQ queue")
    def jobs(self, compute: ComputeTarget) -> str:
        if compute.pk is None:
            return "-"
        try:
            return f"{get_queue(compute.queue_name).count} in {compute.queue_name}"
        except (RedisError, OSError):
            return "Redis cannot be reached"


@admin.register(Worker)
class WorkerAdmin(OwnedByStudioAdmin[Worker]):
    """Attached slots."""

    list_display = [
        "name",
        "target",
        "host",
        "pid",
        "alive",
        "version",
        "python_version",
        "started_at",
        "last_seen_at",
    ]
    list_filter = ["compute", "host", "version"]
    list_select_related = ["compute"]
    search_fields = ["name", "host"]
    actions = ["forget"]
    show = (
        "name",
        "target",
        "host",
        "pid",
        "gpu",
        "alive",
        "version",
        "python",
        "python_version",
        "python_problem",
        "started_at",
        "last_seen_at",
    )

    @admin.display(description="compute", ordering="compute__name")
    def target(self, worker: Worker) -> str | SafeString:
        return admin_link(worker.compute)

    @admin.display(description="alive", boolean=True)
    def alive(self, worker: Worker) -> bool:
        return worker.last_seen_at >= queries.alive_since()

    @admin.action(description="Forget selected workers that are gone", permissions=["change"])
    def forget(self, request: HttpRequest, chosen: QuerySet[Worker]) -> None:
        gone = [worker for worker in chosen if not self.alive(worker)]
        for worker in gone:
            remove_worker(worker.name)
        kept = len(chosen) - len(gone)
        if gone:
            text = f"Forgot {len(gone)} worker{'' if len(gone) == 1 else 's'}."
            self.message_user(request, text, messages.SUCCESS)
        if kept:
            text = f"{kept} selected worker{' is' if kept == 1 else 's are'} alive and kept."
            self.message_user(request, text, messages.WARNING)
