"""A page of another site cannot act for whoever is signed in: forms, REST, MLflow, administration.

Every route of the table of addresses is asked, so a new one is covered the day it is written.
"""

from __future__ import annotations

import pytest
from django.test import Client

from tests.authorisation.routes import all_routes, operations
from tests.factories import make_user, make_workspace

pytestmark = pytest.mark.django_db
# Routes that take a POST without the token of a page, each with what protects it instead.
WITHOUT = {
    "notifications_stop": "mail programs post there; the address itself is the key",
    "mlflow": "knows no cookie: credentials come in the header alone",
    "mlflow_3": "knows no cookie: credentials come in the header alone",
    "mlflow_file": "knows no cookie: credentials come in the header alone",
    "mlflow_files": "knows no cookie: credentials come in the header alone",
    "mlflow_parts": "knows no cookie, and does nothing",
}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def browser():
    """The browser of an administrator, on a page of another site."""
    root = make_user("root", is_superuser=True)
    make_workspace(root)
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(root)
    return client


def address_of(pattern):
    """Return an address of a route: no view gets so far that the parameters matter."""
    found = "/" + pattern.replace("^", "").replace("$", "")
    while "<" in found:
        before, _, rest = found.partition("<")
        kind, _, after = rest.partition(">")
        found = before + ("1" if kind.startswith("int:") else "x") + after
    return found


def test_every_page_refuses_what_no_page_of_the_studio_sent(browser):
    taken = {}
    for name, pattern in all_routes().items():
        if name in WITHOUT or pattern.startswith("api/v1/"):
            continue
        # What asks for the token asks for it whatever the method: the others once.
        for method in UNSAFE if name == "sweep" else ("POST",):
            answer = browser.generic(method, address_of(pattern), b"{}", "application/json")
            if answer.status_code != 403:
                taken[f"{method} {name}"] = answer.status_code
    assert not taken


def test_the_token_of_a_page_opens_what_was_refused(browser):
    """The refusals above are of the missing token, not of anything else."""
    browser.get("/account/password/")
    token = browser.cookies["csrftoken"].value

    answer = browser.post("/compute/local/change/", {"csrfmiddlewaretoken": token, "set": "x"})

    assert answer.status_code != 403
    foreign = {"origin": "https://evil.example", "x-csrftoken": token}
    assert browser.post("/compute/local/change/", headers=foreign).status_code == 403


def test_every_operation_refuses_a_session_without_the_token(browser):
    taken = {}
    for method, path in operations():
        if method not in UNSAFE or path.startswith("/{"):
            continue
        address = "/api/v1" + path.replace("{", "").replace("}", "")
        answer = browser.generic(method, address, b"{}", "application/json")
        # 401: what only a machine's own token opens.
        wanted = 401 if path.startswith("/attached") else 403
        if answer.status_code != wanted:
            taken[f"{method} {path}"] = answer.status_code
    assert not taken


def test_what_needs_no_token_knows_no_session(browser):
    for name in WITHOUT:
        pattern = all_routes()[name]
        for method in ("GET", *UNSAFE):
            answer = browser.generic(method, address_of(pattern), b"{}", "application/json")
            assert answer.status_code in (401, 404, 405, 501), (name, method)
