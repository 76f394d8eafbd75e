"""What a browser would send of a form, read from the HTML of its page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

# Controls of these types are sent only where they are used.
_UNSENT = {"submit", "button", "file", "reset"}
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


class FormReader(HTMLParser):
    """The values of one form; a text field holds a single line, a text area has CRLF line ends."""

    def __init__(self, html: str, form_id: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._form_id = form_id
        self._is_inside = False
        self._templates = 0
        self._area: str | None = None
        self._area_text = ""
        self._select: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("id") == self._form_id:
            self._is_inside = True
        self._templates += tag == "template"
        if not self._is_inside or self._templates or "disabled" in values:
            return
        name = values.get("name", "")
        if tag == "textarea":
            self._area, self._area_text = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            self._note_option(values)
        elif tag == "input" and name:
            self._note_input(name, values)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        self._templates -= tag == "template"
        if tag == "textarea" and self._area:
            # The first line break belongs to the tag.
            text = _LINE_BREAK.sub("\n", self._area_text).removeprefix("\n")
            self.values[self._area] = text.replace("\n", "\r\n")
            self._area = None
        if tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._area_text += data

    def _note_option(self, values: dict[str, str]) -> None:
        # The first option counts until another one is selected.
        if "selected" in values or self._select not in self.values:
            self.values[str(self._select)] = values.get("value", "")

    def _note_input(self, name: str, values: dict[str, str]) -> None:
        kind = values.get("type", "text")
        if kind in _UNSENT or (kind in ("radio", "checkbox") and "checked" not in values):
            return
        text = values.get("value", "")
        self.values[name] = text if kind == "hidden" else _LINE_BREAK.sub("", text)
