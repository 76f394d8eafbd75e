"""Admin of what runs leave behind: events, decisions, metrics, files, snapshots. Look only."""

from __future__ import annotations

from typing import Final

from django.contrib import admin
from django.urls import reverse
from django.utils.safestring import SafeString

from experiments.admin_base import (
    OwnedByStudioAdmin,
    add_counts,
    admin_link,
    count_of,
    list_link,
    page_link,
)
from experiments.formats import format_filesize, format_param
from experiments.models import (
    Artifact,
    Decision,
    Event,
    MetricChunk,
    MetricSeries,
    Snapshot,
    Sweep,
    SweepVersion,
)

# Of a value in a list; the page of a row has all of them.
_DIGITS: Final = 6


@admin.register(Event)
class EventAdmin(OwnedByStudioAdmin[Event]):
    """The log of all sweeps."""

    list_display = ["message", "kind", "sweep", "run_link", "cursor", "created_at"]
    list_filter = ["kind", "created_at", "sweep__experiment__workspace"]
    list_select_related = ["sweep", "run"]
    search_fields = ["message", "sweep__name", "sweep__public_id", "run__public_id"]
    ordering = ["-pk"]
    show = ("message", "kind", "sweep", "run_link", "cursor", "payload", "created_at")

    @admin.display(description="run")
    def run_link(self, event: Event) -> str | SafeString:
        return admin_link(event.run)


@admin.register(SweepVersion)
class SweepVersionAdmin(OwnedByStudioAdmin[SweepVersion]):
    """Who changed the limits of live sweeps."""

    list_display = ["title", "sweep_link", "author", "changes", "created_at"]
    list_filter = ["created_at", "sweep__experiment__workspace"]
    list_select_related = ["sweep", "author"]
    search_fields = ["sweep__name", "sweep__public_id", "author__username"]
    date_hierarchy = "created_at"
    ordering = ["-pk"]
    show = ("title", "sweep_link", "author", "changes", "created_at")

    def title_of(self, row: SweepVersion) -> str:
        return f"{row.sweep.name}, {row}"

    @admin.display(description="version", ordering="number")
    def title(self, version: SweepVersion) -> str:
        return str(version)

    @admin.display(description="sweep", ordering="sweep__name")
    def sweep_link(self, version: SweepVersion) -> str | SafeString:
        return admin_link(version.sweep)


@admin.register(Decision)
class DecisionAdmin(OwnedByStudioAdmin[Decision]):
    """Why policies stopped runs."""

    list_display = [
        "run_link",
        "sweep_link",
        "policy",
        "interval",
        "own_value",
        "limit_value",
        "leader",
        "value_of_leader",
        "created_at",
    ]
    list_display_links = ["policy"]  # the first ones lead to run and sweep
    list_filter = ["policy", "created_at"]
    list_select_related = ["run__sweep"]
    search_fields = ["reason", "run__public_id", "run__sweep__name"]
    date_hierarchy = "created_at"
    show = (
        "run_link",
        "sweep_link",
        "policy",
        "interval",
        "own",
        "limit",
        "leader",
        "leader_value",
        "reason",
        "created_at",
    )

    @admin.display(description="run", ordering="run__number")
    def run_link(self, decision: Decision) -> str | SafeString:
        return admin_link(decision.run)

    @admin.display(description="sweep", ordering="run__sweep__name")
    def sweep_link(self, decision: Decision) -> str | SafeString:
        return admin_link(decision.run.sweep)

    @admin.display(description="own", ordering="own")
    def own_value(self, decision: Decision) -> str:
        return format_param(decision.own, _DIGITS)

    @admin.display(description="limit", ordering="limit")
    def limit_value(self, decision: Decision) -> str:
        return format_param(decision.limit, _DIGITS)

    @admin.display(description="leader value", ordering="leader_value")
    def value_of_leader(self, decision: Decision) -> str:
        return format_param(decision.leader_value, _DIGITS)


