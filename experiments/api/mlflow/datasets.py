"""Datasets that a script says it used: kept as a file of its run."""

from __future__ import annotations

import io
import json
from typing import Any, Final

from experiments.api.auth import Caller
from experiments.api.mlflow.fields import Fields
from experiments.api.mlflow.reports import started
from experiments.api.mlflow.who import writable
from experiments.services.uploaded_files import keep_upload
from experiments.storage.chosen import tree_of

FILE: Final = "mlflow/datasets.json"
_MOST: Final = 1 << 20
_TEXTS: Final = ("name", "digest", "source_type", "source", "schema", "profile")


def log_inputs(caller: Caller, fields: Fields) -> dict[str, Any]:
    """Add datasets to those of a run; one of the same name and digest is known already."""
    target = writable(caller, fields.text("run_id", most=256))
    run = started(target.run)
    name = target.prefix + FILE
    known = read_inputs(run.directory, name)
    seen = {(item["dataset"]["name"], item["dataset"]["digest"]) for item in known}
    for item in fields.messages("datasets"):
        dataset = item.message("dataset")
        entry = {text: dataset.text(text, "", most=_MOST) for text in _TEXTS}
        entry["name"] = dataset.text("name", most=500)
        if (entry["name"], entry["digest"]) not in seen:
            seen.add((entry["name"], entry["digest"]))
            tags = [
                {"key": tag.text("key"), "value": tag.text("value", "", most=500)}
                for tag in item.messages("tags")
            ]
            known.append({"tags": tags, "dataset": entry})
    for item in fields.messages("models"):
        item.text("model_id", most=400)
    if known:
        keep_upload(run, name, io.BytesIO(json.dumps(known, indent=1).encode()))
    return {}


def read_inputs(directory: str, name: str = FILE) -> list[dict[str, Any]]:
    """Return the datasets of a run; none when there is no such file or it is another one."""
    try:
        raw = b"".join(tree_of(directory).find(name).blocks())
        known = json.loads(raw)
        return [item for item in known if {"name", "digest"} <= set(item["dataset"])]
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return []
