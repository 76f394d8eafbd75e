"""What the form says about the chosen script: arguments to tune, metrics it logs, names it lacks.

The script is read, never run. A zip that is still to be sent is opened in the browser, which
sends the text of the script alone.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final

from django.contrib.auth.models import User

from experiments import queries
from experiments.forms.codecs import format_number, format_values
from experiments.forms.sweep_fields import SpaceRow, SweepFields, row_names
from experiments.problems import ProblemsError
from experiments.script_reader import MAX_BYTES, ScriptArgument, ScriptFacts, read_script
from experiments.script_rows import suggest_expression
from experiments.services.snapshots import snapshot_path
from experiments.snapshot_rules import list_files
from experiments.spec_command import split_command

_MAX_HELP: Final = 200
_BROKEN_ZIP: Final = (zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True, slots=True)
class OfferedRow:
    """A row of the search space that one click adds."""

    name: str
    kind: str
    help: str
    type: str
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class ScriptAdvice:
    """Everything about the script that the form shows; `undeclared` by the number of its row."""

    script: str = ""
    problem: str = ""
    offered: list[OfferedRow] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    undeclared: dict[int, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what the browser shows."""
        return asdict(self)


def advise_on_script(
    fields: SweepFields, user: User, *, sent: IO[bytes] | None = None
) -> ScriptAdvice:
    """Return what the script that the fields name says; `sent` is its text from the browser."""
    name = script_of(fields)
    if not name:
        return ScriptAdvice()
    try:
        source = sent.read(MAX_BYTES + 1) if sent else _stored_source(fields, user, name)
    except (OSError, ValueError, LookupError, RuntimeError, ProblemsError, *_BROKEN_ZIP):
        # What is wrong with the code is said by the check.
        source = None
    if source is None:
        return ScriptAdvice(script=name)
    facts = read_script(source)
    names = row_names(fields.rows)
    return ScriptAdvice(
        script=name,
        problem=facts.problem,
        offered=_offered(facts, names),
        metrics=list(facts.metrics),
        undeclared=_undeclared(facts, fields, names),
    )


def add_found_row(fields: SweepFields, user: User, name: str) -> SweepFields:
    """Return the fields with the offered row of this name; an empty row gives its place."""
    offered = advise_on_script(fields, user).offered
    rows = [SpaceRow(row.name, row.type, row.texts) for row in offered if row.name == name]
    kept = fields.rows if not rows else tuple(row for row in fields.rows if row.name)
    return replace(fields, rows=(*kept, *rows))


def script_of(fields: SweepFields) -> str:
    """Return the Python file that will run: the script, or the first one in the command."""
    if fields.get("entry") != "command":
        name = fields.get("script").strip()
        return name.removeprefix("./") if name.endswith(".py") else ""
    try:
        words = split_command(fields.get("command"))
    except ValueError:
        return ""
    return next((word.removeprefix("./") for word in words if word.endswith(".py")), "")


def _stored_source(fields: SweepFields, user: User, name: str) -> bytes | None:
    """Return the script as it lies in the snapshot or folder; None where it cannot be seen."""
    if fields.get("code") == "snapshot":
        snapshot = queries.find_snapshot(user, fields.get("snapshot"))
        if snapshot is None:
            return None
        with zipfile.ZipFile(snapshot_path(snapshot)) as archive, archive.open(name) as file:
            return file.read(MAX_BYTES + 1)
    if fields.get("code") == "folder" and queries.is_administrator(user):
        folder = Path(fields.get("source_directory").strip()).expanduser()
        # Only what a submission would copy is read: nothing outside, nothing ignored.
        files = list_files(folder) if folder.is_absolute() else []
        path = next((file.path for file in files if file.name == name), None)
        if path is not None:
            with path.open("rb") as file:
                return file.read(MAX_BYTES + 1)
    return None


def _offered(facts: ScriptFacts, names: list[str]) -> list[OfferedRow]:
    taken = {name.removeprefix("--") for name in names}
    found = []
    for argument in facts.arguments:
        suggested = suggest_expression(argument)
        own_names = {option.lstrip("-") for option in argument.options}
        if suggested is None or own_names & taken:
            continue
        texts = {
            key: format_values(value) if key == "values" else format_number(value)
            for key, value in suggested.items()
            if key != "type"
        }
        kind = _kind_text(argument)
        found.append(
            OfferedRow(
                argument.name, kind, argument.help[:_MAX_HELP], str(suggested["type"]), texts
            )
        )
    return found


def _kind_text(argument: ScriptArgument) -> str:
    kind = "choice" if argument.choices else argument.type
    default = argument.default
    return f"{kind} = {format_number(default)}".strip() if default is not None else kind


def _undeclared(facts: ScriptFacts, fields: SweepFields, names: list[str]) -> dict[int, str]:
    # A command writes the options itself.
    if fields.get("entry") == "command":
        return {}
    said = {number: facts.undeclared(name) for number, name in enumerate(names) if name}
    return {number: text for number, text in said.items() if text}
