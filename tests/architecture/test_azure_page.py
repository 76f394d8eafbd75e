"""The page about Azure ML cannot rot: its tests exist, its program defines a sweep."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import studio.sdk

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "azure-ml.md").read_text()


def is_there(proof: str) -> bool:
    """Tell whether a file, or a test function in a file, is there."""
    path, _, name = proof.partition("::")
    if not (ROOT / path).exists():
        return False
    if not name:
        return True
    tree = ast.parse((ROOT / path).read_text())
    return name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def features() -> list[list[str]]:
    """Return the cells of every row of the feature tables."""
    part = PAGE.split("## Feature by feature")[1].split("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")]
    return [row.strip("| ").split(" | ") for row in rows if not row.startswith("| the documents")]


def test_every_feature_names_a_test_that_is_there():
    rows = features()

    assert len(rows) > 50
    for row in rows:
        proofs = re.findall(r"`(tests/[\w/.:]+)`", row[-1])
        assert (len(row), bool(proofs)) == (3, True), row
        assert [proof for proof in proofs if not is_there(proof)] == []


def test_every_part_of_the_documents_has_its_table():
    part = PAGE.split("## Feature by feature")[1].split("\n## ")[0]

    assert re.findall(r"^### (.+)$", part, re.MULTILINE) == [
        "Search space",
        "Sampling",
        "Primary metric",
        "Early termination",
        "Resources",
        "Configure and submit",
        "Warm start",
        "Visualize",
        "Best model",
    ]


def test_what_is_not_there_is_said_in_bold():
    missing = [row[0] for row in features() if "**not there" in row[1]]

    assert missing == [
        "packages and images of an environment",
        "pipelines, distributed jobs, `submit_child`",
        "registering a file of one's own machine; deploying a model",
    ]


def test_missing_proof_is_noticed():
    assert not is_there("tests/architecture/test_azure_page.py::test_of_no_name")
    assert not is_there("tests/nowhere.py")


def test_paths_of_the_whole_page_are_there():
    paths = re.findall(r"`((?:tests|docs|examples|studio)/[\w/.-]+\.\w+)", PAGE)

    assert len(paths) > 60
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_program_of_the_page_uses_names_that_are_there():
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    imports = [node for node in ast.parse(program).body if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in imports for alias in node.names]
    assert "HyperDriveConfig" in names
    assert set(names) <= set(studio.sdk.__all__)
