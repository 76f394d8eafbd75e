"""The manual below each `--help`: arguments, examples, exit codes, environment, see also.

The texts are in `studio.cli_pages`; this module puts them under the commands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import click

from studio.cli_page import Page
from studio.cli_pages import PAGES

_NO_WRAP: Final = "\b"


def attach_manual(command: click.Command, path: str) -> click.Command:
    """Put the manual of a command, and of those below it, under its help."""
    page = PAGES.get(path)
    if page is not None:
        command.epilog = manual_text(page)
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            attach_manual(below, f"{path} {name}")
    return command


def manual_text(page: Page) -> str:
    """Return a page as the text that stands below the options."""
    parts = [
        _listed("Arguments", page.arguments),
        _examples(page.examples),
        _listed("Exit codes", {str(code): text for code, text in page.exits.items()}),
        _listed("Environment variables", page.variables),
    ]
    if page.see_also:
        commands = ", ".join(f"studio {name}" for name in page.see_also)
        parts.append(f"{_NO_WRAP}\nSee also:\n  {commands}")
    return "\n\n".join(part for part in parts if part)


def _listed(title: str, entries: Mapping[str, str]) -> str:
    width = max((len(name) for name in entries), default=0)
    lines = [f"  {name:<{width}}  {text}" for name, text in entries.items()]
    return "\n".join([_NO_WRAP, f"{title}:", *lines]) if lines else ""


def _examples(examples: Sequence[tuple[str, str]]) -> str:
    lines = [line for command, text in examples for line in (f"  $ {command}", f"      {text}")]
    return "\n".join([_NO_WRAP, "Examples:", *lines]) if lines else ""
