"""axe-core on a page of Playwright: the rules, and what it found in a line each."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What colours and sizes decide: looked at again in the other theme and at another width.
OF_THEMES = ["color-contrast", "link-in-text-block"]
OF_WIDTHS = ["color-contrast", "target-size", "scrollable-region-focusable"]

_RUN = """async ([within, rules, tags]) => {
    const runOnly = rules ? {type: 'rule', values: rules} : {type: 'tag', values: tags};
    const options = {runOnly, resultTypes: ['violations'], rules: {}};
    if (!rules) options.rules['target-size'] = {enabled: true};
    const found = await axe.run(within ?? document, options);
    return found.violations.map(({id, help, nodes}) => [id, help, nodes.map(
        (node) => `${node.target.join(' ')} (${node.any.concat(node.all, node.none)
            .map((check) => check.message).join('; ').slice(0, 200)})`)]);
}"""


@cache
def source() -> str:
    """Return axe-core itself, as its package brings it."""
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text()


def violations(
    page: Any, *, rules: list[str] | None = None, within: str | None = None
) -> list[str]:
    """Return one line for each rule that a page, or a part of it, does not keep.

    The driver evaluates axe in the page: no script tag that its policy would have to allow.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(source())
    found = page.evaluate(_RUN, [within, rules, TAGS])
    return [f"{name}: {text}: {', '.join(nodes[:4])}" for name, text, nodes in found]
