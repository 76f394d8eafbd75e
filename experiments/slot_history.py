"""Who used the slots of a sweep and when: rows of runs, and what was busy, idle or wasted.

Pure: facts about runs and workers in, rows out. A slot is a worker process; one that was started in
the place of another goes on with its row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from experiments.states import NOT_ITS_FAULT, RUN_TERMINAL, EndReason, RunState

# What became of a run, in the order of legends.
OUTCOMES: Final = ("completed", "stopped", "failed", "lost", "canceled", "running")
WASTED: Final = frozenset({"failed", "lost"})
_UNKNOWN: Final = "unknown machine"


@dataclass(frozen=True, slots=True)
class Use:
    """One run in its slot, in Unix seconds; `end` None: it is still there."""

    number: int
    worker: str
    host: str
    start: float
    end: float | None
    outcome: str


@dataclass(frozen=True, slots=True)
class KnownWorker:
    """A worker that is attached now; `since` is when its process came."""

    name: str
    gpu: str
    since: float


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A run of another sweep in a slot of this one."""

    worker: str
    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One run on a row; `slot` counts the rows from 0."""

    number: int
    slot: int
    start: float
    end: float
    outcome: str

    @property
    def seconds(self) -> float:
        """Return how long the run had the slot."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Slot:
    """One row. It counts from `since` to `until`; `busy` includes `wasted`. All in seconds."""

    label: str
    since: float
    until: float
    runs: int
    busy: float
    wasted: float
    elsewhere: float

    @property
    def seconds(self) -> float:
        """Return how long there was this slot."""
        return max(0.0, self.until - self.since)

    @property
    def idle(self) -> float:
        """Return how long no run had it."""
        return max(0.0, self.seconds - self.busy - self.elsewhere)


@dataclass(frozen=True, slots=True)
class SlotHistory:
    """All rows from the first start to the last end, or now; `others` are (row, start, end)."""

    start: float
    end: float
    slots: tuple[Slot, ...]
    bars: tuple[Bar, ...]
    others: tuple[tuple[int, float, float], ...] = ()

    def total(self, name: str) -> float:
        """Return the sum of one figure of the slots."""
        return float(sum(getattr(slot, name) for slot in self.slots))

    def wasted_runs(self) -> int:
        """Return how many runs ended without any use."""
        return sum(bar.outcome in WASTED for bar in self.bars)


@dataclass(slots=True)
class _Track:
    """The runs of one process, one after the other, and of those that came in its place."""

    worker: str
    host: str
    uses: list[Use]
    workers: set[str] = field(default_factory=set)
    gpu: str = ""
    since: float | None = None

    @property
    def begin(self) -> float:
        return self.uses[0].start

    @property
    def end(self) -> float:
        return self.uses[-1].end or self.uses[-1].start

    @property
    def place(self) -> str:
        """Return the machine; a worker whose name holds none stands for itself."""
        return (self.host or _UNKNOWN) if "@" in self.worker else self.worker


def outcome_of(state: str, end_reason: str) -> str:
    """Return what became of a run: one of `OUTCOMES`.

    >>> outcome_of("Failed", "worker_lost"), outcome_of("Canceled", "policy")
    ('lost', 'stopped')
    """
    if state not in RUN_TERMINAL:
        return "running"
    if state == RunState.FAILED:
        return "lost" if end_reason in NOT_ITS_FAULT else "failed"
    if state == RunState.CANCELED:
        return "stopped" if end_reason == EndReason.POLICY else "canceled"
    return "completed"


def slot_history(
    uses: Iterable[Use],
    *,
    now: float,
    ended: float | None,
    workers: Sequence[KnownWorker] = (),
    elsewhere: Iterable[Elsewhere] = (),
) -> SlotHistory | None:
    """Return the rows of a sweep's slots; None as long as no run has started.

    `ended` is when the sweep did; None: it goes on, so that runs and gaps last until `now`.
    """
    known = {worker.name: worker for worker in workers}
    finite = [replace(u, end=max(u.start, now if u.end is None else u.end)) for u in uses]
    if not finite:
        return None
    start = min(use.start for use in finite)
    end = max(use.end or 0.0 for use in finite) if ended is not None else now
    tracks = _successions(_tracks(finite, known), known)
    tracks.sort(key=lambda t: (t.place, _gpu_order(t.gpu), t.begin, t.uses[0].number))
    others = list(elsewhere)
    slots, bars, gaps = [], [], []
    for row, (track, label) in enumerate(zip(tracks, _labels(tracks), strict=True)):
        since, until = _window(track, start, end, known, is_live=ended is None)
        taken = _taken(track, others, since, until, now)
        slots.append(_slot(track, label, since, until, taken))
        bars += [Bar(u.number, row, u.start, u.end or u.start, u.outcome) for u in track.uses]
        gaps += [(row, begin, stop) for begin, stop in taken]
    return SlotHistory(start, end, tuple(slots), tuple(bars), tuple(gaps))


