"""Run every suite and close with one line of counts: SQLite, browser, PostgreSQL, JavaScript.

Started by `make test` (`python -m tests.everything --lint`), and by `make test-all` with `--all`:
then with those marked `long`, and every page on both databases. Tests mostly wait for real
processes, so suites run side by side, each with servers of its own, and the linters beside them;
what one says is printed when it ends. What a linter finds ends the rest.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.hosts import can_make_hosts
from tests.memory_groups import can_limit_memory
from tests.servers import Postgres

ROOT = Path(__file__).resolve().parent.parent
# Whole studios, browsers and other machines: as long as all the rest.
LIVE_SUITE = "tests/e2e"
# Of them those that make network interfaces.
MACHINES = "tests/e2e/test_other_machines.py"
# Requests without a server: half of what needs no live studio.
PAGES = ("tests/web", "tests/authorisation", "tests/security")
# What touches the database is tested on both; the rest does not care.
DATABASE_SUITES = ("tests/services", "tests/live", "tests/runner", "tests/web")
# Who may do what, hundreds of times, forms, specifications as text, files, simulations: the same
# rows whatever database they come from.
_PAGES_ONCE = (
    "account account_pages admin admin_actions admin_dashboard api_access api_docs api_errors "
    "api_fuzz best_page best_run_golden capsule chart_data check_first checks compute_page "
    "compute_settings equal_budget form_bayesian live_sweep_pages model_panel notebook_model "
    "notes notification_pages oidc pages_base password_reset policy_replay readings ready "
    "receipts relations request_log run_page run_why script_facts sdk_results sessions "
    "share_links sign_in_pauses sign_up site_settings spec_round_trip sweep_documents "
    "sweep_drafts sweep_exports sweep_form sweep_form_sources sweep_insights sweep_marks "
    "sweep_within tokens_pages trash_pages warm_start_pages workspace_pages wrong_specs"
)
ONCE = (
    *[f"tests/web/test_{name}.py" for name in _PAGES_ONCE.split()],
    "tests/services/test_bucket.py",
    "tests/services/test_comparison.py",
    "tests/runner/test_simulate_command.py",
    "tests/runner/test_simulation.py",
    "tests/runner/test_interpreter.py",
)
# More failures than these are no accident of a busy machine.
MOST_REPEATED = 5
BAD = ("failure", "error")

_printing = threading.Lock()
_running: set[int] = set()
_is_over = threading.Event()


@dataclass(frozen=True)
class Suite:
    """Tests that one process runs: of these folders, with these marks; `after` another one."""

    name: str
    words: list[str]
    marks: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    after: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a suite ended: exit code of pytest, what was counted, failed tests with their errors."""

    suite: Suite
    code: int
    counts: Counter[str]
    failed: dict[str, str]
    passed_later: dict[str, str] = field(default_factory=dict)


