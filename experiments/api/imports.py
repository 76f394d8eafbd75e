"""REST: runs that ran elsewhere, imported as an ended sweep."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Annotated, Any, Final, Literal, NoReturn

from django.http import HttpRequest, UnreadablePostError
from ninja import Field, Query, Router, Schema, Status
from ninja.errors import HttpError

from experiments import queries
from experiments.api.auth import WRITE, ForWorkspace, person_of, workspace_for_new
from experiments.api.errors import UnreadableBodyError, json_problem
from experiments.api.schemas import Params, SweepOut
from experiments.imports.document import read_document
from experiments.imports.observed import ObservedSweep
from experiments.problems import Problem
from experiments.services.import_runs import Imported, check_import, import_sweep

router = Router(tags=["Imports"])

MAX_BYTES: Final = 128 * 1024 * 1024
_IN_MEMORY: Final = 1 << 20
_BLOCK: Final = 1 << 16
_EXAMPLE: Final = {
    "format": "sweep-studio/sweep",
    "version": 1,
    "kind": "json",
    "source": "a notebook",
    "sweep": {
        "spec": {
            "name": "by hand",
            "script": "train.py",
            "search_space": {"lr": "uniform(0, 1)"},
            "primary_metric": {"name": "loss", "goal": "minimize"},
            "max_total_runs": 1,
        }
    },
    "runs": [
        {
            "number": 0,
            "status": "Completed",
            "hyperparameters": {"lr": 0.1},
            "metrics": [{"name": "loss", "values": [0.5, 0.25], "steps": [0, 1]}],
        }
    ],
}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["format", "version", "sweep", "runs"],
                    "properties": {
                        "format": {"type": "string", "enum": ["sweep-studio/sweep"]},
                        "version": {"type": "integer", "enum": [1]},
                        "kind": {"type": ["string", "null"], "maxLength": 20},
                        "source": {"type": ["string", "null"], "maxLength": 500},
                        "sweep": {"type": "object"},
                        "runs": {"type": "array", "minItems": 1, "items": {"type": "object"}},
                    },
                },
                "example": _EXAMPLE,
            }
        },
    }
}


class ImportOut(Schema):
    """What an import has made, or would make."""

    outcome: Literal["imported", "present", "checked"] = Field(
        description="present: the same content is here already, as `sweep`; nothing was stored."
    )
    sweep: SweepOut | None
    digest: str = Field(description="SHA-256 of what was observed: the same content has it again.")
    name: str
    experiment: str
    metric: str
    goal: Literal["maximize", "minimize"]
    search_space: Params
    runs: int
    states: dict[str, int]
    reports: int
    metrics: list[str]


@router.post("", auth=WRITE, response={200: ImportOut, 201: ImportOut}, openapi_extra=_BODY)
def import_runs(
    request: HttpRequest,
    dry_run: Annotated[bool, Query(description="Only check and summarise.")] = False,
    again: Annotated[bool, Query(description="Also what is here already.")] = False,
    workspace: ForWorkspace = "",
) -> Status[Any]:
    """Import an ended sweep with its runs and all reports; all of it or nothing.

    The body is the JSON of `GET /sweeps/{sweep_id}/export/metrics?format=json`. Its runs are never
    executed; they are there for charts, tables, comparisons and warm starts. At most 128 MB.
    """
    place = workspace_for_new(request, workspace)
    with _upload(request) as file:
        observed = _read(file)
    if dry_run:
        return Status(200, _summary(request, check_import(observed, place), "checked"))
    made = import_sweep(observed, owner=person_of(request), workspace=place, again=again)
    if made.is_new:
        return Status(201, _summary(request, made, "imported"))
    return Status(200, _summary(request, made, "present"))


def _summary(request: HttpRequest, made: Imported, outcome: str) -> dict[str, Any]:
    spec = made.spec
    found = None if made.sweep is None else queries.sweep_json(made.sweep)
    if found is not None:
        found["url"] = request.build_absolute_uri(found["url"])
    return {
        "outcome": outcome,
        "sweep": found,
        "digest": made.digest,
        "name": spec.name,
        "experiment": spec.experiment,
        "metric": spec.metric_name,
        "goal": spec.goal,
        "search_space": spec.search_space,
        "runs": made.runs,
        "states": made.states,
        "reports": made.reports,
        "metrics": made.metrics,
    }


def _read(file: IO[bytes]) -> ObservedSweep:
    try:
        return read_document(_parse(file))
    except RecursionError as error:
        raise UnreadableBodyError(Problem("", "The body is nested too deeply.")) from error


def _parse(file: IO[bytes]) -> Any:
    try:
        return json.load(file, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        problem = Problem(f"byte {error.start}", "The body is not UTF-8 text.")
        raise UnreadableBodyError(problem) from error
    except json.JSONDecodeError as error:
        raise UnreadableBodyError(json_problem(error)) from error
    except ValueError as error:
        raise UnreadableBodyError(Problem("", f"The body is not JSON: {error}.")) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f'{name} is no JSON; write the text "{name}"')


@contextmanager
def _upload(request: HttpRequest) -> Iterator[IO[bytes]]:
    """Give the body as a file: Django's own limit is for bodies kept in memory."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        try:
            while block := request.read(_BLOCK):
                if file.tell() + len(block) > MAX_BYTES:
                    megabytes = MAX_BYTES // 1024**2
                    text = f"The document is larger than {megabytes} MB; import fewer runs at once."
                    raise HttpError(413, text)
                file.write(block)
        except UnreadablePostError as error:
            raise HttpError(400, "The upload broke off; send it again.") from error
        file.seek(0)
        yield file
