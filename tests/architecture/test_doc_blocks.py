"""Every block that a reader might copy is executed by a test, or says why it cannot be."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from experiments.spec import SweepSpec, load_yaml
from tests.doc_blocks import LANGUAGES, LIVE, REASONS, Block, blocks_of, pages

ROOT = Path(__file__).resolve().parents[2]
SPECIFICATION: Final = "a specification, or a part of one: read in this module"
# By page and language: the test that executes all of these blocks, read from the page itself.
EXECUTED: Final = {
    ("docs/reference/azure-ml.md", "python"): "tests/architecture/test_azure_page.py",
    ("docs/reference/cli.md", "console"): "tests/e2e/test_cli_files.py",
    ("docs/reference/import-export.md", "console"): "tests/e2e/test_cli_files.py",
    ("docs/reference/integrations.md", "python"): "tests/core/test_integrations.py",
    ("docs/reference/notebook.md", "python"): "tests/e2e/test_notebook_widget.py",
    ("docs/reference/notifications.md", "python"): "tests/core/test_notify.py",
    ("docs/reference/rest-api.md", "python"): "tests/e2e/test_rest_api_live.py",
    ("docs/reference/rest-api.md", "sh"): "tests/e2e/test_rest_api_live.py",
    ("docs/reference/warm-start.md", "python"): "tests/e2e/test_warm_start_live.py",
}
BASE: Final = {
    "script": "train.py",
    "search_space": {"x": "uniform(0, 1)"},
    "primary_metric": {"name": "loss", "goal": "minimize"},
    "max_total_runs": 1,
}
BLOCKS = [block for page in pages() for block in blocks_of(page)]


def executor_of(block: Block) -> str:
    """Return who executes a block; "" when nobody does."""
    kind, words = block.mark
    if kind == "not executed":
        return words if words in REASONS else ""
    if kind == "tested":
        texts = {test: (ROOT / test).read_text() for test in modules_about(block.page)}
        return next((t for t in texts if words in texts[t] or "<!-- tested: {" in texts[t]), "")
    if (block.page, block.language) in EXECUTED:
        return EXECUTED[block.page, block.language]
    if block.language == "yaml":
        return SPECIFICATION
    return "tests/e2e/test_docs_live.py" if block.page in LIVE else ""


def modules_about(page: str) -> list[str]:
    """Return the test modules that read a page."""
    name = page.rpartition("/")[2]
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.name != Path(__file__).name and name in path.read_text():
            found.append(path.relative_to(ROOT).as_posix())
    return found


def test_every_block_that_might_be_copied_is_executed():
    left = [
        f"{block.name} ({block.language}): run it in tests/e2e/test_docs_live.py, name its test, "
        "or mark it `<!-- not executed: REASON -->`; see tests/doc_blocks.py"
        for block in BLOCKS
        if block.language in LANGUAGES and not executor_of(block)
    ]

    assert left == []
    assert sum(block.language in LANGUAGES for block in BLOCKS) > 90


@pytest.mark.parametrize(
    ("page", "test"), sorted({(page, test) for (page, _), test in EXECUTED.items()})
)
def test_test_of_a_page_reads_it_and_cuts_out_its_blocks(page, test):
    text = (ROOT / test).read_text()

    assert page.rpartition("/")[2] in text
    assert "```" in text
    assert any(block.page == page for block in BLOCKS)


def test_marks_are_of_known_kinds_and_stand_before_blocks():
    seen = {(block.page, *block.mark) for block in BLOCKS if block.mark[0]}
    for page in pages():
        for kind, words in re.findall(
            r"^ *<!-- (file|tested|not executed): (.+?) -->$", (ROOT / page).read_text(), re.M
        ):
            assert (page, kind, words) in seen, f"{page}: {kind}: {words}"
            assert kind != "not executed" or words in REASONS, f"{page}: {words}"


@pytest.mark.parametrize(
    "block",
    [b for b in BLOCKS if b.language == "yaml" and executor_of(b) == SPECIFICATION],
    ids=lambda block: block.name,
)
def test_specification_of_a_page_is_valid(block):
    """A whole one by itself, a part of one with what else is needed."""
    given = load_yaml(block.text)
    is_whole = "trial" in given or {"search_space", "primary_metric"} <= set(given)
    whole = given if is_whole else {**BASE, **given}
    spec = SweepSpec.parse(whole, compute_targets=("local",))

    assert SweepSpec.parse(spec.dump()) == spec


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.language == "python"], ids=lambda b: b.name
)
def test_program_of_a_page_is_python(block):
    ast.parse(block.text)
