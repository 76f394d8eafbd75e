"""Markdown of people as HTML that is safe to show: no HTML of their own, no pictures, no scripts.

Pure. Everything that comes out is made by the renderer and escaped by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

# Addresses that lead somewhere; everything else stays text.
_SCHEMES: Final = frozenset({"http", "https", "mailto"})
_REL: Final = "noopener nofollow noreferrer"
# Without what usually ends the sentence around it.
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}*_~]")
_TASK: Final = re.compile(r"\[([ xX])\] ")
# A page has one heading of the first level, and cards those of the second.
_FIRST_HEADING: Final = 3
_LAST_HEADING: Final = 6


def render_markdown(text: str) -> str:
    """Return `text` as HTML.

    >>> render_markdown("**bold** <script>")
    '<p><strong>bold</strong> &lt;script&gt;</p>\\n'
    """
    return str(_PARSER.render(text))


class _Renderer(RendererHTML):
    """What is written differently from plain CommonMark."""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Write a link: a picture would be fetched from another host."""
        source = str(tokens[idx].attrs.get("src", ""))
        link = Token("link_open", "a", 1, attrs={"href": source, "rel": _REL})
        text = Token("text", "", 0, content=tokens[idx].content or source)
        opened = self.renderToken([link], 0, options, env)
        return f"{opened}{self.text([text], 0, options, env)}</a>"


def _headings(state: StateCore) -> None:
    """Move headings below those of the page."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            level = int(token.tag[1:]) + _FIRST_HEADING - 1
            token.tag = f"h{min(level, _LAST_HEADING)}"


def _tasks(state: StateCore) -> None:
    """Draw the boxes of task lists: nobody ticks them here, so they are text."""
    for at, token in enumerate(state.tokens[2:], start=2):
        is_item = state.tokens[at - 2].type == "list_item_open" and token.type == "inline"
        first = token.children[0] if is_item and token.children else None
        if first is not None and first.type == "text" and (box := _TASK.match(first.content)):
            first.content = f"{'☐' if box[1] == ' ' else '☑'} {first.content[box.end() :]}"


def _links(state: StateCore) -> None:
    """Make links of bare addresses, and let every link tell nothing about this page."""
    for block in state.tokens:
        if block.children is None:
            continue
        block.children = list(_with_links(block.children))
        for token in block.children:
            if token.type == "link_open":
                token.attrs["rel"] = _REL


def _with_links(tokens: Sequence[Token]) -> Iterator[Token]:
    depth = 0
    for token in tokens:
        depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type != "text" or depth or "://" not in token.content:
            yield token
            continue
        end = 0
        for match in _ADDRESS.finditer(token.content):
            yield Token("text", "", 0, content=token.content[end : match.start()])
            yield Token("link_open", "a", 1, attrs={"href": match[0]})
            yield Token("text", "", 0, content=match[0])
            yield Token("link_close", "a", -1)
            end = match.end()
        yield Token("text", "", 0, content=token.content[end:])


def _leads_somewhere(address: str) -> bool:
    """Tell whether a link may lead there: other pages and sites, never scripts and files."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return False
    return parts.scheme.lower() in _SCHEMES if parts.scheme else not parts.netloc


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"])
    parser.validateLink = _leads_somewhere  # type: ignore[assignment, method-assign]  # its documented way
    parser.core.ruler.push("studio_headings", _headings)
    parser.core.ruler.push("studio_tasks", _tasks)
    parser.core.ruler.push("studio_links", _links)
    return parser


_PARSER: Final = _make_parser()
