"""What a start of the studio does before its processes start: database, files, first things.

In a process of its own, which opens the database and ends; prints one JSON object. Everything here
may run again and again.
"""

from __future__ import annotations

import json
import os
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")
django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from experiments.database_version import refusal, unknown_migrations
from experiments.models import Sweep
from experiments.problems import ProblemsError
from experiments.services import access, setup, sweeps
from experiments.services.relocation import follow_storage
from experiments.storage.base import StorageError
from experiments.storage.chosen import storage
from studio.storage import static_fingerprint

_TOKEN_NAME: Final = "Command line on this machine"  # noqa: S105 - a label
_LINK_LIFE: Final = timedelta(hours=24)


class _NewerDatabaseError(Exception):
    """This code is older than the database."""


def main(*, with_example: bool) -> int:
    """Prepare and print what `studio up` shows; 1 when the database cannot be used."""
    try:
        _migrate()
    except DatabaseError as error:
        text = " ".join(str(error).split()).rstrip(".")
        print(json.dumps({"error": f"The database does not answer: {text}."}))
        return 1
    except _NewerDatabaseError as error:
        print(json.dumps({"refusal": str(error)}))
        return 1
    _collect_static()
    defaults = setup.ensure_defaults()
    administrator = setup.first_administrator()
    result: dict[str, Any] = {"sign_in": None, "remarks": []}
    if moved := follow_storage():
        result["remarks"].append(f"The files of {moved} runs were found in their new place.")
    result["remarks"] += _check_storage()
    if administrator is not None:
        _keep_cli_token(administrator)
        result["sign_in"] = access.make_sign_in_link(administrator, life=_LINK_LIFE)
        if with_example:
            result["remarks"] += _submit_example(administrator, defaults.workspace)
    print(json.dumps(result))
    return 0


def _migrate() -> None:
    executor = MigrationExecutor(connection)
    if unknown := unknown_migrations(executor.loader):
        raise _NewerDatabaseError(refusal(unknown))
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


def _collect_static() -> None:
    stamp = Path(settings.STATIC_ROOT) / ".fingerprint"
    fingerprint = static_fingerprint()
    if stamp.exists() and stamp.read_text() == fingerprint:
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(fingerprint)


def _check_storage() -> list[str]:
    """Return what is wrong with a bucket. The studio starts: runs can go on without it."""
    try:
        if not storage().is_local:
            storage().check()
    except StorageError as error:
        return [str(error), "Files stay on this disk until it can; `studio doctor` looks again."]
    return []


def _keep_cli_token(administrator: Any) -> None:
    path = settings.STUDIO_HOME / "cli-token"
    if path.exists() and access.find_api_token(path.read_text().strip()) is not None:
        return
    _, plain = access.make_api_token(administrator, name=_TOKEN_NAME, scope="admin")
    descriptor = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(plain)


def _submit_example(administrator: Any, workspace: Any) -> list[str]:
    """Submit the example sweep of a fresh studio once; return what to tell about it."""
    marker = settings.STUDIO_HOME / "example-submitted"
    has_scikit_learn = find_spec("sklearn") is not None
    folder = (
        Path(settings.BASE_DIR) / "examples" / ("digits-mlp" if has_scikit_learn else "no-library")
    )
    # A database that is shared, or older than this data folder, has its sweeps already.
    if marker.exists() or Sweep.objects.exists() or not folder.is_dir():
        return []
    try:
        sweep, _ = sweeps.submit_spec(
            (folder / "sweep.yaml").read_text(),
            owner=administrator,
            workspace=workspace,
            base_directory=folder,
            allow_server_paths=True,
        )
    except ProblemsError as error:
        problems = "; ".join(problem.message for problem in error.problems)
        return [f"The example {folder.name} was not submitted: {problems}"]
    marker.write_text(f"{sweep.public_id}\n")
    remarks = [f"A first sweep runs  {sweep.name}"]
    if not has_scikit_learn:
        remarks.append("scikit-learn is not installed, so it is the example that needs nothing.")
    return remarks
