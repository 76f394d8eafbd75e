"""The documentation at /docs/: open to everybody, searched, with pictures and examples."""

from __future__ import annotations

import re
from pathlib import Path

from django.urls import reverse

from experiments.documentation.catalogue import Catalogue
from experiments.views.docs import catalogue

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"{% url 'docs_page' '([^']+)' %}(?:#([\w-]+))?")


def test_strangers_read_every_page_of_the_list(client, db):
    index = client.get("/docs/")

    addresses = re.findall(r'<li><a href="(/docs/[^"#]+/)"', index.content.decode())
    assert len(set(addresses)) > 30
    pages = {address: client.get(address) for address in sorted(set(addresses))}
    assert [address for address, page in pages.items() if page.status_code != 200] == []
    assert client.get("/docs/").headers["Content-Security-Policy"].startswith("default-src 'self'")


def test_page_has_its_contents_and_its_neighbours(client, db):
    page = client.get("/docs/reference/cli/").content.decode()

    assert '<h1 id="the-command-line">The command line</h1>' in page
    assert '<a href="#for-programs">For programs</a>' in page
    assert 'href="/docs/reference/cli/" aria-current="page"' in page
    assert '<a rel="next" href="/docs/reference/rest-api/">' in page
    assert page.count("<h1") == 1


def test_names_of_files_lead_to_pages(client, db):
    assert client.get("/docs/reference/cli.md/").headers["Location"] == "/docs/reference/cli/"
    assert client.get("/docs/cli.md", follow=True).status_code == 200
    assert client.get("/docs/README.md/").headers["Location"] == "/docs/"


def test_unknown_page_names_what_looks_like_it(client, db):
    missing = client.get("/docs/reference/notifcations/")
    text = missing.content.decode()

    assert missing.status_code == 404
    assert '<a href="/docs/reference/notifications/">' in text
    assert 'action="/docs/search/"' in text
    escaped = client.get("/docs/<script>/")
    assert escaped.status_code == 404
    assert b"<script>/" not in escaped.content


def test_search_shows_sections_with_context(client, db):
    found = client.get("/docs/search/", {"q": "STUDIO_EMAIL_URL"}).content.decode()
    none = client.get("/docs/search/", {"q": "xyzzy <b>"}).content.decode()

    assert '<a href="/docs/reference/notifications/#delivery">Delivery</a>' in found
    assert "<mark>STUDIO_EMAIL_URL</mark>" in found
    assert "No section holds" in none
    assert "<b>”" not in none


def test_picture_is_kept_for_good_where_its_version_is_named(client, db):
    page = client.get("/docs/reference/new-sweep/").content.decode()
    (address,) = re.findall(r'<img src="([^"]+)"', page)

    named = client.get(address)
    assert (named.status_code, named.headers["Content-Type"]) == (200, "image/webp")
    assert "immutable" in named.headers["Cache-Control"]
    plain = client.get("/docs/images/new-sweep.webp")
    assert plain.headers["Cache-Control"] == "no-cache"
    same = client.get("/docs/images/new-sweep.webp", headers={"If-None-Match": plain["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    beside = client.get("/docs/images/..%2F..%2Fsetup.py", follow=True)
    assert (beside.status_code, b"setuptools" in beside.content) == (404, False)
    assert client.get("/docs/images/none.webp").status_code == 404


def test_examples_are_shown_and_nothing_beside_them(client, db):
    folder = client.get("/docs/examples/deploy/").content.decode()
    file = client.get("/docs/examples/deploy/nginx/sweep-studio.conf")

    assert '<a href="/docs/examples/deploy/nginx/">nginx/</a>' in folder
    assert b"proxy_pass" in file.content
    assert client.get("/docs/examples").status_code == 200
    for path in ("../setup.py", "..%2Fsetup.py", "deploy/none"):
        beside = client.get(f"/docs/examples/{path}", follow=True)
        assert (beside.status_code, b"setuptools" in beside.content) == (404, False)


def test_links_of_pages_into_the_documentation_lead_somewhere():
    known, wrong, seen = catalogue(), [], 0
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for name, anchor in LINK.findall(path.read_text()):
            page = known.page(name)
            anchors = {one.anchor for one in page.headings} if page else set()
            seen += 1
            if page is None or (anchor and anchor not in anchors):
                wrong.append(f"{path.name}: {name}#{anchor}")

    assert wrong == []
    assert seen > 8


def test_page_costs_no_query_for_a_stranger(client, django_assert_num_queries, db):
    client.get("/docs/")

    with django_assert_num_queries(0):
        client.get(reverse("docs_page", args=["policies"]))


def test_index_is_complete():
    assert isinstance(catalogue(), Catalogue)
    assert len(catalogue().entries) > 35
