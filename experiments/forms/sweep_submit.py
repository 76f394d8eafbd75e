"""Submits the form: the one place where it creates something."""

from __future__ import annotations

from typing import IO, Any

from django.contrib.auth.models import User

from experiments import queries
from experiments.forms.sweep_check import CHOOSE_ZIP, spec_from_fields
from experiments.forms.sweep_fields import SweepFields
from experiments.forms.sweep_problems import add_row_problems
from experiments.models import Sweep
from experiments.problems import Problem, ProblemsError
from experiments.services.snapshots import snapshot_zip
from experiments.services.sweeps import check_spec, submit_spec
from experiments.snapshot_rules import check_zip

_SOURCE_PATHS = ("snapshot", "source_directory")


def submit_fields(fields: SweepFields, user: User, *, upload: IO[bytes] | None) -> Sweep:
    """Create the sweep that the fields describe; an uploaded zip is stored first.

    Raises:
        ProblemsError: everything that is wrong; no sweep and no snapshot was created.
    """
    raw, digest = spec_from_fields(fields)
    workspace = queries.current_workspace(user)
    options: dict[str, Any] = {
        "workspace": workspace,
        "allow_server_paths": user.is_superuser and fields.get("code") == "folder",
    }
    problems = add_row_problems([], fields)
    if fields.get("code") == "upload":
        problems = add_row_problems(
            _problems_before_upload(raw, upload, {**options, "user": user}), fields
        )
        if not problems and upload is not None and workspace is not None:
            digest = snapshot_zip(upload, workspace=workspace).digest
    elif problems:
        found = check_spec(raw, user=user, snapshot_digest=digest, **options)[1]
        problems = add_row_problems(found, fields)
    if problems:
        raise ProblemsError(problems)
    sweep, _ = submit_spec(raw, owner=user, snapshot_digest=digest, **options)
    return sweep


def _problems_before_upload(
    raw: dict[str, Any], upload: IO[bytes] | None, options: dict[str, Any]
) -> list[Problem]:
    """Return what can be said before the zip is stored: about the fields and about the zip."""
    found = [p for p in check_spec(raw, **options)[1] if p.path not in _SOURCE_PATHS]
    if upload is None:
        return [*found, CHOOSE_ZIP]
    try:
        names = check_zip(upload)
    except ProblemsError as error:
        return found + [Problem("source_directory", p.message) for p in error.problems]
    upload.seek(0)
    script = raw.get("script")
    if script and script not in names:
        known = ", ".join(name for name in names if name.endswith(".py")) or "no Python file"
        found.append(Problem("script", f'"{script}" is not in the zip, which has {known}.'))
    return found
