"""Submits the form, or checks it with one run first: where it creates something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

from django.contrib.auth.models import User

from experiments import queries
from experiments.forms.codecs import parse_number
from experiments.forms.sweep_check import CHOOSE_ZIP, spec_from_fields
from experiments.forms.sweep_fields import SweepFields
from experiments.forms.sweep_problems import add_row_problems
from experiments.models import Sweep
from experiments.problems import Problem, ProblemsError
from experiments.services.check_run import DEFAULT_SECONDS, seconds_problems, start_check
from experiments.services.snapshots import snapshot_zip
from experiments.services.sweeps import check_spec, submit_spec
from experiments.snapshot_rules import check_zip

_SOURCE_PATHS = ("snapshot", "source_directory")


def submit_fields(fields: SweepFields, user: User, *, upload: IO[bytes] | None) -> Sweep:
    """Create the sweep that the fields describe; an uploaded zip is stored first.

    Raises:
        ProblemsError: everything that is wrong; no sweep and no snapshot was created.
    """
    raw, options = _ready(fields, user, upload)
    return submit_spec(raw, owner=user, **options)[0]


def check_first(fields: SweepFields, user: User, *, upload: IO[bytes] | None) -> Sweep:
    """Start the check of the sweep that the fields describe; return what it is followed by.

    Raises:
        ProblemsError: as `submit_fields`, and for a wrong time limit.
    """
    seconds = parse_number(fields.get("check_seconds"))
    seconds = DEFAULT_SECONDS if seconds is None else seconds
    wrong = [Problem("check_seconds", p.message) for p in seconds_problems(seconds)]
    raw, options = _ready(fields, user, upload, wrong)
    return start_check(raw, owner=user, seconds=seconds, **options)[0]


def _ready(
    fields: SweepFields, user: User, upload: IO[bytes] | None, wrong: Sequence[Problem] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the specification and where its files are, with a new zip stored.

    Raises:
        ProblemsError: what is wrong before that, `wrong` included; nothing was stored.
    """
    raw, digest = spec_from_fields(fields)
    workspace = queries.current_workspace(user)
    options: dict[str, Any] = {
        "workspace": workspace,
        "allow_server_paths": queries.is_administrator(user) and fields.get("code") == "folder",
    }
    found: list[Problem] = []
    # A zip that a check has stored already is not sent again; a new one replaces it.
    is_new = fields.get("code") == "upload" and (upload is not None or digest is None)
    if is_new:
        found = _problems_before_upload(raw, upload, {**options, "user": user})
    elif wrong or add_row_problems([], fields):
        found = check_spec(raw, user=user, snapshot_digest=digest, **options)[1]
    if problems := add_row_problems([*found, *wrong], fields):
        raise ProblemsError(problems)
    if is_new and upload is not None and workspace is not None:
        digest = snapshot_zip(upload, workspace=workspace).digest
    return raw, {**options, "snapshot_digest": digest}


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
