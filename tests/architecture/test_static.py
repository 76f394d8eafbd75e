"""Static files as they are served: hashed names, and every import and address resolves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command


@pytest.fixture
def collected(settings, tmp_path) -> Path:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "studio.storage.StudioStaticFilesStorage"},
    }
    call_command("collectstatic", verbosity=0, interactive=False)
    return tmp_path / "static"


def test_every_import_and_address_of_a_static_file_resolves(collected):
    manifest = json.loads((collected / "staticfiles.json").read_text())["paths"]
    ours = {name: hashed for name, hashed in manifest.items() if name.startswith(("js/", "css/"))}
    broken = []
    for name, hashed in ours.items():
        file = collected / hashed
        text = file.read_text()
        if name.endswith(".js"):
            found = re.findall(r"""(?:from|import\()\s*["'](\.[^"']+)["']""", text)
        else:
            found = re.findall(r"""url\(["']?([^"')#]+)""", text)
        for reference in found:
            target = (file.parent / reference).resolve()
            is_hashed = target.relative_to(collected).as_posix() in manifest.values()
            if not reference.startswith("data:") and not (target.exists() and is_hashed):
                broken.append(f"{name}: {reference}")

    assert len(ours) > 10
    assert broken == []


def test_plotly_comes_out_of_the_installed_package(collected):
    manifest = json.loads((collected / "staticfiles.json").read_text())["paths"]
    plotly = collected / manifest["plotly/plotly.min.js"]

    assert plotly.stat().st_size > 3_000_000
    assert plotly.with_name(plotly.name + ".gz").stat().st_size < 2_000_000
