"""Every command has a manual, and what the manual shows exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from studio.cli import COMMANDS, studio
from studio.cli_completion import SHELLS
from studio.cli_pages import PAGES


def all_commands(
    group: click.Group, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from all_commands(command, (*path, name))


EVERY = dict(all_commands(studio))


def test_every_command_of_the_contract_is_there():
    wanted = (
        "up worker submit list show runs best logs cancel pause resume retry export compute token "
        "doctor import completion help"
    )
    assert set(wanted.split()) <= set(COMMANDS)
    assert {" ".join(path) for path in EVERY} == set(PAGES)


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_manual_shows_what_exists(path):
    page, command = PAGES[" ".join(path)], EVERY[path]
    names = {
        parameter.make_metavar(click.Context(command)).strip("[]{}").replace("]...", "...")
        for parameter in command.params
        if isinstance(parameter, click.Argument)
    }

    assert page.examples
    assert {name.upper() for name in page.arguments} == {
        "SHELL" if name.startswith("bash|") else name.upper() for name in names
    }
    for other in page.see_also:
        assert tuple(other.split()) in EVERY
    for line, _ in page.examples:
        for words in re.findall(r"(?:^|\$\()(studio [^|>)]*)", line):
            check_words(shlex.split(words.rstrip('"'))[1:])


def check_words(words: list[str]) -> None:
    command: click.Command = studio
    context = click.Context(studio)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(context, words.pop(0))
        assert below is not None
        command = below
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if word.startswith("-")} - known == set()


def test_json_is_everywhere_but_where_nothing_is_told():
    without = {
        " ".join(path)
        for path, command in EVERY.items()
        if not any("--json" in parameter.opts for parameter in command.params)
    }
    assert without == {
        "up", "worker", "completion", "help", "import", "maintenance", "token", "trash", "purge",
    }  # fmt: skip


def test_help_is_the_manual_of_a_command():
    run = CliRunner()
    shown = run.invoke(studio, ["help", "import", "csv"])
    same = run.invoke(studio, ["import", "csv", "--help"])
    assert shown.exit_code == same.exit_code == 0
    assert shown.output == same.output
    for title in ("Arguments:", "Examples:", "Exit codes:", "Environment variables:", "See also:"):
        assert title in shown.output
    assert run.invoke(studio, ["help", "nothing"]).exit_code == 2
    assert run.invoke(studio, ["help"]).output.startswith("Usage: studio")


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_is_a_script_of_the_shell(shell):
    done = CliRunner().invoke(studio, ["completion", shell])

    assert done.exit_code == 0
    assert f"_STUDIO_COMPLETE={shell}_complete" in done.output
