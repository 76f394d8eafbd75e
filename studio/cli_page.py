"""A page of the manual: what is said about a command below its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

# What commands that ask a studio return and read, unless their page says otherwise.
EXITS: Final[Mapping[int, str]] = {
    0: "done",
    1: "refused, or it did not go well",
    2: "the command or its input is wrong",
    3: "the studio cannot be reached",
}
VARIABLES: Final[Mapping[str, str]] = {
    "STUDIO_URL": "address of the studio; default: that of this machine",
    "STUDIO_TOKEN": "token for that studio; `studio token create` makes one",
    "STUDIO_HOME": "data folder of this machine's studio",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What the manual says about a command beyond its options.

    `examples` are (command line, what it does); `exits` and `variables` replace the usual ones.
    """

    examples: Sequence[tuple[str, str]]
    arguments: Mapping[str, str] = field(default_factory=dict)
    exits: Mapping[int, str] = field(default_factory=lambda: EXITS)
    variables: Mapping[str, str] = field(default_factory=lambda: VARIABLES)
    see_also: Sequence[str] = ()
