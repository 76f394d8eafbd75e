"""Which faults in which order, from a seed. Pure: knows neither processes nor the database."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

WAITING: Final = ("NotStarted", "Queued")
LIVE: Final = ("Starting", "Running", "Finalizing", "CancelRequested", "NotResponding")
# While the script of a run exists; its guard exists a moment before the run is Running.
_AT_WORK: Final = ("Running", "CancelRequested", "NotResponding")

# In which states of a run each kind of fault makes sense.
STATES: Final[dict[str, tuple[str, ...]]] = {
    "web": (*WAITING, *LIVE),
    "watchdog": (*WAITING, *LIVE),
    "worker": (*WAITING, *LIVE),
    "valkey": (*WAITING, *LIVE),
    "postgres": (*WAITING, *LIVE),
    "supervisor": (*WAITING, *LIVE),
    "work-horse": LIVE,
    "guard": ("Starting", *_AT_WORK),
    "script": _AT_WORK,
    "network": ("Queued", "Starting", "Running", "Finalizing", "CancelRequested"),
}
ON_SQLITE: Final = tuple(kind for kind in STATES if kind not in {"postgres", "network"})
ON_POSTGRES: Final = tuple(kind for kind in STATES if kind != "network")
WITH_HOSTS: Final = tuple(STATES)
SILENT: Final = "NotResponding"
_GROUP: Final = 4
_HARM: Final = (
    *("web", "watchdog", "valkey", "postgres", "network"),
    *("script", "guard", "work-horse", "worker", "supervisor"),
)
# A worker that nobody hears of for this long has lost its run.
_LEASE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Card:
    """One fault to come: what is hit, in which state of some run, how long after it was seen.

    `seconds` is how long a cut cable stays cut.
    """

    number: int
    kind: str
    state: str
    delay: float
    pause: float
    seconds: float = 0.0


def deal(count: int, kinds: Sequence[str], seed: int, *, is_short: bool = False) -> list[Card]:
    """Return `count` faults: every kind equally often, and each of them in every state in turn.

    A short campaign leaves out what takes half a minute: a worker that goes silent.
    """
    rng = random.Random(seed)
    decks = {kind: _states(kind, rng, is_short=is_short) for kind in kinds}
    order: list[str] = []
    while len(order) < count:
        once = list(kinds)
        rng.shuffle(once)
        order += once
    cards = [_card(n, kind, next(decks[kind]), rng) for n, kind in enumerate(order[:count], 1)]
    return _grouped(cards)


def _grouped(cards: list[Card]) -> list[Card]:
    """Let faults in the one state that takes half a minute to come about strike one run together.

    Within a group those come first that leave the run as it is.
    """
    silent = [card for card in cards if card.state == SILENT]
    others = [card for card in cards if card.state != SILENT]
    groups = [silent[i : i + _GROUP] for i in range(0, len(silent), _GROUP)]
    for n, group in enumerate(groups):
        at = (n + 1) * len(cards) // (len(groups) + 1)
        others[at:at] = sorted(group, key=lambda card: _HARM.index(card.kind))
    return others


def _states(kind: str, rng: random.Random, *, is_short: bool) -> Iterator[str]:
    left_out = SILENT if is_short else ""
    states = [state for state in STATES[kind] if state != left_out]
    own = random.Random(rng.random())
    while True:
        own.shuffle(states)
        yield from states


def _card(number: int, kind: str, state: str, rng: random.Random) -> Card:
    delay, pause = rng.uniform(0, 0.5), rng.expovariate(1 / 1.5)
    is_long = rng.random() < 0.4
    seconds = (
        rng.uniform(_LEASE_SECONDS + 5, _LEASE_SECONDS + 30) if is_long else rng.uniform(2, 18)
    )
    return Card(number, kind, state, delay, min(pause, 6.0), seconds if kind == "network" else 0.0)
