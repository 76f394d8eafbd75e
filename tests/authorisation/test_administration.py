"""The administration: nobody but administrators gets in, and what they may do with each model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest
from django.db.models import Model
from django.test import RequestFactory
from django.urls import reverse

from experiments.services.dispatch import get_queue
from tests.authorisation.admin_world import NEW_ROWS, make_rows
from tests.authorisation.asked import filled
from tests.authorisation.judging import assert_as_written, assert_complete, wrong_cells
from tests.authorisation.routes import MODEL_PAGES, admin_routes, models
from tests.authorisation.sender import FORM, Request, Sender, path_of
from tests.authorisation.table import Row, section
from tests.web.form_reader import FormReader

# What a column of a model asks: the page, and whether its form is sent.
_COLUMNS: Final = {
    "list": ("changelist", False),
    "add": ("add", False),
    "added": ("add", True),
    "change": ("change", False),
    "changed": ("change", True),
    "delete": ("delete", False),
    "deleted": ("delete", True),
    "history": ("history", False),
}
_KINDS: Final = ("anonymous", "owner", "staff", "forged")
_RQ: Final = "admin:django_rq_"
PARAMETERS: Final = {
    "connection_index": "0",
    "content_type_id": "1",
    "cron_job_name": "none",
    "format_name": "csv",
    "id": "{pat_pk}",
    "job_id": "job-1",
    "key": "none",
    "object_id": "1",
    "queue_index": "0",
    "result_id": "none",
    "scheduler_index": "0",
    "scheduler_name": "none",
}
# Those of addresses that are patterns.
ADDRESSES: Final = {
    "admin/django_rq/dashboard/^stats.json/?$": "admin/django_rq/dashboard/stats.json",
    "admin/django_rq/dashboard/^stats.json/(?P<token>[\\w]+)?/?$": (
        "admin/django_rq/dashboard/stats.json/guessed"
    ),
    "admin:django_rq_metrics": "admin/django_rq/dashboard/metrics",
    "admin:app_list": "admin/experiments/",
    "admin/(?P<url>.*)$": "admin/nowhere/",
    "admin:autocomplete": (
        "admin/autocomplete/?app_label=experiments&model_name=membership&field_name=user&term=a"
    ),
}
FORMS: Final[Mapping[str, Mapping[str, Any]]] = {}


@pytest.fixture
def rows(sender: Sender) -> Mapping[str, Model]:
    """A row of every model by the name of the model."""
    make_rows(sender.world)
    found = {}
    for label, page in models().items():
        row = page.model._default_manager.order_by("pk").first() if page.model._meta.managed else 0
        assert row is not None, f"there is no {label}: make one in admin_world.py"
        found[label] = row
    return found


def test_every_view_of_the_administration_has_a_row() -> None:
    listed = {label for _, label in section("models").rows}
    assert_complete("model of the administration", models(), listed)
    listed = {route for _, route in section("administration").rows}
    assert_complete("view of the administration", admin_routes(), listed)


def test_the_administration_answers_as_the_table_says(
    sender: Sender, rows: Mapping[str, Model]
) -> None:
    wrong = _wrong_pages(sender, rows) + _wrong_actions(sender, rows)
    assert_as_written(wrong + _open_to_others(sender, rows) + _wrong_others(sender))


def _wrong_pages(sender: Sender, rows: Mapping[str, Model]) -> list[str]:
    """Ask for the pages of every model as administrator."""

    def ask(row: Row, column: str) -> str:
        return ask_model(sender, rows, row.key[1], column)

    return wrong_cells(section("models").rows.values(), ask)


def _wrong_actions(sender: Sender, rows: Mapping[str, Model]) -> list[str]:
    """Carry out every action of every list; each must need a permission."""
    request = RequestFactory().get("/admin/")
    request.user = sender.world.people["administrator"]
    given = sender.by_session("administrator")
    wrong = []
    for row in section("models").rows.values():
        label = row.key[1]
        actions = models()[label].get_actions(request)
        if set(actions) != set(row.words):
            wrong.append(f"{label} has the actions {' '.join(actions)}; write them into table.txt")
        for name, (function, _, _) in actions.items():
            if not getattr(function, "allowed_permissions", ()):
                wrong.append(f"{label}: the action {name} needs no permission")
            form = {"action": name, "_selected_action": [getattr(rows[label], "pk", 0)]}
            found = sender.status(_request(_address(label, "changelist", None), form), given)
            # Done, or asked whether it is meant.
            if found not in ("302", "200"):
                wrong.append(f"{label}: the action {name} answers {found}")
    return wrong


def _open_to_others(sender: Sender, rows: Mapping[str, Model]) -> list[str]:
    """Ask for the pages of every model as everybody else."""
    pages = [
        Row((method, f"{label} {page}"), _cells(method, page))
        for label in models()
        for page in MODEL_PAGES
        for method in ("GET", "POST")
        # Django makes no such page of RQ's.
        if rows[label] or page == "changelist"
    ]

    def ask(row: Row, actor: str) -> str:
        label, page = row.key[1].split()
        address = _address(label, page, rows[label])
        form = {"post": "yes"} if row.key[0] == "POST" else None
        return sender.status(_request(address, form), _given(sender, actor))

    return wrong_cells(pages, ask)


def _cells(method: str, page: str) -> Mapping[str, str]:
    """Return who asks for a page: everybody for lists, one of each kind for the others."""
    cells = section("others").rows[method, "all"].cells
    return cells if page == "changelist" else {who: cells[who] for who in _KINDS}


def _wrong_others(sender: Sender) -> list[str]:
    """Ask for the views that belong to no model, RQ's among them."""

    def ask(row: Row, actor: str) -> str:
        method, route = row.key
        address = _other_address(route, sender.world.ids)
        form = filled(FORMS.get(route, {}), sender.world.ids) if method == "POST" else None
        return sender.status(_request(address, form), _given(sender, actor))

    return wrong_cells(section("administration").rows.values(), ask)


