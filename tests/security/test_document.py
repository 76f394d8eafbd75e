"""SECURITY.md names only what is there: tests, modules, pages."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "SECURITY.md").read_text()


def test_every_threat_has_a_defence_and_a_proof_that_exists():
    table = TEXT.split("## Threats, defences, proofs")[1].split("\nNot defended")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")]

    assert len(rows) > 20
    for threat, _, proof in rows[1:]:
        named = re.findall(r"`([\w/]+(?:\.py)?)`", proof)
        assert named, threat
        for name in named:
            place = name if "/" in name else f"tests/security/{name}"
            assert (ROOT / place).exists(), name


def test_every_module_and_page_that_is_named_exists():
    for name in re.findall(r"`((?:experiments|studio|runner|tests)/[\w/.]+)`", TEXT):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"\]\((?!https?://|#)([^)#]+)", TEXT):
        assert (ROOT / name).exists(), name


def test_every_attack_is_named():
    """A module of attacks that the document does not know is a threat that it does not know."""
    missing = [
        path.name
        for path in (ROOT / "tests" / "security").glob("test_*.py")
        if path.name not in TEXT and path != Path(__file__)
    ]
    assert not missing
