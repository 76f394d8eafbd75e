"""What the product imports is what it declares: nothing comes along by chance."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
OURS = {"experiments", "runner", "studio"}
# Of users: a callback is written for whoever has them.
THEIRS = {
    "keras",
    "lightning",
    "pytorch_lightning",
    "sklearn",
    "tensorflow",
    "transformers",
    "xgboost",
}


def imported() -> dict[str, str]:
    """Return each foreign package that is imported, and where."""
    found: dict[str, str] = {}
    for file in (path for top in sorted(OURS) for path in (ROOT / top).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                found[name.split(".")[0]] = str(file.relative_to(ROOT))
    return {k: v for k, v in found.items() if k not in OURS | THEIRS | sys.stdlib_module_names}


def test_every_package_that_is_imported_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = [
        line for k, v in project["optional-dependencies"].items() if k != "dev" for line in v
    ]
    lines = [*project["dependencies"], *optional]
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    made_by = packages_distributions()

    undeclared = {
        name: place
        for name, place in imported().items()
        if not declared & {canonicalize_name(one) for one in made_by.get(name, [name])}
    }

    assert undeclared == {}