def ask_model(sender: Sender, rows: Mapping[str, Model], label: str, column: str) -> str:
    """Ask for a page of a model as administrator, or send its form as it was shown."""
    given = sender.by_session("administrator")
    page, is_sent = _COLUMNS[column]
    address = _address(label, page, rows[label])
    if not is_sent:
        return sender.status(_request(address, None), given)
    form = {"post": "yes"} if column == "deleted" else {}
    # A page without a form for administrators is refused as it is.
    if column != "deleted" and (column == "changed" or label in NEW_ROWS):
        form = _form_of(sender, label, address)
    if column == "added":
        form |= filled(NEW_ROWS.get(label, {}), sender.world.ids)
    return sender.status(_request(address, form), given)


def _form_of(sender: Sender, label: str, address: str) -> dict[str, str]:
    """Return what a browser would send of a form, as the page shows it."""
    with sender.answer(Request("GET", address), sender.by_session("administrator")) as shown:
        return FormReader(shown.content.decode(), f"{label.split('.')[1]}_form").values


def _given(sender: Sender, actor: str) -> Any:
    """Forged is here what another site lets the browser of an administrator send."""
    if actor != "forged":
        return sender.by_session(actor)
    meant = sender.by_session("administrator")
    return type(meant)(cookies={"sessionid": meant.cookies["sessionid"]})


def _address(label: str, page: str, row: Any) -> str:
    args = [row.pk] if page in ("change", "delete", "history") else []
    return reverse(f"admin:{label.replace('.', '_')}_{page}", args=args)


def _other_address(route: str, ids: Mapping[str, Any]) -> str:
    if route.startswith(_RQ):
        _renew_job()
    address = ADDRESSES.get(route) or admin_routes()[route]
    return f"/{path_of(address, filled(PARAMETERS, ids))}"


def _renew_job() -> None:
    """Put a job into the first queue: some pages take it away."""
    queue = get_queue("default")
    if queue.fetch_job("job-1") is None:
        queue.enqueue_call("time.sleep", args=(0,), job_id="job-1")


def _request(address: str, form: Mapping[str, Any] | None) -> Request:
    return Request("GET", address) if form is None else Request("POST", address, form, FORM)
