"""The notebook among the examples runs from its first to its last cell against a real studio."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from studio.sdk import __all__ as sdk_names
from tests.servers import ROOT, LiveStudio, clean_environment

pytestmark = pytest.mark.slow
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"
BEST = re.compile(
    r"Best run: (?P<id>\S+)\nAccuracy: (?P<value>\S+)\nArguments: (?P<arguments>.+)\n"
)


def read_notebook() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(notebook: Any) -> str:
    """Return what the cells have written to stdout."""
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")


@pytest.fixture(scope="module")
def executed(live_studio: LiveStudio, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook after every cell has run in a kernel of its own."""
    home = tmp_path_factory.mktemp("kernel")
    folders = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")
    environment = clean_environment(
        PYTHONPATH=str(ROOT),
        STUDIO_HOME=str(live_studio.home),
        **{name: str(home / name) for name in folders},
    )
    client = NotebookClient(
        read_notebook(), timeout=300, resources={"metadata": {"path": str(NOTEBOOK.parent)}}
    )
    return client.execute(env=environment)


def test_notebook_is_kept_without_outputs_and_with_words_between_its_cells() -> None:
    notebook = read_notebook()

    nbformat.validate(notebook)
    assert len(code_cells(notebook)) >= 6
    for cell in code_cells(notebook):
        assert (cell.outputs, cell.execution_count) == ([], None)
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds[0] == kinds[-1] == "markdown"
    assert kinds.count("markdown") >= kinds.count("code")


def test_notebook_links_to_what_is_there() -> None:
    text = "\n".join(cell.source for cell in read_notebook().cells)

    links = re.findall(r"\]\(([^)]+)\)", text)
    assert links
    assert [link for link in links if not (NOTEBOOK.parent / Path(link)).exists()] == []
    imported = re.search(r"from studio\.sdk import \((.*?)\)", text, re.DOTALL)
    assert imported is not None
    assert {name.strip() for name in imported[1].split(",")} - {""} <= set(sdk_names)


def test_no_cell_has_an_error(executed: Any) -> None:
    outputs = [output for cell in code_cells(executed) for output in cell.outputs]

    assert [o for o in outputs if o.output_type == "error"] == []
    assert [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"] == []
    assert any("<table>" in o.data.get("text/html", "") for o in outputs if "data" in o)


def test_best_run_that_it_prints_is_that_of_the_database(
    executed: Any, live_studio: LiveStudio
) -> None:
    found = BEST.search(printed(executed))
    assert found is not None, printed(executed)

    sweep_id = found["id"].rpartition("_")[0]
    stored = live_studio.run_python(
        "import django; django.setup(); from experiments.models import Sweep; "
        f"s = Sweep.objects.get(public_id={sweep_id!r}); b = s.best_run; "
        "print(s.state, s.tags['from'], b.public_id, repr(b.best_value), *b.arguments, sep='|')"
    ).splitlines()[-1]

    state, tag, best_id, value, *arguments = stored.split("|")
    assert (state, tag, best_id) == ("Completed", "a notebook", found["id"])
    assert float(value) == float(found["value"]) > 0.3
    assert arguments[-len(found["arguments"].split()) :] == found["arguments"].split()
    assert "outputs/model.pkl" in printed(executed)
    assert printed(executed).count("Completed") >= 2
