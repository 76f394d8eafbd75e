"""The widget as VS Code shows widgets: its names for colors, its keys, white behind dark themes.

The page has what was seen in VS Code 1.100 with the widget manager of its Jupyter extension; the
manager itself is no part of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from studio.sdk.client import Connection, StudioClient
from studio.sdk.sweep_documents import SweepDocuments
from studio.sdk.widget_source import load
from tests.e2e.browser_sweep import submitter
from tests.servers import LiveStudio

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# The manager brings the names of a light JupyterLab along, whatever the theme.
STYLE = """
:root { --jp-layout-color0: white; --jp-ui-font-family: serif; --jp-code-font-family: serif; }
body { --vscode-editor-background: %s; --vscode-font-family: "Segoe WPC", sans-serif;
       --vscode-editor-font-family: Consolas; background: %s; }
.cell-output-ipywidget-background { background: white !important; }
"""
PAGE = """<!doctype html>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline';
script-src 'unsafe-inline' blob:">
<style>%s</style>
<body class="%s" data-vscode-theme-kind="%s">
<div class="cell-output-ipywidget-background" id="output"></div>
"""
# What a widget knows of its model is these five.
SHOW = """async ([script, values]) => {
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const { default: widget } = await import(url);
  window.sent = [];
  window.heard = [];
  addEventListener("keydown", (event) => heard.push(event.key));
  const model = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; sent.push(name); },
    on() {}, save_changes() {}, send: (content) => sent.push(content.kind),
  };
  widget.render({ model, el: document.querySelector("#output") });
}"""
CONTRAST = """(root) => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).map((part) => part / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement ?? e.getRootNode().host) {
      const { backgroundColor } = getComputedStyle(e);
      if (!/^rgba\\(.*, 0\\)$/.test(backgroundColor)) return backgroundColor;
    }
  };
  const of = (element) => {
    const pair = [light(getComputedStyle(element).color), light(behind(element))];
    return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
  };
  const names = "h3 a, h4, dt, dd, p, th, td, label, pre, select, footer *";
  const seen = [...root.querySelectorAll(names)]
    .filter((element) => element.innerText?.trim() && element.checkVisibility());
  return seen.map((element) => [of(element), element.outerHTML.slice(0, 80)]);
}"""


@pytest.fixture(scope="module")
def sent(live_studio: LiveStudio, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the kernel sends of a sweep that has ended."""
    submit = submitter(live_studio, tmp_path_factory.mktemp("code"))
    sweep = submit(max_total_runs=3, max_concurrent_runs=2)
    live_studio.wait_for_end(sweep)
    client = StudioClient(Connection(live_studio.url, live_studio.token))
    _, styles, icons = load()
    return {
        **SweepDocuments(client, sweep).update({}),
        **{"styles": styles, "icons": icons, "wanted": {}, "ui": {}},
        "connection": {"state": "ended", "text": "This sweep has ended."},
    }


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context(viewport={"width": 1000, "height": 1400})
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def show(page: Any, sent: dict[str, Any], kind: str, background: str) -> Any:
    page.set_content(PAGE % (STYLE % (background, background), kind, kind))
    page.evaluate(SHOW, [load()[0], sent])
    widget = page.locator(".notebook")
    widget.locator(".runlines").wait_for()
    return widget


@pytest.mark.parametrize(
    ("kind", "background", "scheme"),
    [
        ("vscode-dark", "rgb(31, 31, 31)", "dark"),
        ("vscode-light", "rgb(255, 255, 255)", "light"),
        ("vscode-high-contrast", "rgb(0, 0, 0)", "dark"),
        ("vscode-high-contrast-light", "rgb(255, 255, 255)", "light"),
    ],
)
def test_all_can_be_read_in_every_kind_of_theme(
    page: Any, sent: dict[str, Any], kind: str, background: str, scheme: str
) -> None:
    widget = show(page, sent, kind, background)

    found = widget.evaluate(CONTRAST)
    assert len(found) > 40
    assert [text for ratio, text in found if ratio < 4.5] == []
    style = "e => [getComputedStyle(e).colorScheme, getComputedStyle(e).backgroundColor]"
    assert widget.evaluate(style) == [scheme, background]
    fonts = "e => [e, e.querySelector('pre')].map((part) => getComputedStyle(part).fontFamily)"
    assert widget.evaluate(fonts) == ['"Segoe WPC", sans-serif', "Consolas"]


def test_keys_within_the_widget_are_no_shortcuts_of_the_notebook(
    page: Any, sent: dict[str, Any]
) -> None:
    widget = show(page, sent, "vscode-dark", "rgb(31, 31, 31)")
    run = widget.locator("tbody button").last
    run.focus()

    for key in ("x", "d", "Delete", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert run.get_attribute("aria-pressed") == "true"
    assert "wanted" in page.evaluate("sent")
    assert page.evaluate("heard") == []
    for key in ("Escape", "Control+s"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == ["Escape", "Control", "s"]
