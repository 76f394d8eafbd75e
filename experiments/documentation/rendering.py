"""A Markdown file of the project as HTML: anchors, addresses of other pages, pictures, code.

Pure but for the sizes of pictures. The files are the studio's own, still nothing of theirs is taken
for HTML: comments are left out, everything else is written by the renderer and escaped by it.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from experiments.documentation.page import Heading, Page, Section

_EXTERNAL: Final = re.compile(r"(?:https?|mailto):")
_NO_ANCHOR: Final = re.compile(r"[^\w\- ]")
# Headings of these levels stand in the contents of a page.
_LISTED: Final = (2, 3)


@dataclass(frozen=True, slots=True)
class Picture:
    """Where a picture is served, and its size in pixels."""

    address: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a page refers to, asked by the name of a file from the top of the project.

    `address` returns where the studio shows a file, "" when it does not; `picture` a picture.
    """

    address: Callable[[str], str]
    picture: Callable[[str], Picture | None]


def render_page(name: str, file: str, text: str, around: Surroundings) -> Page:
    """Return the page that a file holds; `file` is its name from the top of the project."""
    env: dict[str, Any] = {"file": file, "around": around}
    tokens = _PARSER.parse(text, env)
    headings = _with_anchors(tokens)
    _align(tokens)
    title = next((one.text for one in headings if one.level == 1), name)
    html = str(_PARSER.renderer.render(tokens, _PARSER.options, env))
    listed = tuple(one for one in headings if one.level in _LISTED)
    return Page(name, title, html, listed, _sections(tokens, headings))


def anchor_of(text: str) -> str:
    """Return the anchor of a heading, as GitHub makes it.

    >>> anchor_of("Who may `submit`?")
    'who-may-submit'
    """
    return _NO_ANCHOR.sub("", text.strip().lower()).replace(" ", "-")


def plain_text(token: Token) -> str:
    """Return what is read of an inline token, without marks."""
    parts = []
    for child in token.children or ():
        if child.type == "image":
            parts.append(plain_text(child))
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif child.type != "html_inline":
            parts.append(child.content)
    return "".join(parts)


class _Renderer(RendererHTML):
    """What is written differently from plain CommonMark."""

    def html_block(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Leave comments out; there is no other HTML in the files."""
        return ""

    html_inline = html_block

    def heading_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """End a heading with a link to itself."""
        opened, inline = tokens[idx - 2], tokens[idx - 1]
        label = escapeHtml(f"Link to “{plain_text(inline)}”")
        link = f'<a class="anchor" href="#{opened.attrs["id"]}" aria-label="{label}">#</a>'
        return f"{'' if opened.tag == 'h1' else link}</{tokens[idx].tag}>\n"

    def table_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Put a table where it can be wider than the page."""
        return '<div class="doctable" tabindex="0"><table>\n'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """End a table and what it scrolls in."""
        return "</table></div>\n"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Write a block of code; the page's script adds a button that copies it."""
        token = tokens[idx]
        return code_block(token.content, token.info.split(" ")[0])

    def code_block(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Write an indented block as one with fences."""
        return code_block(tokens[idx].content)

    def link_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Lead to where the studio shows what is linked."""
        address = _address(str(tokens[idx].attrs["href"]), env)
        if _EXTERNAL.match(address):
            return f'<a href="{escapeHtml(address)}" rel="noopener noreferrer">'
        return f'<a href="{escapeHtml(address)}">' if address else "<span>"

    def link_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """End a link, or what stands for one that leads nowhere here."""
        opened = _opening(tokens, idx)
        return "</a>" if _address(str(opened.attrs["href"]), env) else "</span>"

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Show a picture of the project at its size, and whole when it is clicked."""
        token = tokens[idx]
        file = _resolved(str(token.attrs["src"]), env)
        around: Surroundings = env["around"]
        picture = around.picture(file)
        words = escapeHtml("".join(child.content for child in token.children or ()))
        if picture is None:
            return words
        size = f'width="{picture.width}" height="{picture.height}"'
        address = escapeHtml(picture.address)
        return f'<a href="{address}"><img src="{address}" alt="{words}" {size} loading="lazy"></a>'


def code_block(text: str, language: str = "") -> str:
    """Return a block of code as HTML."""
    kind = f' data-language="{escapeHtml(language)}"' if language else ""
    code = f'<pre tabindex="0"><code>{escapeHtml(text)}</code></pre>'
    return f'<div class="doccode"{kind}>{code}</div>\n'


def _resolved(reference: str, env: EnvType) -> str:
    """Return the file that a page refers to, from the top of the project."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(str(env["file"])), reference))


def _address(reference: str, env: EnvType) -> str:
    """Return where a link leads in the studio; "" when it shows no such thing."""
    if reference.startswith("#") or _EXTERNAL.match(reference):
        return reference
    path, separator, anchor = reference.partition("#")
    around: Surroundings = env["around"]
    found = around.address(_resolved(path, env))
    return f"{found}{separator}{anchor}" if found else ""


def _opening(tokens: Sequence[Token], idx: int) -> Token:
    # Links do not stand in links.
    return next(token for token in reversed(tokens[:idx]) if token.type == "link_open")


def _with_anchors(tokens: Sequence[Token]) -> list[Heading]:
    found, times = [], Counter[str]()
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            text = plain_text(tokens[at + 1])
            anchor = anchor_of(text)
            again = times[anchor]
            times[anchor] += 1
            token.attrs["id"] = f"{anchor}-{again}" if again else anchor
            found.append(Heading(int(token.tag[1:]), str(token.attrs["id"]), text))
    return found


def _align(tokens: Sequence[Token]) -> None:
    """Say with a class what the parser says with a style: numbers stand at the right.

    A head without words is no head, which a screen reader would look for.
    """
    for at, token in enumerate(tokens):
        if token.type == "th_open" and not tokens[at + 1].content:
            token.tag = tokens[at + 2].tag = "td"
        if str(token.attrs.pop("style", "")).endswith("right"):
            token.attrs["class"] = "right"


def _sections(tokens: Sequence[Token], headings: Sequence[Heading]) -> tuple[Section, ...]:
    """Cut the text of a page at its headings."""
    texts: list[list[str]] = [[]]
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            texts.append([])
        elif token.type == "inline" and tokens[at - 1].type != "heading_open":
            texts[-1].append(plain_text(token))
        elif token.type in ("fence", "code_block"):
            texts[-1].append(token.content)
    parts = [" ".join(" ".join(part).split()) for part in texts[1:]]
    return tuple(
        Section("" if one.level == 1 else one.anchor, one.text, text)
        for one, text in zip(headings, parts, strict=True)
    )


_PARSER: Final = MarkdownIt("commonmark", renderer_cls=_Renderer).enable(["table", "strikethrough"])
