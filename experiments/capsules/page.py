"""The page of a capsule: charts, table, configuration, environment and hashes in one HTML file.

Nothing in it is loaded from elsewhere: its policy forbids that, and lets only its own script run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from experiments import clock
from experiments.capsules.documents import capsule_documents
from experiments.capsules.facts import capsule_facts
from experiments.imports.capsule import pack_document
from experiments.models import Sweep
from experiments.queries.run_export import choice_of_all, document_text, numbers_of, runs_table
from experiments.spec import SweepSpec
from experiments.spec_export import export_spec
from studio.sdk.widget_source import ICONS, join_script, join_style
from studio.version import VERSION

_ENTRY: Final = "capsule/capsule.js"
_STYLES: Final = ("tokens.css", "base.css", "capsule.css")
_STATIC: Final = Path(settings.BASE_DIR) / "static"
# JSON and scripts within a page end at the first of these signs, whatever stands around it.
_ESCAPED: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


def capsule_html(sweep: Sweep, *, made_by: str, address: str) -> str:
    """Return the whole page; `address` is that of the sweep's page, for those who reach it."""
    documents = capsule_documents(sweep)
    documents["first"]["sweep"]["url"] = address
    numbers = numbers_of(sweep, choice_of_all(sweep))
    script = _script()
    facts = {
        "sweep": sweep,
        "address": address,
        "made_by": made_by,
        "made_at": clock.now(),
        "version": VERSION,
        "spec": export_spec(SweepSpec.from_stored(sweep.spec), "yaml").text,
        "best": sweep.best_run,
        "table": runs_table(sweep, choice_of_all(sweep)),
        "document": pack_document(document_text(sweep, numbers)),
        "view": _json(documents),
        "widget_style": _json(join_style(_STATIC / "css")),
        "icons": _json(_text(ICONS)),
        "style": mark_safe("\n".join(_text(f"css/{name}") for name in _STYLES)),  # noqa: S308 - ours
        "script": mark_safe(script),  # noqa: S308 - ours
        "script_hash": base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **capsule_facts(sweep),
    }
    return render_to_string("capsule/capsule.html", facts)


def capsule_name(sweep: Sweep) -> str:
    """Return the name of the file."""
    return f"{sweep.public_id}.capsule.html"


@cache
def _script() -> str:
    """Return the module of the page; it stands between the tags of a script as it is."""
    script = join_script(_STATIC / "js", _ENTRY)
    if "</script" in script or "<!--" in script:
        raise ValueError("A module of the capsule holds '</script' or '<!--'.")
    return f"\n{script}"


def _text(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


def _json(value: Any) -> SafeString:
    """Return JSON that nothing can break out of."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return mark_safe(text.translate(_ESCAPED))  # noqa: S308 - no sign of markup is left
