"""The failure map of a sweep: failures that are one, where in the search space they happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from experiments.failure_map import FailureGroup, Finding
from experiments.forms.sweep_around import address_of, can_leave_out
from experiments.insight_words import (
    finding_words,
    group_filter,
    region_filter,
    region_text,
)
from experiments.models import Sweep
from experiments.queries.insights import Insights, insights_of
from experiments.space.base import Expression
from experiments.spec import SweepSpec
from experiments.views.sweep_head import find_sweep, render_sweep


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A region of a group; `leave_out` is the address of a form without it, or empty."""

    finding: Finding
    region: str
    words: str
    runs_url: str
    leave_out: str


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A group with its addresses."""

    group: FailureGroup
    runs_url: str
    example_url: str
    findings: list[FindingRow]

    @property
    def title(self) -> str:
        """Return the sentence that all runs of the group share."""
        return self.group.line.pattern or self.group.line.text


@require_safe
def failures(request: HttpRequest, sweep_id: str) -> HttpResponse:
    """Show the failures of a sweep by what they have in common."""
    sweep = find_sweep(request, sweep_id)
    insights = insights_of(sweep)
    context = {"rows": failure_rows(sweep, insights), "failed": insights.failed}
    return render_sweep(request, sweep, "sweep_failures", "sweep_failures", context)


def failure_rows(sweep: Sweep, insights: Insights, limit: int | None = None) -> list[FailureRow]:
    """Return the groups with what leads on from them; no query."""
    expressions = SweepSpec.from_stored(sweep.spec).space.expressions
    rows = []
    for group in insights.failures[:limit]:
        findings = [_finding_row(sweep, finding, expressions) for finding in group.findings]
        example = reverse("run", args=[f"{sweep.public_id}_{group.example_number}"])
        text = group_filter(group, insights.sentences)
        rows.append(FailureRow(group, runs_url(sweep, text), example, findings))
    return rows


def runs_url(sweep: Sweep, text: str) -> str:
    """Return the address of the runs table under a filter."""
    address = reverse("sweep_runs", args=[sweep.public_id])
    return f"{address}?{urlencode({'q': text})}" if text else address


def _finding_row(
    sweep: Sweep, finding: Finding, expressions: Mapping[str, Expression]
) -> FindingRow:
    region = finding.region
    query = region_filter(region)
    can_be = finding.is_avoidable and can_leave_out(expressions[region.name], region)
    return FindingRow(
        finding=finding,
        region=region_text(region),
        words=finding_words(finding),
        runs_url=runs_url(sweep, query) if query else "",
        leave_out=f"{reverse('sweep_new')}?{address_of(sweep, region)}" if can_be else "",
    )
