"""Admin of compute targets and workers, with what waits on each target's queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.forms import ModelForm as DjangoModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from redis.exceptions import RedisError

from experiments import queries
from experiments.admin_asking import asking, person_of, tell
from experiments.admin_base import (
    OwnedByStudioAdmin,
    RowAdmin,
    RowsInline,
    admin_link,
    count_of,
    list_link,
    page_link,
)
from experiments.compute_settings import Changes, read_changes
from experiments.models import ComputeTarget, ComputeToken, Run, Worker
from experiments.models.compute import UNATTENDED
from experiments.problems import ProblemsError
from experiments.services.compute import change_target, remove_worker
from experiments.services.dispatch import get_queue
from experiments.states import RUN_LIVE, RunState

if TYPE_CHECKING:
    ModelForm = DjangoModelForm[ComputeTarget]
else:
    # Django's own is generic in the type stubs alone.
    ModelForm = DjangoModelForm

_SETTINGS: Final = ("labels", "python", "environment")
_LIVE: Final = sorted(str(state) for state in RUN_LIVE)


def _by(rows: QuerySet[Any], field: str) -> dict[int, int]:
    return dict(rows.order_by().values_list(field).annotate(n=Count("pk")))


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
        "takes_sweeps",
        "takes_runs",
        "workspace",
        "worker_count",
        "working",
        "waiting",
        "jobs",
    ]
    list_filter = ["kind", "is_enabled", "is_draining", "workspace"]
    actions = ["drain", "take_runs", "disable", "enable"]
    list_select_related = ["workspace"]
    search_fields = ["name"]
    autocomplete_fields = ["workspace"]
    fields = [
        "name",
        "kind",
        "workspace",
        "takes_sweeps",
        "takes_runs",
        "python",
        "environment",
        "secret_names",
        "labels",
        "tokens",
        "queue_name",
        "jobs",
        "created_at",
    ]
    readonly_fields = [
        "kind",
        "takes_sweeps",
        "takes_runs",
        "secret_names",
        "tokens",
        "queue_name",
        "jobs",
        "created_at",
    ]

    def get_inlines(self, request: HttpRequest, obj: ComputeTarget | None) -> list[Any]:
        """Show no workers where there is no target yet."""
        return [] if obj is None else [WorkerInline]

    def add_facts(self, rows: list[ComputeTarget]) -> None:
        """Count workers, and live and queued runs: three queries."""
        keys = [target.pk for target in rows]
        alive = Worker.objects.filter(last_seen_at__gte=queries.alive_since(), compute__in=keys)
        runs = Run.objects.filter(sweep__compute__in=keys)
        found = {
            "n_workers": _by(alive, "compute"),
            "n_live": _by(runs.filter(state__in=_LIVE), "sweep__compute"),
            "n_queued": _by(runs.filter(state=RunState.QUEUED), "sweep__compute"),
        }
        for target in rows:
            for name, counts in found.items():
                setattr(target, name, counts.get(target.pk, 0))

    def fits(self, action: str, row: ComputeTarget) -> bool:
        fitting = {
            "drain": not row.is_draining,
            "take_runs": row.is_draining,
            "disable": row.is_enabled,
            "enable": not row.is_enabled,
        }
        return fitting.get(action, True) and row.kind not in UNATTENDED

    def get_actions(self, request: HttpRequest) -> Any:
        """Leave out to delete many targets at once."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.display(description="takes sweeps", boolean=True, ordering="is_enabled")
    def takes_sweeps(self, compute: ComputeTarget) -> bool:
        return compute.is_enabled

    @admin.display(description="takes runs", boolean=True, ordering="is_draining")
    def takes_runs(self, compute: ComputeTarget) -> bool:
        return not compute.is_draining

    @admin.display(description="compute tokens")
    def tokens(self, compute: ComputeTarget) -> str | SafeString:
        if compute.pk is None or compute.kind in UNATTENDED:
            return "-"
        count = ComputeToken.objects.filter(compute=compute).count()
        made = list_link(ComputeToken, f"{count} made", compute__id__exact=compute.pk)
        attach = page_link(reverse("compute_attach", args=[compute.name]), "attach a machine")
        return format_html("{}; {} makes one", made, attach)

    @admin.action(description="Drain: take no new runs", permissions=["change"])
    @asking("Drain", "Workers take no new runs; live ones go on to their end, waiting ones wait.")
    def drain(self, request: HttpRequest, chosen: QuerySet[ComputeTarget]) -> None:
        self._change(request, chosen, Changes(draining=True), "Draining")

    @admin.action(description="Take runs again", permissions=["change"])
    @asking("Take runs again", "Waiting runs start as soon as there is a slot.")
    def take_runs(self, request: HttpRequest, chosen: QuerySet[ComputeTarget]) -> None:
        self._change(request, chosen, Changes(draining=False), "Taking runs again:")

    @admin.action(description="Disable: take no new sweeps", permissions=["change"])
    @asking("Disable", "Nobody can submit sweeps to it; those that are there go on.")
    def disable(self, request: HttpRequest, chosen: QuerySet[ComputeTarget]) -> None:
        self._change(request, chosen, Changes(enabled=False), "Disabled")

    @admin.action(description="Enable: take new sweeps", permissions=["change"])
    @asking("Enable", "People can submit sweeps to it.")
    def enable(self, request: HttpRequest, chosen: QuerySet[ComputeTarget]) -> None:
        self._change(request, chosen, Changes(enabled=True), "Enabled")

    def _change(
        self,
        request: HttpRequest,
        chosen: QuerySet[ComputeTarget],
        changes: Changes,
        verb: str,
    ) -> None:
        # Nobody submits to those of simulations and imports, and nothing is executed there.
        own = list(chosen.exclude(kind__in=UNATTENDED))
        for target in own:
            change_target(target, changes, user=person_of(request))
        left = chosen.count() - len(own)
        tell(self, request, "target", verb, len(own), left, "have no workers of their own")

    @admin.display(description="secret variables")
    def secret_names(self, compute: ComputeTarget) -> str | SafeString:
        if compute.pk is None:
            return "-"
        names = ", ".join(sorted(compute.secrets)) or "none"
        return page_link(reverse("compute_settings", args=[compute.name]), f"{names}: change them")

    @admin.display(description="workers alive")
    def worker_count(self, compute: ComputeTarget) -> SafeString:
        count = str(count_of(compute, "n_workers"))
        return list_link(Worker, count, compute__id__exact=compute.pk)

    @admin.display(description="runs working")
    def working(self, compute: ComputeTarget) -> SafeString:
        return list_link(
            Run,
            str(count_of(compute, "n_live")),
            sweep__compute__id__exact=compute.pk,
            state__in=",".join(_LIVE),
        )

    @admin.display(description="runs queued")
    def waiting(self, compute: ComputeTarget) -> SafeString:
        return list_link(
            Run,
            str(count_of(compute, "n_queued")),
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
        "works_on",
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
        "works_on",
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

    def add_facts(self, rows: list[Worker]) -> None:
        """Find what each works on: one query."""
        names = [worker.name for worker in rows]
        live = Run.objects.filter(state__in=_LIVE, worker_name__in=names).select_related("sweep")
        runs = {run.worker_name: run for run in live}
        for worker in rows:
            worker.run = runs.get(worker.name)  # type: ignore[attr-defined]  # for the column

    @admin.display(description="works on")
    def works_on(self, worker: Worker) -> str | SafeString:
        run: Run | None = getattr(worker, "run", None)
        return admin_link(run, f"{run.sweep.name}, run {run.number}") if run else "–"

    @admin.display(description="alive", boolean=True)
    def alive(self, worker: Worker) -> bool:
        return worker.last_seen_at >= queries.alive_since()

    def fits(self, action: str, row: Worker) -> bool:
        return not self.alive(row)

    @admin.action(description="Forget selected workers that are gone", permissions=["change"])
    @asking("Forget", "Workers that give no sign leave the list; those that live are kept.")
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
