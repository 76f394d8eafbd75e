"""The audit of dependencies: a vulnerability fails it, a service that is away is said aloud."""

from __future__ import annotations

import json

import pytest

from tests.audit import judge

CLEAN = {"name": "click", "version": "8.1.0", "vulns": []}
SKIPPED = {"name": "own", "skip_reason": "Dependency not found on PyPI"}
# As pip-audit writes it.
FLAW = {"id": "PYSEC-2021-439", "fix_versions": ["3.2.10"], "aliases": [], "description": "…"}
BAD = {"name": "django", "version": "3.2.0", "vulns": [FLAW]}


def found(*dependencies):
    return judge(json.dumps({"dependencies": dependencies, "fixes": []}), "")


def test_a_known_vulnerability_fails_and_says_what_mends_it():
    verdict = found(CLEAN, BAD, SKIPPED)

    assert verdict.is_bad
    assert "django 3.2.0 has PYSEC-2021-439 (mended in 3.2.10)" in verdict.lines[0]


def test_clean_pins_pass_and_what_was_not_looked_up_is_named():
    assert not found(CLEAN).is_bad
    assert "own" in found(CLEAN, SKIPPED).lines[0]
    assert found(CLEAN, SKIPPED).is_done


@pytest.mark.parametrize("output", ["", "Traceback", "[]", '{"dependencies": []}'])
def test_an_audit_that_could_not_be_done_is_no_clean_one(output):
    verdict = judge(output, "a\nConnectionError: no route")

    assert (verdict.is_bad, verdict.is_done) == (False, False)
    assert "NOT AUDITED" in verdict.lines[0]


def test_nothing_known_of_any_package_is_no_clean_audit():
    assert not found(SKIPPED).is_done
