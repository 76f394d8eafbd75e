"""Run every suite and close with one line of counts: SQLite, PostgreSQL, JavaScript.

Started by `make test` (`python -m tests.everything`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

from tests.hosts import can_make_hosts
from tests.servers import Postgres

ROOT = Path(__file__).resolve().parent.parent
# What touches the database is tested on both; the rest does not care.
DATABASE_SUITES = ("tests/services", "tests/live", "tests/runner", "tests/web")


def main() -> int:
    """Run everything; 0 when nothing failed and nothing that is required was skipped."""
    total: Counter[str] = Counter()
    if not can_make_hosts():
        print("Network namespaces cannot be made here: the tests of other machines are left out.")
    codes = [_pytest("SQLite", [], {}, total)]
    if Postgres.binaries() is not None:
        suites = [suite for suite in DATABASE_SUITES if (ROOT / suite).is_dir()]
        codes.append(_pytest("PostgreSQL", suites, {"STUDIO_TEST_DATABASE": "postgres"}, total))
    elif os.environ.get("STUDIO_REQUIRE_POSTGRES") == "1":
        print("PostgreSQL is required and its server programs are not installed.")
        total["failed"] += 1
    else:
        print("PostgreSQL is not installed: its tests are skipped.")
        total["skipped"] += 1
    codes.append(_node(total))
    print(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    if os.environ.get("STUDIO_REQUIRE_BROWSER") == "1" and total["skipped"]:
        print("A skipped test is a failure here (STUDIO_REQUIRE_BROWSER=1).")
        return 1
    return 1 if any(codes) or total["failed"] else 0


def _pytest(name: str, suites: list[str], extra: dict[str, str], total: Counter[str]) -> int:
    print(f"== {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", *suites]
        code = subprocess.run(command, cwd=ROOT, env=os.environ | extra, check=False).returncode
        if report.exists():
            for suite in ET.parse(report).getroot().iter("testsuite"):
                bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
                skipped = int(suite.get("skipped", 0))
                total["failed"] += bad
                total["skipped"] += skipped
                total["passed"] += int(suite.get("tests", 0)) - bad - skipped
    return code


def _node(total: Counter[str]) -> int:
    tests = sorted(str(path) for path in (ROOT / "tests" / "js").glob("*.test.mjs"))
    node = shutil.which("node")
    if not tests or node is None:
        print("node is not here: the JavaScript tests are skipped.")
        return 0
    print("== JavaScript", flush=True)
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", *tests],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout[-20000:], done.stderr[-4000:])
    for word, key in (("pass", "passed"), ("fail", "failed"), ("skipped", "skipped")):
        found = re.search(rf"^# {word} (\d+)$", done.stdout, re.MULTILINE)
        total[key] += int(found[1]) if found else 0
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
