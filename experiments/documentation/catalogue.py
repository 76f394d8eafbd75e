"""All pages of the documentation: which files they are, in which order, and each of them read.

docs/README.md is the order: its lists of links are the groups. A file that changed is read again.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from experiments.documentation.page import Entry, Group, Page
from experiments.documentation.pictures import HEAD, picture_size
from experiments.documentation.rendering import Picture, Surroundings, plain_text, render_page

INDEX: Final = "docs/README.md"
# Documents at the top of the project, by the name of their page.
_BESIDE: Final = {"security": "SECURITY.md", "changelog": "CHANGELOG.md"}
_FOLDERS: Final = ("docs", "docs/reference")
_IMAGES: Final = "docs/images/"
_EXAMPLES: Final = "examples"
# What is in no list of the index.
_OTHERS: Final = "Others"
_NEAREST: Final = 5
_ALIKE: Final = 0.5


class Catalogue:
    """The pages below one folder of the project, served below the address `url`."""

    def __init__(self, root: Path, url: str) -> None:
        self._root = root
        self._url = url
        self._read: dict[str, tuple[int, Page]] = {}
        self._files = dict(self._find())
        self._names = {file: name for name, file in self._files.items()}
        self._around = Surroundings(self._address, self._picture)
        self.groups = tuple(self._in_order())
        self.entries = tuple(entry for group in self.groups for entry in group.entries)

    def page(self, name: str) -> Page | None:
        """Return a page by its name; None when there is none."""
        file = self._files.get(name)
        if file is None:
            return None
        path = self._root / file
        written = path.stat().st_mtime_ns
        kept = self._read.get(name)
        if kept is None or kept[0] != written:
            kept = (written, render_page(name, file, path.read_text("utf-8"), self._around))
            self._read[name] = kept
        return kept[1]

    def pages(self) -> Iterator[Page]:
        """Yield every page but the index, in the order of the lists."""
        for entry in self.entries:
            page = self.page(entry.name)
            if page is not None:
                yield page

    def beside(self, name: str) -> tuple[Entry | None, Entry | None]:
        """Return what is read before a page and after it."""
        names = [entry.name for entry in self.entries]
        if name not in names:
            return None, self.entries[0] if self.entries else None
        at = names.index(name)
        before = self.entries[at - 1] if at else None
        return before, self.entries[at + 1] if at + 1 < len(names) else None

    def renamed(self, name: str) -> str | None:
        """Return the page that a name of a file means, or the only one that ends in a name."""
        plain = posixpath.normpath(name.lower().removesuffix(".md").removeprefix("docs/"))
        if plain in ("readme", "index", "docs"):
            return ""
        known = [one for one in self._files if one == plain or one.rpartition("/")[2] == plain]
        return known[0] if len(known) == 1 else None

    def nearest(self, name: str) -> list[Entry]:
        """Return the pages whose names or titles look most like a name."""
        asked = name.rpartition("/")[2].replace("_", "-").lower()
        by_word = {}
        for entry in self.entries:
            by_word[entry.title.lower()] = entry
            by_word[entry.name.rpartition("/")[2]] = entry
        alike = get_close_matches(asked, by_word, n=_NEAREST, cutoff=_ALIKE)
        return list(dict.fromkeys(by_word[word] for word in alike))

    def _find(self) -> Iterator[tuple[str, str]]:
        for folder in _FOLDERS:
            for path in sorted((self._root / folder).glob("*.md")):
                name = f"{folder}/{path.stem}".removeprefix("docs/")
                yield "" if name == "README" else name, f"{folder}/{path.name}"
        for name, file in _BESIDE.items():
            if (self._root / file).is_file():
                yield name, file

    def _address(self, file: str) -> str:
        """Return where a file of the project is shown; the README leads to the index."""
        if file in self._names:
            name = self._names[file]
            return f"{self._url}{name}/" if name else self._url
        if file == "README.md" or file in _FOLDERS:
            return self._url
        is_example = file == _EXAMPLES or file.startswith(f"{_EXAMPLES}/")
        if is_example and (self._root / file).exists():
            return f"{self._url}{file}"
        return ""

    def _picture(self, file: str) -> Picture | None:
        path = self._root / file
        if not file.startswith(_IMAGES) or not path.is_file():
            return None
        with path.open("rb") as opened:
            size = picture_size(opened.read(HEAD))
        if size is None:
            return None
        return Picture(f"{self._url}images/{path.name}?v={version_of(path)}", *size)

    def _in_order(self) -> Iterator[Group]:
        index = self._root / INDEX
        listed = list(_groups(index.read_text("utf-8"))) if index.is_file() else []
        seen = {""}
        for title, links in listed:
            entries = []
            for link, words, summary in links:
                name = self._names.get(posixpath.normpath(posixpath.join("docs", link)))
                if name is not None and name not in seen:
                    seen.add(name)
                    entries.append(Entry(name, words, self._address(self._files[name]), summary))
            if entries:
                yield Group(title, tuple(entries))
        others = [
            Entry(name, self._title(name), self._address(file))
            for name, file in self._files.items()
            if name not in seen
        ]
        if others:
            yield Group(_OTHERS, tuple(others))

    def _title(self, name: str) -> str:
        first = (self._root / self._files[name]).read_text("utf-8").partition("\n")[0]
        return first.lstrip("# ").strip() or name


def version_of(path: Path) -> str:
    """Return a word that changes with a file."""
    known = path.stat()
    return f"{known.st_mtime_ns:x}-{known.st_size:x}"


def _groups(text: str) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """Yield the headings of the index with the links that begin the points of their lists."""
    title, links = "", list[tuple[str, str, str]]()
    tokens = MarkdownIt("commonmark").parse(text)
    for before, token in pairwise(tokens):
        if token.type != "inline":
            continue
        if before.type == "heading_open":
            if links:
                yield title, links
            title, links = plain_text(token), []
        elif before.type == "paragraph_open" and before.level > 1:
            links += _link_of(token)
    if links:
        yield title, links


def _link_of(item: Token) -> Sequence[tuple[str, str, str]]:
    """Return the link that a point begins with, its words, and what is said of it."""
    first = item.children[0] if item.children else None
    if first is None or first.type != "link_open":
        return ()
    words, _, summary = plain_text(item).partition(": ")
    return [(str(first.attrs["href"]).partition("#")[0], words, summary)]