@admin.register(MetricSeries)
class MetricSeriesAdmin(OwnedByStudioAdmin[MetricSeries]):
    """Metrics of runs in summary."""

    list_display = ["name", "run_link", "count", "last", "lowest", "highest", "last_step"]
    list_filter = ["has_nonfinite", "has_text"]
    list_select_related = ["run"]
    search_fields = ["name", "run__public_id", "run__sweep__name"]
    show = (
        "name",
        "run_link",
        "count",
        "chunk_count",
        "last_value",
        "last_step",
        "minimum",
        "maximum",
        "has_nonfinite",
        "has_text",
    )

    @admin.display(description="run")
    def run_link(self, series: MetricSeries) -> str | SafeString:
        return admin_link(series.run)

    @admin.display(description="last value", ordering="last_value")
    def last(self, series: MetricSeries) -> str:
        return format_param(series.last_value, _DIGITS)

    @admin.display(description="minimum", ordering="minimum")
    def lowest(self, series: MetricSeries) -> str:
        return format_param(series.minimum, _DIGITS)

    @admin.display(description="maximum", ordering="maximum")
    def highest(self, series: MetricSeries) -> str:
        return format_param(series.maximum, _DIGITS)

    @admin.display(description="chunks")
    def chunk_count(self, series: MetricSeries) -> SafeString:
        return list_link(MetricChunk, str(series.chunks.count()), series__id__exact=series.pk)


@admin.register(MetricChunk)
class MetricChunkAdmin(OwnedByStudioAdmin[MetricChunk]):
    """How reports are stored; the arrays themselves are bytes and not shown."""

    list_display = ["series_link", "first", "count", "since", "stamp", "has_steps", "size"]
    list_display_links = ["first"]
    list_select_related = ["series"]
    search_fields = ["series__name", "series__run__public_id"]
    show = ("series_link", "first", "count", "since", "stamp", "has_steps", "texts", "size")

    def title_of(self, row: MetricChunk) -> str:
        return f"{row.series.name}, reports {row.first} to {row.first + row.count - 1}"

    @admin.display(description="series")
    def series_link(self, chunk: MetricChunk) -> str | SafeString:
        return admin_link(chunk.series)

    @admin.display(description="steps", boolean=True)
    def has_steps(self, chunk: MetricChunk) -> bool:
        return chunk.steps is not None

    @admin.display(description="size")
    def size(self, chunk: MetricChunk) -> str:
        columns = (chunk.values, chunk.steps, chunk.times, chunk.marks)
        return format_filesize(sum(len(column) for column in columns if column is not None))


@admin.register(Artifact)
class ArtifactAdmin(OwnedByStudioAdmin[Artifact]):
    """Files that runs left behind."""

    list_display = ["path", "download", "run_link", "size", "created_at"]
    list_filter = ["created_at", "run__sweep__experiment__workspace"]
    list_select_related = ["run"]
    search_fields = ["path", "run__public_id", "run__sweep__name"]
    show = ("path", "download", "run_link", "size", "digest", "created_at")

    @admin.display(description="run")
    def run_link(self, artifact: Artifact) -> str | SafeString:
        return admin_link(artifact.run)

    @admin.display(description="size", ordering="size_bytes")
    def size(self, artifact: Artifact) -> str:
        return format_filesize(artifact.size_bytes)

    @admin.display(description="file")
    def download(self, artifact: Artifact) -> SafeString:
        address = reverse("run_file", args=[artifact.run.public_id, artifact.path])
        return page_link(address, "Download")


@admin.register(Snapshot)
class SnapshotAdmin(OwnedByStudioAdmin[Snapshot]):
    """Source directories as they were submitted."""

    list_display = ["short_digest", "size", "file_count", "sweep_count", "created_at"]
    search_fields = ["digest", "sweeps__name"]
    date_hierarchy = "created_at"
    show = ("digest", "size", "file_count", "sweep_count", "created_at")

    def add_facts(self, rows: list[Snapshot]) -> None:
        add_counts(rows, "n_sweeps", Sweep, "snapshot")

    @admin.display(description="SHA-256", ordering="digest")
    def short_digest(self, snapshot: Snapshot) -> str:
        return str(snapshot)

    @admin.display(description="size", ordering="size_bytes")
    def size(self, snapshot: Snapshot) -> str:
        return format_filesize(snapshot.size_bytes)

    @admin.display(description="sweeps")
    def sweep_count(self, snapshot: Snapshot) -> SafeString:
        count = str(count_of(snapshot, "n_sweeps"))
        return list_link(Sweep, count, snapshot__id__exact=snapshot.pk)
