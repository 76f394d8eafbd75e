"""Ignore rules mean what they mean to git; the expected files were taken from git itself."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.sdk.ignore_rules import IgnoreRules

TREE = (
    "a.py",
    "b.txt",
    "data/x.csv",
    "data/keep.csv",
    "data/deep/x.csv",
    "docs/a.py",
    "build/out",
    "lib/build/out",
    "lib/a b",
    "#note",
    "!loud",
    "z1",
)


def kept(*lines: str) -> list[str]:
    """Return the files of the tree that are not ignored, asked from the top down."""
    rules = IgnoreRules(lines)
    found = []
    for name in TREE:
        folders = [name[:i] for i, char in enumerate(name) if char == "/"]
        if any(rules.is_ignored(folder, is_folder=True) for folder in folders):
            continue
        if not rules.is_ignored(name, is_folder=False):
            found.append(name)
    return found


@pytest.mark.parametrize(
    ("lines", "ignored"),
    [
        (["# nothing", "", "   "], ""),
        (["data/"], "data/x.csv data/keep.csv data/deep/x.csv"),
        (["data/", "!data/keep.csv"], "data/x.csv data/keep.csv data/deep/x.csv"),
        (["data/*", "!data/keep.csv"], "data/x.csv data/deep/x.csv"),
        (["*.csv", "!keep.csv"], "data/x.csv data/deep/x.csv"),
        (["data/*.csv"], "data/x.csv data/keep.csv"),
        (["data/**/*.csv"], "data/x.csv data/keep.csv data/deep/x.csv"),
        (["**/x.csv"], "data/x.csv data/deep/x.csv"),
        (["build"], "build/out lib/build/out"),
        (["/build"], "build/out"),
        (["lib/**"], "lib/build/out|lib/a b"),
        (["a b"], "lib/a b|"),
        (["a.py/"], ""),
        (["/a.py"], "a.py"),
        (["[ab].py"], "a.py docs/a.py"),
        (["[!a].txt"], "b.txt"),
        (["z[0-9]"], "z1"),
        (["[[:alpha:]][[:digit:]]"], "z1"),
        ([r"\#note", r"\!loud"], "#note !loud"),
        (["#note", "!loud"], ""),
        (["b.txt   "], "b.txt"),
        (["?.*"], "a.py b.txt data/x.csv data/deep/x.csv docs/a.py"),
        (["[z", "x\\"], ""),
    ],
)
def test_rules_ignore_what_git_ignores(lines, ignored):
    separator = "|" if "|" in ignored else None
    gone = [name for name in ignored.split(separator) if name]

    assert kept(*lines) == [name for name in TREE if name not in gone]


def test_only_one_kind_of_file_is_kept_at_any_depth():
    assert kept("*", "!*/", "!*.py") == ["a.py", "docs/a.py"]


@given(st.lists(st.text("ab*?[]!^-\\/# .", max_size=8), max_size=4))
def test_no_line_is_too_strange(lines):
    assert set(kept(*lines)) <= set(TREE)


def test_tree_of_this_project_keeps_its_scripts():
    root = Path(__file__).resolve().parents[2]
    rules = IgnoreRules((root / ".gitignore").read_text().splitlines())

    assert not rules.is_ignored("manage.py", is_folder=False)
    assert rules.is_ignored(".venv", is_folder=True)
    assert os.sep == "/"
