"""Checks what stands in the form, creating nothing, and shows it as YAML, JSON and program."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User

from experiments import queries
from experiments.forms.quick_fixes import quick_fixes
from experiments.forms.sampler_cards import sampler_cards
from experiments.forms.sweep_estimate import estimate_of
from experiments.forms.sweep_fields import (
    SweepFields,
    fields_from_raw,
    keep_scales,
    raw_from_fields,
)
from experiments.forms.sweep_problems import PlacedProblem, add_row_problems, place_problems
from experiments.forms.sweep_summary import summarize
from experiments.forms.warm_start import warm_start_offers
from experiments.forms.yaml_lines import line_of
from experiments.problems import Problem, ProblemsError
from experiments.services.snapshots import script_names
from experiments.services.submission import compute_names
from experiments.services.sweeps import check_spec
from experiments.snapshot_rules import list_files
from experiments.space.parsing import parse_expression
from experiments.spec import SweepSpec
from experiments.spec_azure import is_azure
from experiments.spec_export_python import python_program
from experiments.spec_yaml import dump_yaml, read_mapping

# What stays where YAML names no source of the code, and what YAML never names.
_SOURCE = ("code", "snapshot", "source_directory", "uploaded")
_OF_THE_PAGE = ("origin", "draft", "draft_version", "replay_from", "check", "check_seconds")
_NO_PROGRAM = "# The program stands here once the specification is right."
CHOOSE_ZIP = Problem("source_directory", "Choose a zip file, or another source of the code.")


@dataclass(frozen=True, slots=True)
class CheckedFields:
    """The fields with everything wrong about them and everything worth a second look."""

    fields: SweepFields
    problems: list[PlacedProblem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    spec: SweepSpec | None = None


def spec_from_fields(fields: SweepFields) -> tuple[dict[str, Any], str | None]:
    """Return the specification to submit, and the digest of the snapshot with its code."""
    raw = raw_from_fields(fields)
    digest = raw.pop("snapshot", None)
    if fields.get("code") == "snapshot":
        return raw, str(digest or "")
    # What a check has stored of the chosen zip.
    uploaded = fields.get("uploaded") if fields.get("code") == "upload" else ""
    return raw, uploaded or None


def check_fields(fields: SweepFields, user: User, *, has_upload: bool = False) -> CheckedFields:
    """Check the fields as a submission would; a zip that is still to be sent counts as given."""
    raw, digest = spec_from_fields(fields)
    spec, problems, warnings = check_spec(
        raw,
        user=user,
        workspace=queries.current_workspace(user),
        snapshot_digest=digest,
        allow_server_paths=queries.is_administrator(user) and fields.get("code") == "folder",
    )
    if fields.get("code") == "upload" and digest is None:
        problems = [p for p in problems if p.path not in ("snapshot", "source_directory")]
        problems += [] if has_upload else [CHOOSE_ZIP]
    problems = add_row_problems(problems, fields)
    # Those of single parameters stand at their rows.
    of_rows = spec.space.warnings() if spec else []
    if spec is not None and digest:
        spec = spec.model_copy(update={"snapshot": digest})
    return CheckedFields(
        fields,
        place_problems(problems, fields),
        [warning for warning in warnings if warning not in of_rows],
        spec,
    )


def read_yaml(text: str, before: SweepFields, user: User) -> CheckedFields:
    """Turn YAML into fields; what cannot be read leaves the fields as they were `before`.

    The source of the code is kept from `before` where the YAML names none.
    """
    try:
        raw = _native(read_mapping(text), user)
    except ProblemsError as error:
        problems = [_with_line(PlacedProblem(p.path, p.message, ""), text) for p in error.problems]
        return CheckedFields(before, problems)
    fields = keep_scales(fields_from_raw(raw), before)
    fields = fields.with_texts(**{key: before.get(key) for key in _OF_THE_PAGE if before.get(key)})
    if "snapshot" not in raw and "source_directory" not in raw:
        source = {key: before.get(key) for key in _SOURCE}
        fields = fields.with_texts(**source)
    return CheckedFields(fields)


def check_json(fields: SweepFields, user: User, *, has_upload: bool) -> dict[str, Any]:
    """Return everything that the browser shows about these fields."""
    checked = check_fields(fields, user, has_upload=has_upload)
    estimate = estimate_of(fields, user)
    ready = f"Ready. {fields.get('max_total_runs').strip()} runs on {fields.get('compute')}."
    return panel_json(fields) | {
        "problems": [problem.as_json() for problem in checked.problems],
        "warnings": checked.warnings,
        "scripts": scripts_of(fields, user),
        "ready": ready,
        "python": python_program(checked.spec) if checked.spec else _NO_PROGRAM,
        "estimate": estimate.text,
        "waits": estimate.waits,
        "offers": asdict(warm_start_offers(fields, user)),
        "fits": [
            {
                "name": card.name,
                "text": card.fit_text,
                "is_fit": card.is_fit,
                "advice": card.advice,
            }
            for card in sampler_cards(fields)
        ],
        "fixes": [asdict(fix) for fix in quick_fixes(fields)],
    }


def check_yaml_json(
    text: str, before: SweepFields, user: User, *, has_upload: bool
) -> dict[str, Any]:
    """Return the same for edited YAML, with the fields it stands for and lines of problems.

    YAML that cannot be read gives only the problems.
    """
    read = read_yaml(text, before, user)
    if read.problems:
        return {"problems": [p.as_json() | {"unreadable": True} for p in read.problems]}
    reply = check_json(read.fields, user, has_upload=has_upload)
    for problem in reply["problems"]:
        problem["line"] = line_of(text, problem["path"])
    rows = [asdict(row) for row in read.fields.rows]
    return reply | {"fields": {"texts": dict(read.fields.texts), "rows": rows}}


def yaml_of(fields: SweepFields) -> str:
    """Return the specification that the fields describe as YAML."""
    return dump_yaml(_brief(raw_from_fields(fields)))


def panel_json(fields: SweepFields) -> dict[str, Any]:
    """Return what the panel beside the form shows."""
    raw = _brief(raw_from_fields(fields))
    return {
        "yaml": dump_yaml(raw),
        "json": json.dumps(raw, indent=2, ensure_ascii=False),
        "summary": [asdict(entry) for entry in summarize(fields)],
    }


def scripts_of(fields: SweepFields, user: User) -> list[str]:
    """Return the Python files of the chosen code, for the script field to suggest."""
    try:
        if fields.get("code") == "snapshot":
            snapshot = queries.find_snapshot(user, fields.get("snapshot"))
            return script_names(snapshot) if snapshot else []
        if fields.get("code") == "folder" and queries.is_administrator(user):
            folder = Path(fields.get("source_directory").strip()).expanduser()
            names = [file.name for file in list_files(folder)] if folder.is_absolute() else []
            return [name for name in names if name.endswith(".py")]
    except (OSError, ValueError, ProblemsError, zipfile.BadZipFile):
        # Only suggestions: what is wrong with the code is said by the check.
        return []
    return []


def _brief(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the specification with every right expression on one line, as people write it."""
    space = {name: _expression_text(value) for name, value in raw["search_space"].items()}
    return raw | {"search_space": space}


def _expression_text(value: Mapping[str, Any]) -> Any:
    try:
        return parse_expression(value, "").to_text()
    except ProblemsError:
        return value


def _native(raw: Mapping[Any, Any], user: User) -> Mapping[str, Any]:
    """Return a specification in our own keys: a job file of Azure ML v2 is translated.

    Raises:
        ProblemsError: the job file is wrong.
    """
    if is_azure(raw):
        names = compute_names(queries.current_workspace(user))
        return SweepSpec.parse(raw, compute_targets=names).brief()
    return {str(key): value for key, value in raw.items()}


def _with_line(problem: PlacedProblem, text: str) -> PlacedProblem:
    return replace(problem, line=line_of(text, problem.path))
