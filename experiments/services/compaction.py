"""Merge the small chunks of a run that ended: a thousand flushes become a few rows."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from django.db import transaction
from django.db.models import Count

from experiments.models import MetricChunk, Run, Sweep
from experiments.packed_columns import unpacked
from experiments.services.chunks import CHUNK_POINTS, as_stored
from experiments.states import RUN_TERMINAL


def compact_series(run_id: int) -> int:
    """Merge the chunks of every series of a run; return how many rows that saved.

    Values, stamps and marks stay what they were, so no reader sees a change.
    """
    counts = MetricChunk.objects.filter(series__run=run_id).values("series").annotate(n=Count("pk"))
    if not counts.filter(n__gt=1).exists():
        return 0  # as for most runs: nothing is locked and no array is read
    sweep_id = Run.objects.values_list("sweep_id", flat=True).get(pk=run_id)
    with transaction.atomic():
        # The same row that every writer takes first.
        Sweep.objects.select_for_update().filter(pk=sweep_id).values_list("pk").get()
        chunks = list(MetricChunk.objects.filter(series__run=run_id).order_by("series_id", "first"))
        merged: list[MetricChunk] = []
        replaced: list[int] = []
        for _, group in groupby(chunks, key=lambda chunk: chunk.series_id):
            for pieces in _packed(list(group)):
                if len(pieces) > 1:
                    merged.append(_merge(pieces))
                    replaced += [piece.pk for piece in pieces]
        MetricChunk.objects.filter(pk__in=replaced).delete()
        MetricChunk.objects.bulk_create(merged)
    return len(replaced) - len(merged)


def compact_ended(run_id: int) -> int:
    """Merge what came after the end of a run; nothing for one that goes on, whose end will."""
    has_ended = Run.objects.filter(pk=run_id, state__in=sorted(RUN_TERMINAL)).exists()
    return compact_series(run_id) if has_ended else 0


def _packed(chunks: list[MetricChunk]) -> list[list[MetricChunk]]:
    packs: list[list[MetricChunk]] = []
    room = 0
    for chunk in chunks:
        if not packs or chunk.count > room:
            packs.append([])
            room = CHUNK_POINTS
        packs[-1].append(chunk)
        room -= chunk.count
    return packs


def _merge(pieces: list[MetricChunk]) -> MetricChunk:
    texts = {key: text for piece in pieces for key, text in (piece.texts or {}).items()}
    return MetricChunk(
        series_id=pieces[0].series_id,
        sweep_id=pieces[0].sweep_id,
        first=pieces[0].first,
        count=sum(piece.count for piece in pieces),
        since=pieces[0].since,
        stamp=pieces[-1].stamp,
        values=b"".join(bytes(piece.values) for piece in pieces),
        steps=_merge_steps(pieces),
        times=as_stored(np.concatenate([unpacked(p.times, p.count) for p in pieces])),
        marks=b"".join(bytes(piece.marks) for piece in pieces),
        texts=texts or None,
    )


def _merge_steps(pieces: list[MetricChunk]) -> bytes | None:
    if all(piece.steps is None for piece in pieces):
        return None
    steps = [
        np.full(piece.count, np.nan) if piece.steps is None else unpacked(piece.steps, piece.count)
        for piece in pieces
    ]
    return as_stored(np.concatenate(steps))
