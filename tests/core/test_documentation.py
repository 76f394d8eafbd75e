"""Pages of the documentation out of Markdown: anchors, addresses, pictures, order, finding."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from experiments import log_context
from experiments.documentation.catalogue import Catalogue
from experiments.documentation.finding import find_sections
from experiments.documentation.pictures import picture_size
from studio.logs import JsonLines
from tests.doc_blocks import blocks_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = """\
# Sweeps & runs

Intro with `STUDIO_HOME`, see [deploy](../deploy.md#tls), [SECURITY](../../SECURITY.md),
[the README](../../README.md), [nowhere](../../setup.py) and <https://example.org/a?b=1&c>.

<!-- run: console live -->
```console
$ studio list <name> && true
```

## What *may* start?

![A <picture>](../images/one.webp)

| | b |
|---|--:|
| <b>x</b> | 1 |

## What may start?

The slack factor says how far behind.
"""
INDEX = """\
# Documentation

Begin with [the deploy page](deploy.md).

## Guide

1. [Deploy](deploy.md): for a team

## Reference

### Work

- [All of sweeps](reference/sweeps.md): what they are. And more.
- [Gone](gone.md): no such file
"""
WEBP = b"RIFF\x00\x00\x00\x00WEBP"
PIXELS = WEBP + b"VP8 " + b"\x00" * 7 + b"\x9d\x01\x2a\xb0\x04\x84\x03"
BITS = (899 << 14) | 1199


@pytest.fixture
def catalogue(tmp_path):
    for folder in ("docs/reference", "docs/images", "examples/deploy"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "docs/README.md").write_text(INDEX)
    (tmp_path / "docs/deploy.md").write_text("# Deploy\n\n## TLS\n\nA proxy. Bandit.\n")
    (tmp_path / "docs/reference/sweeps.md").write_text(PAGE)
    (tmp_path / "docs/images/one.webp").write_bytes(PIXELS)
    (tmp_path / "SECURITY.md").write_text("# Security\n\nSlack is no factor here.\n")
    (tmp_path / "README.md").write_text("# Product\n")
    return Catalogue(tmp_path, "/studio/docs/")


def test_page_leads_to_where_the_studio_shows_things(catalogue):
    page = catalogue.page("reference/sweeps")

    assert page.title == "Sweeps & runs"
    for part in (
        '<h2 id="what-may-start">What <em>may</em> start?',
        '<h2 id="what-may-start-1">',
        '<a href="/studio/docs/deploy/#tls">deploy</a>',
        '<a href="/studio/docs/security/">',
        '<a href="/studio/docs/">the README</a>',
        "<span>nowhere</span>",
        '<a href="https://example.org/a?b=1&amp;c" rel="noopener noreferrer">',
        '<div class="doccode" data-language="console"><pre tabindex="0"><code>'
        "$ studio list &lt;name&gt; &amp;&amp; true\n</code></pre></div>",
        'alt="A &lt;picture&gt;" width="1200" height="900"',
        '<td class="right">1</td>',
        '<td></td>\n<th class="right">b</th>',
    ):
        assert part in page.html
    assert "<!--" not in page.html
    assert "<b>" not in page.html
    assert "style=" not in page.html
    assert [one.anchor for one in page.headings] == ["what-may-start", "what-may-start-1"]


def test_order_is_that_of_the_index_and_names_what_it_forgot(catalogue):
    groups = [(one.title, [entry.name for entry in one.entries]) for one in catalogue.groups]

    assert groups == [
        ("Guide", ["deploy"]),
        ("Work", ["reference/sweeps"]),
        ("Others", ["security"]),
    ]
    assert catalogue.entries[1].title == "All of sweeps"
    before, after = catalogue.beside("reference/sweeps")
    assert (before.name, after.name) == ("deploy", "security")
    assert catalogue.beside("") == (None, catalogue.entries[0])


def test_names_of_files_and_mistyped_names_lead_somewhere(catalogue):
    assert catalogue.page("../README") is None
    assert catalogue.renamed("docs/reference/sweeps.md") == "reference/sweeps"
    assert catalogue.renamed("sweeps") == "reference/sweeps"
    assert catalogue.renamed("README.md") == ""
    assert catalogue.renamed("sweps") is None
    assert [one.name for one in catalogue.nearest("sweps")] == ["reference/sweeps"]
    assert catalogue.nearest("zzzzz") == []


def test_page_that_changed_is_read_again(catalogue, tmp_path):
    first = catalogue.page("deploy")
    assert catalogue.page("deploy") is first
    (tmp_path / "docs/deploy.md").write_text("# Deploy it now\n")

    assert catalogue.page("deploy").title == "Deploy it now"


def test_sections_with_every_word_are_found_best_first(catalogue):
    def found(*words):
        hits = find_sections(catalogue.pages(), list(words))
        return [(hit.page, hit.anchor) for hit in hits]

    assert found("SLACK", "factor") == [("reference/sweeps", "what-may-start-1"), ("security", "")]
    assert found("slack factor") == [("reference/sweeps", "what-may-start-1")]
    assert found("tls") == [("deploy", "tls")]
    assert found("studio_home") == [("reference/sweeps", "")]
    assert found("studio list") == [("reference/sweeps", "")]
    assert found("nothing") == found() == []
    (hit,) = find_sections(catalogue.pages(), ["behind"])
    assert (hit.heading, hit.context) == (
        "What may start?",
        "The slack factor says how far behind.",
    )


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (PIXELS, (1200, 900)),
        (
            WEBP + b"VP8L" + b"\0" * 4 + b"\x2f" + BITS.to_bytes(4, "little") + b"\0" * 5,
            (1200, 900),
        ),
        (WEBP + b"VP8X" + b"\0" * 8 + b"\xaf\x04\0" + b"\x83\x03\0", (1200, 900)),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 320.4">', (760, 320)),
        (b"\x89PNG" + b"\0" * 40, None),
        (PIXELS[:20], None),
    ],
)
def test_size_of_a_picture_is_read(head, size):
    assert picture_size(head) == size


def test_line_of_the_log_in_the_documentation_is_what_is_written():
    (block,) = [
        block
        for block in blocks_of("docs/reference/observe.md")
        if block.mark == ("tested", "line of the log")  # <!-- tested: line of the log -->
    ]
    described = json.loads(block.text)
    around = ("time", "level", "logger", "message")
    named = {name: value for name, value in described.items() if name not in around}
    where = (described["logger"], logging.INFO, "", 1, described["message"], (), None)
    with log_context.only(**named):
        line = json.loads(JsonLines().format(logging.LogRecord(*where)))

    assert list(line) == list(described)
    assert {**line, "time": described["time"]} == described


def test_every_page_of_the_project_is_in_the_index():
    catalogue = Catalogue(ROOT, "/docs/")

    assert "Others" not in [group.title for group in catalogue.groups]
    for page in catalogue.pages():
        assert page.title
        assert "<span>" not in page.html, f"{page.name} links to what the studio does not show"
