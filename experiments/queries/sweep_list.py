"""The list of sweeps: rows with counts, best so far and a small curve, in few queries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import BooleanField, Count, F, Q, QuerySet, TextField
from django.db.models.functions import Cast

from experiments.models import Event, Star, Sweep
from experiments.policies import POLICIES, load_policy
from experiments.queries.json_forms import state_counts_of
from experiments.queries.json_values import JsonHas, JsonText
from experiments.queries.page import Page
from experiments.queries.visible import AnyUser, sweeps_for
from experiments.samplers import SAMPLERS, load_sampler
from experiments.states import SWEEP_ACTIVE

_SPARK_POINTS = 40
# A shorter word would be found in the random part of many ids.
_ID_LENGTH = 8
# Tags are offered from so many sweeps, and so many of them.
_MOST_TAGGED = 1000
_MOST_TAGS = 200


@dataclass(frozen=True, slots=True)
class Lead:
    """A run that took the lead in its sweep, with what; `run_id` is None once it was deleted."""

    number: int
    value: float
    run_id: int | None
    when: datetime


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One line of the list. `spark` is best so far over the runs, at most 40 points."""

    public_id: str
    name: str
    experiment: str
    workspace: str
    workspace_id: int
    state: str
    end_reason: str
    reason: str
    owner: str
    counts: dict[str, int]
    best_value: float | None
    best_run_number: int | None
    metric: str
    goal: str
    max_total_runs: int
    created: datetime
    started: datetime | None
    ended: datetime | None
    spark: list[float]
    note: str
    compute: str
    sampling: str
    policy: str
    tags: dict[str, Any]
    url: str

    @property
    def run_count(self) -> int:
        """Return how many runs there are, retries included."""
        return sum(n for state, n in self.counts.items() if state != "stopped_early")


def sweep_list(
    user: AnyUser,
    *,
    state: str | None = None,
    experiment: str | None = None,
    text: str = "",
    owner: str | None = None,
    tag: str = "",
    starred: bool = False,
    workspace: str = "",
    cursor: str | None = None,
    limit: int = 50,
) -> Page[SweepRow]:
    """Return a page of a person's sweeps, newest first.

    `state` is a state or "active"; `experiment` and `owner` are names; `tag` is a name or
    name=text; `starred` leaves those with the person's star; `workspace` is a short name; every
    word of `text` must stand in the name, the description, the experiment's name, the metric, a tag
    or the id.
    """
    rows = _filtered(sweeps_for(user), state=state, experiment=experiment, text=text, owner=owner)
    if tag:
        rows = with_tag(rows, tag)
    if starred:
        rows = rows.filter(stars__user=user.pk)
    if workspace:
        rows = rows.filter(experiment__workspace__slug=workspace)
    every = rows
    if cursor and cursor.isdigit():
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows.order_by("-pk")[: limit + 1])
    shown = found[:limit]
    # All of them are here, unless there are more or some came before.
    total = len(found) if not cursor and len(found) <= limit else every.count()
    return Page(
        items=sweep_rows(shown),
        next_cursor=str(shown[-1].pk) if len(found) > limit else None,
        total=total,
    )


def sweep_rows(sweeps: Sequence[Sweep]) -> list[SweepRow]:
    """Return the rows of these sweeps, with two queries for all of them."""
    keys = [sweep.pk for sweep in sweeps]
    counts = state_counts_of(keys)
    leads = leads_of(keys)
    return [
        row_of(sweep, counts.get(sweep.pk, {"stopped_early": 0}), leads.get(sweep.pk, []))
        for sweep in sweeps
    ]


def with_tag(rows: QuerySet[Sweep], tag: str) -> QuerySet[Sweep]:
    """Return the sweeps that have a tag of this name, or of this name=text."""
    name, mark, text = tag.partition("=")
    if not mark:
        return rows.filter(JsonHas(F("tags"), name, output_field=BooleanField()))
    return rows.annotate(tag_text=JsonText(F("tags"), name)).filter(tag_text=text)


