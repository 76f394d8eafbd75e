"""A specification as text for elsewhere: YAML, JSON, a Python program, an Azure ML v2 job.

Pure. YAML and JSON say everything and are read back unchanged; the others name what they cannot
say in comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from experiments.spec import SweepSpec
from experiments.spec_export_azure import azure_job
from experiments.spec_export_python import python_program

_UNFIT: Final = re.compile(r"[^\w.-]+")
_MAX_NAME: Final = 80


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """One way to write a specification; `ending` is that of its files."""

    name: str
    label: str
    help: str
    ending: str
    content_type: str
    write: Callable[[SweepSpec], str]


@dataclass(frozen=True, slots=True)
class ExportedSpec:
    """A specification in one format."""

    format: ExportFormat
    file_name: str
    text: str


def _json(spec: SweepSpec) -> str:
    return json.dumps(spec.brief(), indent=2, ensure_ascii=False) + "\n"


EXPORT_FORMATS: Final[dict[str, ExportFormat]] = {
    made.name: made
    for made in (
        ExportFormat(
            "yaml",
            "YAML",
            "For a file, the form or studio submit.",
            ".yaml",
            "application/yaml",
            SweepSpec.dump_yaml,
        ),
        ExportFormat(
            "json", "JSON", "For POST /api/v1/sweeps.", ".json", "application/json", _json
        ),
        ExportFormat(
            "python",
            "Python",
            "A program that submits the sweep with studio.sdk.",
            ".py",
            "text/x-python",
            python_program,
        ),
        ExportFormat(
            "azure",
            "Azure ML",
            "A sweep job of Azure ML v2; it can be read here as well.",
            ".azure.yaml",
            "application/yaml",
            azure_job,
        ),
    )
}


def export_spec(spec: SweepSpec, format_name: str) -> ExportedSpec:
    """Return a specification in one of `EXPORT_FORMATS`.

    Raises:
        KeyError: there is no such format.
    """
    chosen = EXPORT_FORMATS[format_name]
    stem = _UNFIT.sub("-", spec.name).strip("-.")[:_MAX_NAME] or "sweep"
    return ExportedSpec(chosen, stem + chosen.ending, chosen.write(spec))
