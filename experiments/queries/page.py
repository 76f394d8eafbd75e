"""A page of a list: the rows, and how to get at the next ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows of a list. `next_cursor` is None on the last page; `total` counts all pages."""

    items: list[Row]
    next_cursor: str | None
    total: int
    offset: int = 0

    @property
    def first(self) -> int:
        """Return the position of the first row, from 1; 0 when there is none."""
        return self.offset + 1 if self.items else 0

    @property
    def last(self) -> int:
        """Return the position of the last row, from 1."""
        return self.offset + len(self.items)
