"""Compares what the table says with what came: every wrong cell is one sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tests.authorisation.table import NOT_TRIED, Row

_MOST_SHOWN = 60


def assert_complete(what: str, routes: Iterable[object], rows: Iterable[object]) -> None:
    """Fail when a route has no row, or a row no route."""
    known, listed = set(routes), set(rows)
    missing = [f"{_name(one)} has no row: say in table.txt who may" for one in known - listed]
    gone = [f"{_name(one)} has a row and is no {what} any more" for one in listed - known]
    assert not missing + gone, "\n".join(["", *sorted(missing), *sorted(gone)])


def wrong_cells(rows: Iterable[Row], ask: Callable[[Row, str], str]) -> list[str]:
    """Ask for every cell of the rows; return what came otherwise than it stands there."""
    wrong = []
    for row in rows:
        for actor, expected in row.cells.items():
            if expected == NOT_TRIED:
                continue
            found = ask(row, actor)
            if found != expected:
                wrong.append(f"{row} as {actor}: {expected} stands in table.txt, {found} came")
    return wrong


def assert_as_written(wrong: list[str]) -> None:
    """Fail with everything that came otherwise."""
    more = [f"... and {len(wrong) - _MOST_SHOWN} more"] if len(wrong) > _MOST_SHOWN else []
    assert not wrong, "\n".join(["", *wrong[:_MOST_SHOWN], *more])


def _name(key: object) -> str:
    return " ".join(map(str, key)).strip() if isinstance(key, tuple) else str(key)
