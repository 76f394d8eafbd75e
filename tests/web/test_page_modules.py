"""The scripts of a page, named in its head: all of them, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments.templatetags.page_modules import module_preloads, modules_of

STATIC = Path(__file__).parents[2] / "static"
PAGES = ["js/pages/sweep_charts.js", "js/pages/sweep_overview.js", "js/pages/sweep_runs.js"]


@pytest.mark.parametrize("page", PAGES)
def test_modules_of_a_page_are_all_that_it_imports(page):
    modules = modules_of(page)

    assert modules[0] == page
    assert len(set(modules)) == len(modules)
    for module in modules:
        source = (STATIC / module).read_text()
        for imported in re.findall(r'"(\.{1,2}/[\w./]+\.js)"', source):
            address = ((STATIC / module).parent / imported).resolve()
            assert str(address.relative_to(STATIC)) in modules


def test_head_names_each_module_once():
    markup = module_preloads("js/pages/sweep_runs.js")

    assert markup.count('<link rel="modulepreload" href="') == len(modules_of(PAGES[2]))
    assert "js/runs/filter_box" in markup
    assert module_preloads("js/pages/none.js") == ""
