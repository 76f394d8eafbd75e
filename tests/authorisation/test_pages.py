"""Pages: who gets which status at every address with every method."""

from __future__ import annotations

from typing import Final

from django.core.cache import cache

from tests.authorisation.asked import FORMS, PAGE_PARAMETERS, PAGE_QUERIES, PARAMETERS, filled
from tests.authorisation.judging import assert_as_written, assert_complete, wrong_cells
from tests.authorisation.routes import page_routes
from tests.authorisation.sender import FORM, Request, Sender, path_of
from tests.authorisation.table import Row, section

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def test_every_page_has_a_row() -> None:
    assert_complete("page", page_routes(), {route for _, route in section("pages").rows})


def test_pages_answer_as_the_table_says(sender: Sender) -> None:
    def ask(row: Row, actor: str) -> str:
        if row.key[0] != "GET":
            # How often somebody tried to come in is counted there.
            cache.clear()
        return sender.status(page_request(sender, *row.key, actor), sender.by_session(actor))

    rows = section("pages").rows.values()
    wrong = wrong_cells(rows, ask)
    assert_as_written(wrong + wrong_cells(_other_methods(), ask))


def _other_methods() -> list[Row]:
    """Return what is no row of the table: nobody gets anything by it."""
    return [
        Row((method, route), {"administrator": "405"})
        for route in page_routes()
        for method in _METHODS
        if (method, route) not in section("pages").rows
    ]


def page_request(sender: Sender, method: str, route: str, actor: str = "administrator") -> Request:
    """Return what is sent to a page; some forms want the name of whoever sends them."""
    person = sender.world.people.get(actor, sender.world.people["owner"])
    ids = {**sender.world.ids, "me": person.get_username()}
    named = filled({**PARAMETERS, **PAGE_PARAMETERS.get(route, {})}, ids)
    query = filled(PAGE_QUERIES.get(route, ""), ids)
    path = f"/{path_of(page_routes()[route], named)}" + (f"?{query}" if query else "")
    body = filled(FORMS.get(route, {}), ids) if method == "POST" else None
    return Request(method, path, body, FORM)
