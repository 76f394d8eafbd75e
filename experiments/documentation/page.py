"""What a page of the documentation is, once it was read. Pure values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below the title, and where links to it lead."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below one heading, as plain text; the first one of a page has its title."""

    anchor: str
    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page: `name` is its address below /docs/, "" the index."""

    name: str
    title: str
    html: str
    headings: tuple[Heading, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A page as a list names it."""

    name: str
    title: str
    address: str
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Pages that belong together, in the order in which they are read."""

    title: str
    entries: tuple[Entry, ...]
