"""What clients since MLflow 3 make of a model that a script logs: files of its run, and a tag.

Registering is the business of the studio's own models; here a model is found by its id alone.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any, Final

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from experiments.api.auth import Caller
from experiments.api.mlflow.fields import MOST_TEXT, Fields
from experiments.api.mlflow.search import position
from experiments.api.mlflow.who import PART_SIGN, Target, runs_of, target_of, writable
from experiments.api.mlflow.wire import MlflowError, wrong
from experiments.api.paging import encode_cursor
from experiments.models import Run
from experiments.services.logged_marks import log_marks

TAG: Final = "studio.loggedModel."
_HISTORY: Final = "mlflow.log-model.history"
_FOLDER: Final = "models"
_ID: Final = "m-"
_STATUSES: Final = ("LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED")
_LONGEST_NAME: Final = 60
_CONDITION: Final = re.compile(r"""\b(name|source_run_id)\s*=\s*['"]([^'"]*)['"]""")


def create_model(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Note a model whose files are about to come."""
    own = caller.run.public_id if caller.run is not None else None
    run = writable(caller, fields.text("source_run_id", own, most=256)).run
    name = fields.text("name", "model")
    slug = _free_slug(run, name)
    now = round(time.time() * 1000)
    note = {
        "name": name,
        "type": fields.text("model_type", ""),
        "status": _STATUSES[0],
        "created": now,
        "updated": now,
        "params": _pairs(fields, "params"),
        "tags": _pairs(fields, "tags"),
    }
    return _stored(run, slug, note)


def get_model(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Read one model by its id."""
    run, slug = _find(caller, fields)
    return _model_json(run, slug, _note(run, slug))


def search_models(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Find models of experiments by `name = '...'` or `source_run_id = '...'`, newest first."""
    text = fields.text("filter", "", most=6000)
    wanted = dict(_CONDITION.findall(text))
    if _CONDITION.sub("", text).replace("AND", "").replace("and", "").strip():
        raise wrong("filter", text, "models are found by name = '...' and source_run_id = '...'")
    experiments = [x for x in fields.texts("experiment_ids") if x.isascii() and x.isdecimal()]
    rows = runs_of(caller).filter(sweep__experiment__in=[int(x[:18]) for x in experiments])
    found = []
    for run in _with_models(rows):
        for tag in (tag for tag in run.tags if tag.startswith(TAG)):
            slug = tag.removeprefix(TAG)
            model = _model_json(run, slug, _note(run, slug))["model"]
            if all(model["info"][key] == value for key, value in wanted.items()):
                found.append(model)
    found.sort(key=lambda model: -model["info"]["creation_timestamp_ms"])
    start, most = position(fields), fields.whole("max_results", 50, least=1, most=50_000)
    document: dict[str, Any] = {"models": found[start : start + most]}
    if len(found) > start + most:
        document["next_page_token"] = encode_cursor(start + most)
    return document


def change_model(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Say that the files of a model have come, or that they will not."""
    run, slug = _find(caller, fields, for_writing=True)
    status = fields.text("status")
    if status not in _STATUSES:
        raise wrong("status", status, f"use {', '.join(_STATUSES)}")
    return _stored(run, slug, {**_note(run, slug), "status": status})


def set_model_tags(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Merge tags into those of a model."""
    return _merged(caller, fields, "tags")


def log_model_params(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Add parameters to a model."""
    _merged(caller, fields, "params")
    return {}


def log_outputs(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Take note of which models a run made: the id of a model says it already."""
    target = writable(caller, fields.text("run_id", most=256))
    for item in fields.messages("models"):
        _find(caller, item)
    return {"run_id": target.run_id}


def log_model(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Keep the history of models that clients before MLflow 3 write, newest last."""
    target = writable(caller, fields.text("run_id", most=256))
    try:
        entry = json.loads(fields.text("model_json", most=1 << 20))
        kept = {key: entry[key] for key in ("run_id", "artifact_path", "utc_time_created")}
        kept["flavors"] = sorted(entry["flavors"])
    except (ValueError, KeyError, TypeError):
        text = "it must be JSON with run_id, artifact_path, utc_time_created and flavors"
        raise wrong("model_json", fields.text("model_json", most=1 << 20), text) from None
    name = target.prefix + _HISTORY
    history = [*json.loads(target.run.tags.get(name) or "[]"), kept]
    while len(json.dumps(history)) > MOST_TEXT:
        history.pop(0)
    log_marks(target.run, tags={name: json.dumps(history)})
    return {}


def _with_models(rows: QuerySet[Run]) -> QuerySet[Run]:
    """Return the runs that have logged a model."""
    text = Cast("tags", TextField())
    return rows.select_related("sweep").annotate(text=text).filter(text__contains=TAG)


def _find(caller: Caller, fields: Fields, *, for_writing: bool = False) -> tuple[Run, str]:
    model_id = fields.text("model_id", most=400)
    run_id, _, slug = model_id.removeprefix(_ID).partition(PART_SIGN)
    if not slug or not model_id.startswith(_ID):
        raise _unknown(model_id)
    run = (writable if for_writing else target_of)(caller, run_id).run
    if TAG + slug not in run.tags:
        raise _unknown(model_id)
    return run, slug


def _unknown(model_id: str) -> MlflowError:
    return MlflowError("RESOURCE_DOES_NOT_EXIST", f"No model of yours has the id '{model_id}'.")


def _merged(caller: Caller, fields: Fields, name: str) -> dict[str, Any]:
    run, slug = _find(caller, fields, for_writing=True)
    note = _note(run, slug)
    return _stored(run, slug, {**note, name: {**note[name], **_pairs(fields, name)}})


def _stored(run: Run, slug: str, note: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps({**note, "updated": round(time.time() * 1000)})
    if len(text) > 4 * MOST_TEXT:
        raise MlflowError(
            "INVALID_PARAMETER_VALUE",
            f"Parameters and tags of the model '{note['name']}' have {len(text)} characters; at "
            f"most {4 * MOST_TEXT}.",
        )
    return _model_json(log_marks(run, tags={TAG + slug: text}), slug, note)


def _note(run: Run, slug: str) -> dict[str, Any]:
    note: dict[str, Any] = json.loads(run.tags[TAG + slug] or "{}")
    return note


def _model_json(run: Run, slug: str, note: dict[str, Any]) -> dict[str, Any]:
    info = {
        "model_id": f"{_ID}{run.public_id}{PART_SIGN}{slug}",
        "experiment_id": str(run.sweep.experiment_id),
        "name": note["name"],
        "model_type": note["type"],
        "status": note["status"],
        "creation_timestamp_ms": note["created"],
        "last_updated_timestamp_ms": note["updated"],
        "artifact_uri": f"mlflow-artifacts:/{Target(run).run_id}/artifacts/{_FOLDER}/{slug}",
        "source_run_id": run.public_id,
        "tags": [{"key": key, "value": text} for key, text in note["tags"].items()],
    }
    params = [{"key": key, "value": text} for key, text in note["params"].items()]
    return {"model": {"info": info, "data": {"params": params, "metrics": []}}}


def _pairs(fields: Fields, name: str) -> dict[str, str]:
    items = fields.messages(name)
    return {item.text("key"): item.text("value", "", most=MOST_TEXT) for item in items}


def _free_slug(run: Run, name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")[:_LONGEST_NAME] or "model"
    number, free = 1, plain
    while TAG + free in run.tags:
        number += 1
        free = f"{plain}-{number}"
    return free
