"""Facts about a page that every page must fulfil, read from its HTML."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

VOID = {"input", "meta", "link", "br", "img", "hr", "source"}
# Their name is their text or value.
NAMED_BY_TYPE = {"hidden", "submit", "button"}


class PageFacts(HTMLParser):
    """Ids, headings, links, form controls and anything that the content policy would block."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: Counter[str] = Counter()
        self.tags: Counter[str] = Counter()
        self.labelled: set[str] = set()
        self.controls: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.inline: list[str] = []
        self.hosts: list[str] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags[tag] += 1
        # What a <template> holds is not part of the page.
        if "template" not in self._open:
            self._note(tag, values)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        script = self._open[-1:] == ["script"]
        if not script and data.strip():
            self.text.append(" ".join(data.split()))

    def unlabelled(self) -> list[dict[str, str | None]]:
        """Return the controls that a screen reader could not name."""
        return [
            control
            for control in self.controls
            if control.get("type") not in NAMED_BY_TYPE
            and not control.get("aria-label")
            and control.get("in-label") is None
            and control.get("id") not in self.labelled
        ]

    def _note(self, tag: str, values: dict[str, str | None]) -> None:
        if values.get("id"):
            self.ids[str(values["id"])] += 1
        if tag == "label" and values.get("for"):
            self.labelled.add(str(values["for"]))
        if tag in ("input", "select", "textarea"):
            in_label = "yes" if "label" in self._open else None
            self.controls.append({**values, "tag": tag, "in-label": in_label})
        if tag == "a":
            self.links.append(str(values.get("href")))
        is_data = values.get("type") == "application/json"
        if tag == "style" or (tag == "script" and not values.get("src") and not is_data):
            self.inline.append(tag)
        self.inline += [f"{tag} {name}" for name in values if name == "style" or name[:2] == "on"]
        for name in ("src", "href", "action"):
            if str(values.get(name, "")).startswith(("http:", "https:", "//")):
                self.hosts.append(str(values[name]))