def _tracks(uses: Sequence[Use], known: Mapping[str, KnownWorker]) -> list[_Track]:
    by_worker: dict[tuple[str, str], list[Use]] = {}
    for use in sorted(uses, key=lambda u: (u.start, u.number)):
        by_worker.setdefault((use.host, use.worker), []).append(use)
    tracks: list[_Track] = []
    for (host, worker), own in by_worker.items():
        lanes: list[_Track] = []
        for use in _without_silence(own):
            free = next((lane for lane in lanes if lane.end <= use.start), None)
            if free is None:
                free = _Track(worker, host, [], {worker})
                lanes.append(free)
            free.uses.append(use)
        tracks += lanes
        if worker in known:
            lanes[0].gpu, lanes[0].since = known[worker].gpu, known[worker].since
    return tracks


def _without_silence(uses: Sequence[Use]) -> list[Use]:
    """Cut a lost run where its worker took the next one: it was declared lost long after."""
    following = [*(use.start for use in uses[1:]), None]
    return [
        replace(use, end=after)
        if after is not None and use.outcome == "lost" and (use.end or 0.0) > after
        else use
        for use, after in zip(uses, following, strict=True)
    ]


def _successions(tracks: list[_Track], known: Mapping[str, KnownWorker]) -> list[_Track]:
    """Join the rows of processes that came one in the place of the other."""
    rows: list[_Track] = []
    for track in sorted(tracks, key=lambda t: t.begin):
        before = next((row for row in rows if _follows(track, row, known)), None)
        if before is None:
            rows.append(track)
            continue
        before.uses += track.uses
        before.workers |= track.workers
        before.worker, before.gpu = track.worker, track.gpu or before.gpu
    return rows


def _follows(track: _Track, row: _Track, known: Mapping[str, KnownWorker]) -> bool:
    is_near = track.host == row.host and _target(track.worker) == _target(row.worker)
    if not is_near or track.worker in row.workers or row.end > track.begin or row.worker in known:
        return False
    if row.uses[-1].outcome == "lost":
        return True
    # A process that is gone, and one that came after its last run.
    return track.since is not None and track.since >= row.end


def _target(worker: str) -> str:
    return worker.partition("@")[0]


def _window(
    track: _Track, start: float, end: float, known: Mapping[str, KnownWorker], *, is_live: bool
) -> tuple[float, float]:
    has_predecessor = len(track.workers) > 1
    since = start
    if track.since is not None and not has_predecessor:
        since = min(track.begin, max(start, track.since))
    has_left = track.uses[-1].outcome == "lost" or (is_live and bool(known))
    is_gone = has_left and track.worker not in known and track.uses[-1].outcome != "running"
    return since, max(track.end, since) if is_gone else max(end, track.end)


def _taken(
    track: _Track, others: Iterable[Elsewhere], since: float, until: float, now: float
) -> list[tuple[float, float]]:
    """Return when other sweeps had the slot, without what overlaps."""
    found: list[tuple[float, float]] = []
    mine = (o for o in others if o.worker in track.workers)
    for other in sorted(mine, key=lambda o: o.start):
        begin = max(since, other.start, found[-1][1] if found else since)
        stop = min(until, now if other.end is None else other.end)
        if stop > begin:
            found.append((begin, stop))
    return found


def _slot(
    track: _Track, label: str, since: float, until: float, taken: list[tuple[float, float]]
) -> Slot:
    spans = [((use.end or use.start) - use.start, use.outcome) for use in track.uses]
    return Slot(
        label=label,
        since=since,
        until=until,
        runs=len(track.uses),
        busy=sum(seconds for seconds, _ in spans),
        wasted=sum(seconds for seconds, outcome in spans if outcome in WASTED),
        elsewhere=sum(stop - begin for begin, stop in taken),
    )


def _labels(tracks: Sequence[_Track]) -> list[str]:
    """Name each row by its machine, and by GPU or place where the machine has several."""
    counts: dict[str, int] = {}
    for track in tracks:
        counts[track.place] = counts.get(track.place, 0) + 1
    seen: dict[str, int] = {}
    labels = []
    for track in tracks:
        seen[track.place] = seen.get(track.place, 0) + 1
        if track.gpu:
            labels.append(f"{track.place} · GPU {track.gpu}")
        elif counts[track.place] > 1:
            labels.append(f"{track.place} · {seen[track.place]}")
        else:
            labels.append(track.place)
    return labels


def _gpu_order(gpu: str) -> tuple[int, str]:
    return (int(gpu) if gpu.isdecimal() else 1 << 30, gpu)
