"""The interpreter and the variables of scripts on this machine, and what that interpreter is.

A machine may have its own (`studio worker --python`, `--env`), which come before those of its
compute target. The values arrive in variables that no script sees.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Final

from experiments.services.compute import Interpreter, Wanted, note_interpreter, wanted_of
from runner.environment import base_environment
from studio import env

# A worker gives its sign of life every few seconds, and this stands in between.
_ANSWER_SECONDS: Final = 5
# Interpreters are removed and upgraded behind our back.
_LOOK_SECONDS: Final = 300.0


def own_python() -> str:
    """Return the interpreter that this machine sets itself; "" when it does not."""
    return env.text(env.WORKER_PYTHON)


def own_environment() -> dict[str, str]:
    """Return the variables that this machine sets itself."""
    found: dict[str, str] = json.loads(env.text(env.WORKER_ENVIRONMENT) or "{}")
    return found


def choose_python(compute_python: str) -> str:
    """Return what `python` means here: this machine's, the target's, or the worker's own."""
    return own_python() or compute_python or sys.executable


class InterpreterWatch:
    """Tells the studio what the scripts of one worker run with, whenever that changes."""

    def __init__(self, worker_name: str) -> None:
        self._worker_name = worker_name
        self._known: Wanted | None = None
        self._again_at = 0.0

    def look(self) -> None:
        """Ask the interpreter for its version when it is another one, or when somebody asked."""
        wanted = wanted_of(self._worker_name)
        is_due = time.monotonic() >= self._again_at
        if wanted is None or (wanted == self._known and not is_due):
            return
        self._known, self._again_at = wanted, time.monotonic() + _LOOK_SECONDS
        python = choose_python(wanted.python)
        environment = {**wanted.environment, **own_environment()}
        version, problem = ask_version(python, environment)
        found = Interpreter(python, version, problem, is_own=bool(own_python()))
        note_interpreter(self._worker_name, found, wanted.asked_at)


def ask_version(python: str, variables: Mapping[str, str]) -> tuple[str, str]:
    """Return what `python --version` says with these variables, and what is wrong with it."""
    environment = base_environment(os.environ) | dict(variables)
    # As the guard of a script finds it.
    found = shutil.which(python, path=environment.get("PATH"))
    if found is None:
        where = "does not exist there, or is no program" if "/" in python else "is not on the PATH"
        return "", f"{python} {where}."
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, no shell
            [found, "--version"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"{found} --version gave no answer for {_ANSWER_SECONDS} s."
    except OSError as error:
        return "", f"{found} cannot be started: {error.strerror}."
    said = (done.stdout.strip() or done.stderr.strip()).splitlines()
    text = _without(said[-1 if done.returncode else 0] if said else "", variables)
    if done.returncode:
        return "", f"{found} --version ended with exit code {done.returncode}: {text[:200]}"
    return text[:80], ""


def _without(text: str, variables: Mapping[str, str]) -> str:
    # A loader may repeat a variable in its complaint, and it may be a secret.
    for value in variables.values():
        text = text.replace(value, "…") if len(value) > 3 else text
    return "".join(c for c in text if c.isprintable())
