"""The page about Azure ML cannot rot: its tests exist, its program defines a sweep."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import studio.sdk

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "azure-ml.md").read_text()


def test_every_feature_names_a_test_that_exists():
    rows = [r for r in PAGE.split("## Feature by feature")[1].splitlines() if r.startswith("| ")]

    assert len(rows) > 15
    for row in rows[1:]:
        proofs = re.findall(r"`(tests/[\w/.]+)`", row)
        assert proofs, row
        assert [path for path in proofs if not (ROOT / path).exists()] == []


def test_program_of_the_page_uses_names_that_are_there():
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    imports = [node for node in ast.parse(program).body if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in imports for alias in node.names]
    assert "HyperDriveConfig" in names
    assert set(names) <= set(studio.sdk.__all__)
