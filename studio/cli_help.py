"""The command `help`: the manual of a command, or the overview of all."""

from __future__ import annotations

import click


@click.command("help")
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def show_help(context: click.Context, words: tuple[str, ...]) -> None:
    """Show the manual of a command; without one, what there is."""
    root = context.find_root()
    found, place = root.command, root
    for word in words:
        below = found.get_command(place, word) if isinstance(found, click.Group) else None
        if below is None:
            known = found.list_commands(place) if isinstance(found, click.Group) else []
            raise click.UsageError(f"There is no command {word!r} here; {_known(known)}.")
        place = click.Context(below, info_name=word, parent=place)
        found = below
    click.echo(found.get_help(place))


def _known(names: list[str]) -> str:
    return f"there are {', '.join(names)}" if names else "it has none below it"
