"""The environment of a script: what it is given, and what of the studio it must never see."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from studio.env import OWN_THREADS
from studio.sdk.run import JOURNAL_VARIABLE, RUN_VARIABLE

_SECRET_PREFIXES: Final = ("STUDIO_", "DJANGO_", "RQ_", "REDIS_", "DATABASE_", "PG")
# Keys, and what keys are got with: a file with a token, the address of a container's keys.
_STORAGE_SECRETS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
)
_PROBE: Final = "import importlib.util as u, sys; sys.exit(u.find_spec('azureml') is None)"
# Below the length of a lease: nobody renews it meanwhile.
_PROBE_SECONDS: Final = 15
_REMEMBERED_SECONDS: Final = 3600
_ROOT: Final = Path(__file__).resolve().parent.parent


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
    """Return the worker's environment without anything of the studio's own.

    The studio finds its packages by PYTHONPATH; there they would shadow the user's. A script uses
    as many threads as it likes, whatever the studio allows itself.
    """
    own_threads = inherited.get(OWN_THREADS, "").split(",")
    withheld = own_threads
    if inherited.get("STUDIO_STORAGE_URL", "").strip().startswith("s3:"):
        # They open all files of all workspaces. A sweep or its target may set others.
        withheld = [*own_threads, *_STORAGE_SECRETS]
    kept = {
        name: value
        for name, value in inherited.items()
        if not name.startswith(_SECRET_PREFIXES) and name not in withheld
    }
    paths = kept.pop("PYTHONPATH", "").split(os.pathsep)
    own = [path for path in paths if path and Path(path).resolve() != _ROOT]
    return kept | ({"PYTHONPATH": os.pathsep.join(own)} if own else {})


def run_environment(
    *,
    run_id: str,
    token: str,
    studio_url: str,
    journal: Path,
    client: Path,
    python: str,
    extra: Mapping[str, str],
    mlflow_experiment: str = "",
) -> dict[str, str]:
    """Return the whole environment of a run; `extra` (the user's variables) may not replace ours.

    The client is appended to PYTHONPATH: nothing of the studio shadows the user's modules.
    """
    env = base_environment(os.environ) | {"PYTHONUNBUFFERED": "1"} | dict(extra)
    paths = [env.get("PYTHONPATH", ""), str(client)]
    if not has_azureml(python, memory=client.parent / "interpreters"):
        paths.append(str(client / "compat"))
    return env | {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        RUN_VARIABLE: run_id,
        JOURNAL_VARIABLE: str(journal),
        "STUDIO_RUN_TOKEN": token,
        "STUDIO_URL": studio_url,
        **_for_mlflow(env, run_id, token, studio_url, mlflow_experiment),
    }


def _for_mlflow(
    env: dict[str, str], run_id: str, token: str, url: str, experiment: str
) -> dict[str, str]:
    """Return what leads an MLflow client of the script to its run.

    Nothing where the studio's address is unknown, or the user's variables name another server.
    """
    if not url or env.get("MLFLOW_TRACKING_URI"):
        return {}
    # A name and a password would be sent instead of the token.
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        env.pop(name, None)
    return {
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_TRACKING_TOKEN": token,
        "MLFLOW_RUN_ID": run_id,
        "MLFLOW_EXPERIMENT_ID": experiment,
    }


def has_azureml(python: str, *, memory: Path) -> bool:
    """Tell whether an interpreter has the real `azureml` package.

    Asked once an hour per interpreter, since every run is a process of its own; what it said is a
    file in the folder `memory`.
    """
    if python == sys.executable:
        return importlib.util.find_spec("azureml") is not None
    found = shutil.which(python)
    if found is None:
        return True  # it cannot be asked; offering nothing shadows nothing
    # Not resolved: the interpreters of two virtual environments are links to one file.
    note = memory / hashlib.sha256(os.fsencode(Path(found).absolute())).hexdigest()[:16]
    try:
        if time.time() - note.stat().st_mtime < _REMEMBERED_SECONDS:
            return note.read_text() == "yes"
    except OSError:
        pass
    answer = _ask(found)
    memory.mkdir(parents=True, exist_ok=True)
    note.write_text("yes" if answer else "no")
    return answer


def _ask(python: str) -> bool:
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
        return True
    return done.returncode == 0
