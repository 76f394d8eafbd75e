"""The console script `studio`: names its commands and loads the one that is called.

Commands live in cli_<subject>.py and are imported on use, so that `studio list` never pays for
Django or numpy.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

import click

from studio.cli_manual import attach_manual
from studio.cli_output import EXIT_UNREACHABLE, EXIT_WRONG, explain_refusal
from studio.sdk.client import StudioRefusedError, StudioUnreachableError

# section -> name -> (module:function, one line of help), in the order of the help page.
SECTIONS: Final = {
    "Studio": {
        "up": ("studio.cli_local:up", "Start the whole studio on this machine."),
        "doctor": ("studio.cli_local:doctor", "Check every part and say how to mend it."),
        "maintenance": (
            "studio.cli_maintenance:maintenance",
            "Let no new runs start for a while.",
        ),
        "token": ("studio.cli_token:token", "Make, list and revoke API tokens."),
        "quota": ("studio.cli_quota:quota", "Show what workspaces may use, and set it."),
    },
    "Sweeps": {
        "submit": ("studio.cli_submit:submit", "Submit a sweep from a specification file."),
        "list": ("studio.cli_sweeps:list_sweeps", "List sweeps, newest first."),
        "show": ("studio.cli_sweeps:show", "Show one sweep."),
        "runs": ("studio.cli_sweeps:runs", "List the runs of a sweep."),
        "best": ("studio.cli_sweeps:best", "Show the winning hyperparameters of a sweep."),
        "logs": ("studio.cli_logs:logs", "Print the log of a run, or of a whole sweep."),
        "cancel": ("studio.cli_sweeps:cancel", "Cancel a sweep or a run."),
        "pause": ("studio.cli_life:pause", "Start no new runs of a sweep for now."),
        "resume": ("studio.cli_life:resume", "Let a paused sweep go on."),
        "retry": ("studio.cli_life:retry", "Repeat a run, or all failed runs of a sweep."),
    },
    "Results": {
        "export": ("studio.cli_export:export", "Write runs and reports to a file."),
        "import": ("studio.cli_import:import_", "Bring in runs that ran elsewhere."),
        "trash": ("studio.cli_trash:trash", "Move sweeps to the trash and bring them back."),
        "purge": ("studio.cli_purge:purge", "Remove sweeps, outputs and leftovers for good."),
    },
    "Compute": {
        "compute": ("studio.cli_compute:compute", "List, add, change and test compute targets."),
        "worker": ("studio.cli_local:worker", "Attach this machine to a compute target."),
    },
    "Help": {
        "help": ("studio.cli_help:show_help", "Show the manual of a command, or this overview."),
        "completion": ("studio.cli_completion:completion", "Print a script for bash, zsh or fish."),
    },
}
COMMANDS: Final = {name: entry for part in SECTIONS.values() for name, entry in part.items()}


class LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, function = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), function)
        return attach_manual(command, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for title, part in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), line) for name, (_, line) in part.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sweep-studio", prog_name="studio")
def studio() -> None:
    """Sweep Studio: tune hyperparameters on your own machines.

    The studio of this machine is found by itself; for another one set STUDIO_URL and STUDIO_TOKEN.

    `studio help COMMAND` is the manual of a command: its options, examples, exit codes and
    environment variables. Commands write tables on a terminal, tab-separated values in a pipe, and
    JSON with --json.
    """


def main() -> None:
    """Run one command; say what went wrong in one sentence and exit as the contract says."""
    try:
        studio(prog_name="studio", standalone_mode=True)
    except StudioUnreachableError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_UNREACHABLE)
    except StudioRefusedError as error:
        explain_refusal(error)
        sys.exit(EXIT_WRONG if error.status in {400, 422} else 1)


if __name__ == "__main__":
    main()
