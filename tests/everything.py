"""Run every suite and close with one line of counts: SQLite, browser, PostgreSQL, JavaScript.

Started by `make test` (`python -m tests.everything`), and by `make test-all` with `--all`: then
with those marked `long`, and every page on both databases. Many tests wait for real processes, so
suites run side by side, each with servers of its own; what one says is printed when it ends.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.hosts import can_make_hosts
from tests.memory_groups import can_limit_memory
from tests.servers import Postgres

ROOT = Path(__file__).resolve().parent.parent
# Whole studios, browsers and other machines: as long as all the rest.
LIVE_SUITE = "tests/e2e"
# What touches the database is tested on both; the rest does not care.
DATABASE_SUITES = ("tests/services", "tests/live", "tests/runner", "tests/web")
# Who may do what, hundreds of times, forms, specifications as text, files: the same rows whatever
# database they come from.
_PAGES_ONCE = (
    "account admin api_access api_docs api_errors best_run_golden check_first compute_page "
    "compute_settings form_bayesian pages_base script_facts sdk_results spec_round_trip "
    "sweep_exports sweep_form sweep_form_sources trash_pages wrong_specs"
)
ONCE = (
    *[f"tests/web/test_{name}.py" for name in _PAGES_ONCE.split()],
    "tests/services/test_bucket.py",
    "tests/runner/test_interpreter.py",
)
# Two that compute, and the one that waits most.
AT_ONCE = 3

_printing = threading.Lock()


@dataclass(frozen=True)
class Suite:
    """Tests that one process runs: of these folders, with these marks."""

    name: str
    words: list[str]
    marks: str = ""
    environment: dict[str, str] = field(default_factory=dict)


def main() -> int:
    """Run everything; 0 when nothing failed and nothing that is required was skipped."""
    total: Counter[str] = Counter()
    is_all = "--all" in sys.argv[1:]
    if not can_make_hosts():
        print("Network namespaces cannot be made here: the tests of other machines are left out.")
    if not can_limit_memory():
        print("Memory cannot be limited here: the tests of kills for lack of it are left out.")
    suites = [
        Suite("browsers", [LIVE_SUITE], "browser"),
        Suite("SQLite", [f"--ignore={LIVE_SUITE}"]),
        Suite("whole studios", [LIVE_SUITE], "not browser"),
    ]
    if Postgres.binaries() is not None:
        words = [*DATABASE_SUITES, *([] if is_all else (f"--deselect={name}" for name in ONCE))]
        of_postgres = {"STUDIO_TEST_DATABASE": "postgres"}
        suites.append(Suite("PostgreSQL", words, environment=of_postgres))
    elif os.environ.get("STUDIO_REQUIRE_POSTGRES") == "1":
        print("PostgreSQL is required and its server programs are not installed.")
        total["failed"] += 1
    else:
        print("PostgreSQL is not installed: its tests are skipped.")
        total["skipped"] += 1
    with ThreadPoolExecutor(AT_ONCE) as pool:
        codes = list(pool.map(lambda suite: _pytest(suite, is_all, total), suites))
    codes.append(_node(total))
    print(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    if os.environ.get("STUDIO_REQUIRE_BROWSER") == "1" and total["skipped"]:
        print("A skipped test is a failure here (STUDIO_REQUIRE_BROWSER=1).")
        return 1
    return 1 if any(codes) or total["failed"] else 0


def _pytest(suite: Suite, is_all: bool, total: Counter[str]) -> int:
    print(f"== {suite.name} begins", flush=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report, output = Path(folder) / "report.xml", Path(folder) / "output.txt"
        marks = " and ".join(filter(None, (suite.marks, "" if is_all else "not long")))
        command = [sys.executable, "-m", "pytest", "-q", "--durations=40", *suite.words]
        command += ["-m", marks, f"--junitxml={report}"]
        with output.open("wb") as file:
            code = subprocess.run(
                command,
                cwd=ROOT,
                env=os.environ | suite.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
        with _printing:
            print(f"== {suite.name}: {time.monotonic() - begin:.0f} s", flush=True)
            print(output.read_text(errors="replace"), flush=True)
            if report.exists():
                _count(report, total)
    return code


def _count(report: Path, total: Counter[str]) -> None:
    for suite in ET.parse(report).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        total["failed"] += bad
        total["skipped"] += skipped
        total["passed"] += int(suite.get("tests", 0)) - bad - skipped


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