def tag_filters(tags: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the tags of a sweep as they are shown, each with what `with_tag` finds it by."""
    return [
        (f"{name}: {text}", f"{name}={text}") if text not in (None, "") else (name, name)
        for name, text in tags.items()
    ]


def tags_in_use(user: AnyUser) -> list[str]:
    """Return the tags of a person's newest sweeps that have any, as a filter takes them, by name.

    A text that only one sweep has is no filter: its name is.
    """
    counts: dict[str, int] = {}
    tagged = sweeps_for(user).exclude(tags={}).select_related(None).order_by("-pk")
    for tags in tagged.values_list("tags", flat=True)[:_MOST_TAGGED]:
        for name, text in tags.items():
            counts[name] = counts.get(name, 0) + 1
            if text not in (None, ""):
                counts[f"{name}={text}"] = counts.get(f"{name}={text}", 0) + 1
    shown = [tag for tag, n in counts.items() if "=" not in tag or n > 1]
    return sorted(shown, key=str.casefold)[:_MOST_TAGS]


def starred_ids(user: AnyUser, public_ids: Sequence[str]) -> set[str]:
    """Return which of these sweeps have a person's star; one query."""
    rows = Star.objects.filter(user=user.pk, sweep__public_id__in=public_ids)
    return set(rows.values_list("sweep__public_id", flat=True))


def state_counts(user: AnyUser) -> dict[str, int]:
    """Return how many of a person's sweeps are in each state, "all" and "active" included."""
    rows = sweeps_for(user).order_by().values_list("state").annotate(n=Count("pk"))
    counts = dict(rows)
    active = sum(n for state, n in counts.items() if state in SWEEP_ACTIVE)
    return {"all": sum(counts.values()), "active": active, **counts}


def _filtered(
    rows: QuerySet[Sweep],
    *,
    state: str | None,
    experiment: str | None,
    text: str,
    owner: str | None,
) -> QuerySet[Sweep]:
    if state == "active":
        rows = rows.filter(state__in=sorted(SWEEP_ACTIVE))
    elif state:
        rows = rows.filter(state=state)
    if experiment:
        rows = rows.filter(experiment__name=experiment)
    if owner:
        rows = rows.filter(owner__username=owner)
    words = text.split()
    if words:
        rows = rows.annotate(tags_text=Cast("tags", TextField()))
    for word in words:
        match = (
            Q(name__icontains=word)
            | Q(description__icontains=word)
            | Q(experiment__name__icontains=word)
            | Q(metric_name__icontains=word)
            | Q(tags_text__icontains=word)
            # SQLite keeps JSON with everything beyond ASCII escaped.
            | Q(tags_text__icontains=json.dumps(word)[1:-1])
        )
        if len(word) >= _ID_LENGTH:
            match |= Q(public_id__icontains=word)
        rows = rows.filter(match)
    return rows


def leads_of(sweep_ids: Sequence[int]) -> dict[int, list[Lead]]:
    """Return every change of the lead in sweeps, in order; one query."""
    # The log has one line per change of the lead: a few rows a sweep instead of all its runs.
    events = Event.objects.filter(sweep__in=sweep_ids, kind=Event.Kind.BEST).order_by(
        "sweep_id", "cursor"
    )
    leads: dict[int, list[Lead]] = {}
    for sweep_id, payload, run_id, when in events.values_list(
        "sweep_id", "payload", "run_id", "created_at"
    ):
        lead = Lead(payload["number"], payload["value"], run_id, when)
        leads.setdefault(sweep_id, []).append(lead)
    return leads


def row_of(sweep: Sweep, counts: dict[str, int], leads: Sequence[Lead]) -> SweepRow:
    """Return the row of a sweep whose counts and changes of the lead are known; no query."""
    return SweepRow(
        public_id=sweep.public_id,
        name=sweep.name,
        experiment=sweep.experiment.name,
        workspace=sweep.experiment.workspace.name,
        workspace_id=sweep.experiment.workspace_id,
        state=sweep.state,
        end_reason=sweep.end_reason,
        reason=sweep.reason,
        owner=sweep.owner.get_username() if sweep.owner else "",
        counts=counts,
        best_value=sweep.best_value,
        best_run_number=sweep.best_run.number if sweep.best_run else None,
        metric=sweep.metric_name,
        goal=sweep.goal,
        max_total_runs=sweep.max_total_runs,
        created=sweep.created_at,
        started=sweep.started_at,
        ended=sweep.ended_at,
        spark=_spark(sweep, leads),
        note=sweep.description,
        compute=sweep.compute.name,
        sampling=_sampling_label(sweep.spec),
        policy=_policy_label(sweep.spec),
        tags=sweep.tags,
        url=sweep.get_absolute_url(),
    )


def _sampling_label(spec: Mapping[str, Any]) -> str:
    """Return what the sampler of a stored specification is called; "" when nobody knows it."""
    sampling = spec.get("sampling")
    name = sampling.get("type") if isinstance(sampling, Mapping) else sampling
    return load_sampler(str(name)).label if name in SAMPLERS else ""


def _policy_label(spec: Mapping[str, Any]) -> str:
    """Return what the policy is called; "" when every run goes on to its end."""
    name = (spec.get("early_termination") or {"type": "none"}).get("type")
    return load_policy(str(name)).label if name in POLICIES and name != "none" else ""


def _spark(sweep: Sweep, leads: Sequence[Lead]) -> list[float]:
    """Return the best value after run 0, 1, 2, ..., thinned out evenly."""
    if not leads or sweep.best_value is None:
        return []
    best: list[float] = []
    for number in range(leads[0].number, max(sweep.next_number, leads[-1].number + 1)):
        reached = [lead.value for lead in leads if lead.number <= number]
        best.append(reached[-1])
    best[-1] = sweep.best_value
    every = max(1, -(-len(best) // _SPARK_POINTS))
    # From the end, so that the last point is always the best value.
    return best[::-1][::every][::-1]
