"""What a check of the doctor saw."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """`cure` is the one thing to do, empty exactly when all is well; `why`: what happens else."""

    detail: str
    cure: str = ""
    why: str = ""
    is_warning: bool = False


def warned(detail: str, cure: str, why: str = "") -> Seen:
    """Say that something works, and may break."""
    return Seen(detail, cure, why, is_warning=True)