def main() -> int:
    """Run everything; 0 when nothing failed and nothing that is required was skipped."""
    total: Counter[str] = Counter()
    is_all = "--all" in sys.argv[1:]
    if not can_make_hosts():
        print("Network namespaces cannot be made here: the tests of other machines are left out.")
    if not can_limit_memory():
        print("Memory cannot be limited here: the tests of kills for lack of it are left out.")
    # Hundreds of processes start here, and each would compile all modules anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        found, is_clean = _side_by_side(_suites(is_all, total), is_all, Path(folder))
        if not is_clean:
            return 1
        outcomes = [_repeated(outcome, is_all, Path(folder)) for outcome in found]
    for outcome in outcomes:
        total += outcome.counts
    codes = [outcome.code for outcome in outcomes] + [_node(total)]
    for outcome in outcomes:
        for name, error in outcome.passed_later.items():
            print(f"PASSED ONLY WHEN REPEATED ({outcome.suite.name}) {name}: {error}")
        for name, error in outcome.failed.items():
            print(f"FAILED ({outcome.suite.name}) {name}: {error}")
    print(f"\n{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    if os.environ.get("STUDIO_REQUIRE_BROWSER") == "1" and total["skipped"]:
        print("A skipped test is a failure here (STUDIO_REQUIRE_BROWSER=1).")
        return 1
    return 1 if any(codes) or total["failed"] else 0


def _side_by_side(suites: list[Suite], is_all: bool, folder: Path) -> tuple[list[Outcome], bool]:
    """Return how the suites ended, and whether the linters found nothing."""
    begun: dict[str, Future[Outcome]] = {}

    def run(suite: Suite) -> Outcome:
        if suite.after:
            begun[suite.after].result()
        if _is_over.is_set():
            return Outcome(suite, 1, Counter(), {})
        return _pytest(suite, is_all, folder)

    with ThreadPoolExecutor(len(suites) + 1) as pool:
        for suite in suites:
            begun[suite.name] = pool.submit(run, suite)
        is_clean = "--lint" not in sys.argv[1:] or _lint(folder)
        if not is_clean:
            _is_over.set()
            for pid in list(_running):
                os.kill(pid, signal.SIGINT)
        return [one.result() for one in begun.values()], is_clean


def _lint(folder: Path) -> bool:
    kept = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    words = ["make", "-s", "lint", f"VENV={sys.prefix}", "-o", f"{sys.prefix}/.installed-dev"]
    return _run("linters", words, kept, folder / "lint.txt") == 0


def _suites(is_all: bool, total: Counter[str]) -> list[Suite]:
    suites = [
        Suite("browsers", [LIVE_SUITE], "browser"),
        Suite("pages", [*PAGES]),
        Suite("SQLite", [f"--ignore={folder}" for folder in (LIVE_SUITE, *PAGES)]),
        Suite("whole studios", [LIVE_SUITE, f"--ignore={MACHINES}"], "not browser"),
    ]
    if Postgres.binaries() is not None:
        words = [*DATABASE_SUITES, *([] if is_all else (f"--deselect={name}" for name in ONCE))]
        of_postgres = {"STUDIO_TEST_DATABASE": "postgres"}
        suites.append(Suite("PostgreSQL", words, environment=of_postgres, after="browsers"))
    elif os.environ.get("STUDIO_REQUIRE_POSTGRES") == "1":
        print("PostgreSQL is required and its server programs are not installed.")
        total["failed"] += 1
    else:
        print("PostgreSQL is not installed: its tests are skipped.")
        total["skipped"] += 1
    if can_make_hosts() and Postgres.binaries() is not None:
        # Browsers drop what they load when an interface comes up.
        suites.append(Suite("other machines", [MACHINES], "not browser", after="browsers"))
    return suites


def _pytest(suite: Suite, is_all: bool, folder: Path, *more: str) -> Outcome:
    report = folder / f"{suite.name}.xml"
    report.unlink(missing_ok=True)
    marks = " and ".join(filter(None, (suite.marks, "" if is_all else "not long")))
    command = [sys.executable, "-m", "pytest", "-q", "--durations=40", *suite.words, *more]
    command += ["-m", marks, f"--junitxml={report}", "-o", f"cache_dir={folder / suite.name}"]
    environment = os.environ | suite.environment
    code = _run(suite.name, command, environment, folder / f"{suite.name}.txt")
    counts, failed = _count(report) if report.exists() else (Counter(), {})
    return Outcome(suite, code, counts, failed)


def _run(name: str, command: list[str], environment: dict[str, str], output: Path) -> int:
    """Run a program to its end, then print what it said; return its exit code."""
    print(f"== {name} begins", flush=True)
    begin = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
        _running.add(process.pid)
        # With what it and all that it waited for took of the processors.
        _, status, usage = os.wait4(process.pid, 0)
        _running.discard(process.pid)
    code = process.returncode = os.waitstatus_to_exitcode(status)
    took, worked = time.monotonic() - begin, usage.ru_utime + usage.ru_stime
    with _printing:
        print(f"== {name}: {took:.0f} s, {worked:.0f} s of a processor", flush=True)
        print(output.read_text(errors="replace"), flush=True)
    return code


def _repeated(outcome: Outcome, is_all: bool, folder: Path) -> Outcome:
    """Try a few failed tests once more, alone, when the machine has nothing else to do.

    Tests of real processes wait for them with limits, and three suites share the machine. What
    fails twice is an error; what passes then is named, so that nobody takes it for a sound test.
    """
    if not 0 < len(outcome.failed) <= MOST_REPEATED:
        return outcome
    words = ("--last-failed", "--last-failed-no-failures=none")
    again = _pytest(outcome.suite, is_all, folder, *words)
    passed = {name: error for name, error in outcome.failed.items() if name not in again.failed}
    mended = len(passed)
    counts = outcome.counts + Counter(passed=mended) - Counter(failed=mended)
    return Outcome(outcome.suite, again.code, counts, again.failed, passed)


def _count(report: Path) -> tuple[Counter[str], dict[str, str]]:
    counts: Counter[str] = Counter()
    failed = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        bad = next((case.find(tag) for tag in BAD if case.find(tag) is not None), None)
        state = (
            "failed"
            if bad is not None
            else "skipped"
            if case.find("skipped") is not None
            else "passed"
        )
        counts[state] += 1
        if bad is not None:
            error = " ".join(bad.get("message", "").split())[:300]
            failed[f"{case.get('classname')}::{case.get('name')}"] = error
    return counts, failed


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
