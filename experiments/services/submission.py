"""Check everything about a specification before a sweep is made of it; writes nothing.

All ways in come through here: form, file, REST, `studio up`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User

from experiments.imports.build import NO_CODE
from experiments.models import ComputeTarget, Snapshot, Workspace
from experiments.problems import Problem, ProblemsError
from experiments.queries import find_snapshot
from experiments.queries.site_settings import Site, site
from experiments.services.quotas import quota_problems
from experiments.services.snapshots import file_names
from experiments.services.warm_start import find_lineage
from experiments.snapshot_rules import list_files
from experiments.spec import SweepSpec
from experiments.spec_azure import is_azure
from experiments.spec_files import FILE_FIELDS, check_script, readable_parts
from experiments.spec_limits import SpecLimits
from experiments.storable import is_storable, unstorable_texts
from experiments.storage.base import StorageError


@dataclass(slots=True)
class Checked:
    """What the checks found: the spec, where its files are, everything wrong, all warnings."""

    spec: SweepSpec | None = None
    compute: ComputeTarget | None = None
    snapshot: Snapshot | None = None
    directory: Path | None = None
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_submission(
    raw: Mapping[str, Any] | str,
    *,
    user: User,
    workspace: Workspace | None,
    base_directory: Path | None = None,
    snapshot_digest: str | None = None,
    allow_server_paths: bool = False,
) -> Checked:
    """Parse a specification and check compute target, files and script; collects every problem.

    The files are those of `snapshot_digest`, where `user` may read it, or, where
    `allow_server_paths`, the directory that `source_directory` names (from `base_directory` on).
    """
    checked, now = Checked(), site()
    try:
        checked.spec = SweepSpec.parse(
            raw, compute_targets=compute_names(workspace), limits=now.spec_limits
        )
        checked.warnings += [*checked.spec.warnings(), *_notices(now)]
        checked.problems += unstorable_texts(checked.spec.dump())
    except ProblemsError as error:
        checked.problems += error.problems
    if workspace is None:
        checked.problems.append(
            Problem("", "You are in no workspace, so there is nowhere to put the sweep.")
        )
    # The studio's own checks need little of a specification, so that a mistake elsewhere in it
    # hides none of their problems.
    wrong = {problem.path for problem in checked.problems}
    checked.problems += _too_much(raw, checked.spec, wrong, now.spec_limits)
    wanted = checked.spec or readable_parts(raw, wrong)
    if wanted is not None and workspace is not None and "compute" not in wrong:
        _add_compute(checked, wanted.compute, workspace)
    if wanted is not None and workspace is not None:
        found = find_lineage(wanted, workspace).problems
        found = [*found, *quota_problems(checked.spec, workspace)]
        checked.problems += [problem for problem in found if problem.path not in wrong]
    if wanted is not None and not wrong & FILE_FIELDS:
        digest = snapshot_digest or wanted.snapshot
        if digest is not None:
            checked.snapshot = find_snapshot(user, digest)
        _add_files(checked, wanted, base_directory, digest, allow_server_paths=allow_server_paths)
    return checked


def _too_much(
    raw: Mapping[str, Any] | str, spec: SweepSpec | None, wrong: set[str], limits: SpecLimits
) -> list[Problem]:
    """Return what is more than this studio allows, also where the specification is wrong."""
    if spec is not None:
        return limits.problems(spec.dump())
    if isinstance(raw, str) or is_azure(raw):
        return []
    return limits.problems({name: v for name, v in raw.items() if name not in wrong})


def _notices(now: Site) -> list[str]:
    """Return what keeps a new sweep from starting at once."""
    return [now.maintenance_note] if now.maintenance else []


def _add_compute(checked: Checked, name: str, workspace: Workspace) -> None:
    found = find_compute(name, workspace)
    if isinstance(found, Problem):
        checked.problems.append(found)
    else:
        checked.compute = found


def _add_files(
    checked: Checked,
    spec: SweepSpec,
    base_directory: Path | None,
    digest: str | None,
    *,
    allow_server_paths: bool,
) -> None:
    try:
        if digest is not None:
            names = _names_in_snapshot(checked, digest)
        elif allow_server_paths:
            names = _names_in_directory(checked, spec.source_directory or ".", base_directory)
        else:
            raise ProblemsError([Problem("snapshot", _NO_FILES)])
    except ProblemsError as error:
        checked.problems += error.problems
        return
    problem = check_script(spec, names)
    if problem is not None:
        checked.problems.append(problem)


def _names_in_snapshot(checked: Checked, digest: str) -> list[str]:
    if checked.snapshot is None:
        shown = digest if is_storable(digest) else ascii(digest)[1:-1]
        text = f'There is no snapshot "{shown}"; upload the source directory first.'
        raise ProblemsError([Problem("snapshot", text)])
    try:
        names = file_names(checked.snapshot)
    except StorageError as error:
        raise ProblemsError([Problem("snapshot", str(error))]) from error
    except (OSError, zipfile.BadZipFile) as error:
        text = f'The files of snapshot "{digest}" cannot be read ({error}); upload them again.'
        raise ProblemsError([Problem("snapshot", text)]) from error
    if names == [NO_CODE]:
        text = "The earlier sweep was imported without its code; choose the folder of yours."
        raise ProblemsError([Problem("snapshot", text)])
    return names


def _names_in_directory(
    checked: Checked, source_directory: str, base_directory: Path | None
) -> list[str]:
    try:
        source = Path(source_directory).expanduser()
    except RuntimeError as error:  # "~name" of nobody
        text = f'"{source_directory}" cannot be found: {error}'
        raise ProblemsError([Problem("source_directory", text)]) from error
    if not source.is_absolute() and base_directory is None:
        text = (
            f'"{source}" is relative, and it is not known to what; '
            "write the whole path of a directory on the studio's machine."
        )
        raise ProblemsError([Problem("source_directory", text)])
    directory = (base_directory / source if base_directory else source).resolve()
    checked.directory = directory
    return [file.name for file in list_files(directory)]


_NO_FILES: Final = (
    "The source directory is missing: upload it and name its id, "
    "or let an administrator name a directory on the studio's machine."
)


def compute_names(workspace: Workspace | None) -> list[str]:
    """Return the names of the targets that a workspace may use, those that take runs first."""
    usable = _usable_targets(workspace) if workspace is not None else []
    return [target.name for target in sorted(usable, key=lambda t: (not t.is_enabled, t.pk))]


def _usable_targets(workspace: Workspace) -> list[ComputeTarget]:
    return [
        target
        for target in ComputeTarget.objects.all()
        if target.workspace_id in (None, workspace.pk) and not target.is_simulated
    ]


def find_compute(name: str, workspace: Workspace) -> ComputeTarget | Problem:
    """Return the target of this name that a workspace may use, or what is wrong with it."""
    usable = _usable_targets(workspace)
    found = next((target for target in usable if target.name == name), None)
    if found is not None and found.is_enabled:
        return found
    if found is not None:
        return Problem("compute", f'"{name}" is disabled; choose another compute target.')
    names = sorted(target.name for target in usable if target.is_enabled)
    close = get_close_matches(name, names, n=1)
    hint = f' Did you mean "{close[0]}"?' if close else ""
    known = ", ".join(f'"{n}"' for n in names) or "none yet"
    return Problem("compute", f'There is no compute target "{name}"; there is {known}.{hint}')
