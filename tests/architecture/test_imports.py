"""Imports go downwards only; the client of scripts needs a bare Python."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from experiments.charts import CHARTS, COMPARISONS
from experiments.policies import POLICIES
from experiments.samplers import SAMPLERS
from experiments.space import EXPRESSIONS
from runner.compute import COMPUTE_KINDS

ROOT = Path(__file__).resolve().parents[2]
CLIENT = sorted((ROOT / "studio" / "sdk").rglob("*.py"))
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]
HEAVY = ["django", "rq", "redis", "channels"]
PURE = next(contract for contract in CONTRACTS if "pure core" in contract["name"])


def test_contracts_of_the_architecture_are_kept():
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in done.stdout


@pytest.mark.parametrize("module", PURE["source_modules"])
def test_pure_module_is_imported_without_django(module):
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("path", CLIENT, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_client_has_the_syntax_of_python_3_8(path):
    ast.parse(path.read_text(), feature_version=(3, 8))


def test_client_runs_in_a_python_without_any_package():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); before = set(sys.modules); "
        "from studio.sdk import Run; Run.get_context(); "
        "used = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(used - set(sys.stdlib_module_names)))"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip().splitlines()[-1] == "['studio']"


@pytest.mark.parametrize(
    "registry",
    [EXPRESSIONS, SAMPLERS, POLICIES, CHARTS, COMPARISONS, COMPUTE_KINDS],
    ids=["expressions", "samplers", "policies", "charts", "comparisons", "compute"],
)
def test_registry_names_a_class_for_every_entry(registry):
    assert registry
    for name, place in registry.items():
        module, _, attribute = place.partition(":")
        tree = ast.parse(_source(module))
        classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
        assert attribute in classes, name


def _source(module: str) -> str:
    path = ROOT / Path(*module.split("."))
    return (
        path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    ).read_text()
