"""The audit of dependencies in `make lint`: pip-audit over every version in constraints.txt.

A known vulnerability fails it. Where the list of vulnerabilities cannot be asked, it says so in
plain sight and fails nothing, unless STUDIO_REQUIRE_AUDIT is 1. The same versions are asked about
once a day.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent
PINS: Final = ROOT / "constraints.txt"
# What was asked last, and when; goes with the environment.
STAMP: Final = ROOT / ".venv" / ".audited"
# A release that every list of vulnerabilities knows: asked about first, since hundreds of questions
# to a service that knows none take long.
_KNOWN: Final = "pip==24.0\n"
# Vulnerabilities that do not concern the studio: id -> why, and until which version.
IGNORED: Final[dict[str, str]] = {}


class Verdict(NamedTuple):
    """What to say, and whether everything was looked up and found well."""

    lines: list[str]
    is_bad: bool = False
    is_done: bool = True


def main() -> int:
    """Audit, print what came of it, return the exit code."""
    mark = f"{hashlib.sha256(PINS.read_bytes()).hexdigest()} {datetime.date.today()}\n"  # noqa: DTZ011
    if STAMP.exists() and STAMP.read_text() == mark:
        return 0
    verdict = _audit()
    print("\n".join(verdict.lines))
    if verdict.is_done and not verdict.is_bad:
        STAMP.write_text(mark)
    must = os.environ.get("STUDIO_REQUIRE_AUDIT") == "1"
    return int(verdict.is_bad or (must and not verdict.is_done))


def _audit() -> Verdict:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as known:
        known.write(_KNOWN)
        known.flush()
        first = _ask(Path(known.name))
    return _ask(PINS) if first.is_done else first


def _ask(pins: Path) -> Verdict:
    words = [sys.executable, "-m", "pip_audit", "-r", str(pins), "--no-deps", "--disable-pip"]
    words += ["--format", "json", "--progress-spinner", "off"]
    for name in IGNORED:
        words += ["--ignore-vuln", name]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return judge(done.stdout, done.stderr)


def judge(output: str, errors: str) -> Verdict:
    """Read what pip-audit found."""
    try:
        found = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return not_audited((errors.strip().splitlines() or ["pip-audit said nothing"])[-1])
    skipped = [one["name"] for one in found if "skip_reason" in one]
    bad = [(one, flaw) for one in found for flaw in one.get("vulns", ())]
    if bad:
        lines = [
            f"VULNERABLE: {one['name']} {one['version']} has {flaw['id']}"
            f" (mended in {', '.join(flaw['fix_versions']) or 'no version yet'})"
            for one, flaw in bad
        ]
        advice = (
            "Raise the version in constraints.txt, or add it with its reason to tests/audit.py."
        )
        return Verdict([*lines, advice], is_bad=True)
    if len(skipped) == len(found):
        return not_audited("the service knows none of the packages")
    if skipped:
        return Verdict([f"Audited, but for {', '.join(skipped)}: the service does not know them."])
    return Verdict([f"{len(found)} dependencies have no known vulnerability."])


def not_audited(reason: str) -> Verdict:
    """Say that nothing was found out."""
    return Verdict([f"DEPENDENCIES ARE NOT AUDITED: {reason}."], is_done=False)


if __name__ == "__main__":
    sys.exit(main())
