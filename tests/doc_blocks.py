"""Fenced blocks of the project's Markdown, and who executes each of them.

A block is run by tests/e2e/test_docs_live.py when its page is in LIVE, as part of one session in
one folder; by the test that EXECUTED names for the blocks of its language on its page; or by a test
that looks for its mark. A comment right before a block says more of it:

    <!-- file: NAME -->        it is written to that file first
    <!-- tested: WORDS -->     a test of its own finds it by these words
    <!-- not executed: WHY --> one of REASONS

tests/architecture/test_doc_blocks.py fails for a block that nobody executes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

ROOT: Final = Path(__file__).resolve().parent.parent
# What a block says that somebody might copy. Others are drawings and what programs print.
LANGUAGES: Final = frozenset({"bash", "console", "http", "json", "python", "sh", "yaml"})
SHELLS: Final = frozenset({"bash", "console", "sh"})
# The guide, and pages of the reference whose blocks need no more than a studio and an ended sweep.
LIVE: Final = (
    "docs/first-sweep.md",
    "docs/defining-sweeps.md",
    "docs/scripts-and-clients.md",
    "docs/teams-and-administration.md",
    "docs/deploy.md",
    "docs/reference/administration.md",
    "docs/reference/capsule.md",
    "docs/reference/mlflow.md",
    "docs/reference/notifications.md",
    "docs/reference/runs-table.md",
    "docs/reference/teamwork.md",
    "docs/reference/workspaces.md",
)
REASONS: Final = frozenset(
    {
        "belongs to another tool",
        "needs a framework that is too large for every test run",
        "needs a package index",
        "needs an account and the hosted service",
        "needs another machine",
        "needs another shell",
        "needs servers of your own",
        "Ray is not among the tools of the tests",
        "starts a studio of its own",
    }
)
_COMMENT: Final = re.compile(r"<!-- (file|tested|not executed): (.+?) -->")
_PROMPT: Final = "$ "
_END: Final = "END_OF_BLOCK"


@dataclass(frozen=True)
class Block:
    """One fenced block; `mark` is what the comment before it says, as (kind, words)."""

    page: str
    line: int
    language: str
    text: str
    mark: tuple[str, str] = ("", "")

    @property
    def name(self) -> str:
        """Where it stands."""
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str:
        """The file that it is written to, "" for none."""
        return self.mark[1] if self.mark[0] == "file" else ""

    def as_bash(self) -> str:
        """Return what a shell does with it: write it to its file, or run it."""
        if self.file:
            return f"cat > {self.file} <<'{_END}'\n{self.text}{_END}\n"
        if self.language == "python":
            return f"python - <<'{_END}'\n{self.text}{_END}\n"
        return _without_prompts(self.text) if self.language in SHELLS else ""


def pages() -> list[str]:
    """Return every page of Markdown by its name from the top of the project."""
    beside = ["CHANGELOG.md", "README.md", "SECURITY.md"]
    found = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    return beside + found


def blocks_of(page: str) -> Iterator[Block]:
    """Yield the blocks of a page in their order, those in lists among them."""
    tokens = MarkdownIt("commonmark").parse((ROOT / page).read_text())
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "fence":
            comment = before.content if before and before.type == "html_block" else ""
            found = _COMMENT.search(comment)
            mark = (found[1], found[2]) if found else ("", "")
            line = (token.map or [0])[0] + 1
            yield Block(page, line, token.info.strip(), token.content, mark)


def session_of(page: str) -> str:
    """Return the blocks of a page as one script; it says on stderr which one begins."""
    parts = ["set -euo pipefail"]
    for block in blocks_of(page):
        if block.mark[0] not in ("not executed", "tested") and (script := block.as_bash()):
            parts.append(f"echo '--- {block.name}' >&2\n{script}")
    return "\n".join(parts)


def _without_prompts(text: str) -> str:
    """Return what is typed of a session; where no line has a prompt, all of it."""
    lines = text.splitlines()
    if not any(line.startswith(_PROMPT) for line in lines):
        return text
    typed, goes_on = [], False
    for line in lines:
        if line.startswith(_PROMPT) or goes_on:
            typed.append(line.removeprefix(_PROMPT))
            goes_on = line.endswith("\\")
    return "\n".join(typed) + "\n"
