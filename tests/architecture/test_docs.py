"""The maps of the code in the documentation cannot rot: every name in them is resolved."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WHOLE = (ROOT / "docs" / "architecture.md").read_text()
MAP = WHOLE + (ROOT / "docs" / "reference" / "parts.md").read_text()
TABLE = WHOLE.split("## Life of a run")[1].split("##")[0]
NAMES = re.findall(r"`([\w/.]+\.py):(\w+)`", MAP)
PATHS = re.findall(r"`((?:experiments|runner|studio|static|tests|docs|examples)/[\w/.-]+)`", MAP)
PAGES = sorted((ROOT / "docs").rglob("*.md"))


def test_life_of_a_run_names_an_owner_for_every_step():
    rows = [line for line in TABLE.splitlines() if re.match(r"\| \d+ \|", line)]

    assert [int(row.split("|")[1]) for row in rows] == list(range(1, 17))
    assert all(re.search(r"`[\w/]+\.(py:\w+|js)`", row) for row in rows)


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMES)))
def test_function_of_the_map_exists(path, name):
    tree = ast.parse((ROOT / path).read_text())

    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    assert name in defined


@pytest.mark.parametrize("path", sorted(set(PATHS)))
def test_path_of_the_map_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.name)
def test_page_is_short_and_its_links_lead_somewhere(page):
    text = page.read_text()

    assert len(text.splitlines()) < 300
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
