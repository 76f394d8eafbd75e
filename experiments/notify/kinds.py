"""What people and programs can be told of: one table of events, scopes and kinds of channels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class EventKind(StrEnum):
    """What happened; the value is the `type` of a webhook's message."""

    FINISHED = "sweep.finished"
    FAILED = "sweep.failed"
    BREAKER = "sweep.breaker_tripped"
    NEW_BEST = "sweep.new_best"
    STUCK = "sweep.stuck"
    COMPUTE_LOST = "compute.lost"
    # Nobody chooses these: a button was pressed.
    TEST = "test"
    ADDRESS = "address"


class Scope(StrEnum):
    """For which sweeps a person wants to be told."""

    MINE = "mine"
    STARRED = "starred"
    ALL = "all"


class ChannelKind(StrEnum):
    """How a notification travels."""

    EMAIL = "email"
    SLACK = "slack"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class Words:
    """How pages name something, and the sentence beside it."""

    label: str
    help: str


E = EventKind
EVENTS: Final[dict[str, Words]] = {
    E.FINISHED: Words("Sweep finished", "It completed, was canceled, or reached its time limit."),
    E.FAILED: Words("Sweep failed", "All its runs failed, or the sampler did."),
    E.BREAKER: Words("Breaker tripped", "It paused itself: max_failed_runs runs failed in a row."),
    E.NEW_BEST: Words(
        "New best run",
        "Another run leads. At most once a minute and sweep, never by the first five runs.",
    ),
    E.STUCK: Words("Run stuck", "It goes on but has reported nothing for far longer than before."),
    E.COMPUTE_LOST: Words(
        "Compute lost", "Runs lost their worker, or wait and no worker takes them."
    ),
}
SCOPES: Final[dict[str, Words]] = {
    Scope.MINE: Words("My sweeps", "Those that I submitted."),
    Scope.STARRED: Words("Starred sweeps", "Those with my star, whoever submitted them."),
    Scope.ALL: Words("All sweeps", "Every sweep of the workspaces I belong to."),
}
CHANNELS: Final[dict[str, Words]] = {
    ChannelKind.EMAIL: Words("E-mail", "To the address of the account."),
    ChannelKind.SLACK: Words(
        "Slack-compatible", "A line of text for Slack, Mattermost, Rocket.Chat or Discord (/slack)."
    ),
    ChannelKind.WEBHOOK: Words("Signed webhook", "JSON for programs, signed with HMAC-SHA256."),
}
# What a form proposes: worth an interruption for nearly everybody.
PROPOSED: Final = (E.FINISHED, E.FAILED, E.BREAKER, E.STUCK, E.COMPUTE_LOST)
