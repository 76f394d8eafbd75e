"""Modules of the pages become one script for the notebook: names apart, imports in order."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from studio.sdk import widget_source

MODULES = {
    "a/entry.js": (
        'import {\n  twice, BASE as START,\n} from "../b.js";\nimport { name } from "./c.js";\n\n'
        "const made = twice(START);\nexport default { made, name };\n"
    ),
    "a/c.js": 'import { BASE } from "../b.js";\nconst made = BASE;\n'
    "export const name = `c${made}`;\n",
    "b.js": "const made = 2;\nexport const BASE = 4;\n"
    "export function twice(x) {\n  return made * x;\n}\n",
}


def write(folder: Path, modules: dict[str, str]) -> Path:
    for name, text in modules.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run(folder: Path, script: str, words: str) -> str:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not here")
    (folder / "joined.mjs").write_text(script)
    code = f'import joined from "{folder}/joined.mjs"; console.log({words})'
    done = subprocess.run(
        [node, "--input-type=module", "-e", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_joined_modules_keep_their_own_names(tmp_path):
    script = widget_source.join_script(write(tmp_path, MODULES), "a/entry.js")

    assert run(tmp_path, script, "JSON.stringify(joined)") == '{"made":8,"name":"c4"}'


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("b.js", 'import { name } from "./a/c.js";\nexport const BASE = 1;\n', "imports itself"),
        ("a/c.js", 'import * as b from "../b.js";\n', "import * as b"),
        ("a/c.js", 'export { BASE } from "../b.js";\n', "export { BASE }"),
        ("a/c.js", 'export const name = () => import("../b.js");\n', "import("),
    ],
)
def test_module_that_cannot_be_joined_is_named(tmp_path, name, text, problem):
    write(tmp_path, {**MODULES, name: text})

    with pytest.raises(ValueError, match=r"\.js") as caught:
        widget_source.join_script(tmp_path, "a/entry.js")

    assert problem in str(caught.value)


def test_widget_is_made_of_the_files_of_the_pages(tmp_path):
    script, style, icons = widget_source.load()

    assert run(tmp_path, script, "typeof joined.render") == "function"
    assert ":root" not in style
    assert "url(" not in style
    assert 'id="columns"' in icons


def test_widget_asks_no_address(tmp_path):
    script, _, _ = widget_source.load()

    for word in ("fetch(", "XMLHttpRequest", "WebSocket", "EventSource", "loadPlotly"):
        assert word not in script
