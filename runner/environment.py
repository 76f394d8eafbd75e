"""The environment of a script: what it is given, and what of the studio it must never see."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from studio.sdk.run import JOURNAL_VARIABLE, RUN_VARIABLE

_SECRET_PREFIXES: Final = ("STUDIO_", "DJANGO_", "RQ_", "REDIS_", "DATABASE_", "PG")
_PROBE: Final = "import importlib.util as u, sys; sys.exit(u.find_spec('azureml') is None)"
_PROBE_SECONDS: Final = 60


def studio_url(home: Path) -> str:
    """Return where the studio answers: STUDIO_URL, or what `studio up` noted; "" when unknown."""
    given = os.environ.get("STUDIO_URL", "").strip()
    if given:
        return given
    try:
        return str(json.loads((home / "address.json").read_text())["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def base_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the worker's environment without anything of the studio's own."""
    return {
        name: value for name, value in inherited.items() if not name.startswith(_SECRET_PREFIXES)
    }


def run_environment(
    *,
    run_id: str,
    token: str,
    studio_url: str,
    journal: Path,
    client: Path,
    python: str,
    extra: Mapping[str, str],
) -> dict[str, str]:
    """Return the whole environment of a run; `extra` (the user's variables) may not replace ours.

    The client is appended to PYTHONPATH: nothing of the studio shadows the user's modules.
    """
    env = base_environment(os.environ) | {"PYTHONUNBUFFERED": "1"} | dict(extra)
    paths = [env.get("PYTHONPATH", ""), str(client)]
    if not has_azureml(python):
        paths.append(str(client / "compat"))
    return env | {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        RUN_VARIABLE: run_id,
        JOURNAL_VARIABLE: str(journal),
        "STUDIO_RUN_TOKEN": token,
        "STUDIO_URL": studio_url,
    }


@lru_cache(maxsize=32)
def has_azureml(python: str) -> bool:
    """Tell whether an interpreter has the real `azureml` package; asked once per interpreter."""
    try:
        done = subprocess.run(  # noqa: S603 - a list of words, no shell
            [python, "-c", _PROBE],
            env=base_environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return True  # it cannot be asked; offering nothing shadows nothing
    return done.returncode == 0
