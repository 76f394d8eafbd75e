"""Texts of the manual for commands that need no running studio: tokens, doctor, help and such."""

from __future__ import annotations

from typing import Final

from studio.cli_page import Page

HOME: Final = {
    "STUDIOHOME": "data folder",
    "DATABASE_URL": "database; default: SQLite in the data folder",
    "REDIS_URL": "Redis-protocol server; default: one of its own",
}
LOCAL: Final = {0: "done", 1: "it did not go well", 2: "the command is wrong"}

LOCAL_PAGES: Final[dict[str, Page]] = {
    "token": Page(
        examples=[("studio token create laptop --scope write", "print a token, once")],
        exits=LOCAL,
        variables=HOME,
        see_also=["token create", "token list", "token revoke"],
    ),
    "token create": Page(
        arguments={"NAME": "what you call it"},
        examples=[
            ("studio token create laptop --expires 30d", "for the command line elsewhere"),
            ("studio token create rack --compute gpu", "for machines that attach to gpu"),
        ],
        exits=LOCAL,
        variables=HOME,
        see_also=["token revoke", "worker"],
    ),
    "token list": Page(
        examples=[("studio token list --json", "names, scopes and last use")],
        exits=LOCAL,
        variables=HOME,
        see_also=["token revoke"],
    ),
    "token revoke": Page(
        arguments={"NAME": "what it is called"},
        examples=[("studio token revoke laptop", "make it useless at once")],
        exits=LOCAL,
        variables=HOME,
        see_also=["token list"],
    ),
    "doctor": Page(
        examples=[("studio doctor", "check every part, say how to mend what is wrong")],
        exits={0: "all is well", 1: "something is wrong"},
        variables=HOME,
        see_also=["up", "compute test"],
    ),
    "completion": Page(
        arguments={"SHELL": "bash, zsh or fish"},
        examples=[
            ('eval "$(studio completion bash)"', "in ~/.bashrc"),
            ('eval "$(studio completion zsh)"', "in ~/.zshrc"),
            ("studio completion fish > ~/.config/fish/completions/studio.fish", "once"),
        ],
        exits={0: "done", 2: "the shell is not known"},
        see_also=["help"],
    ),
    "help": Page(
        arguments={"COMMAND...": "a command, such as: compute add"},
        examples=[("studio help import csv", "as studio import csv --help")],
        exits={0: "done", 2: "there is no such command"},
        variables={},
        see_also=["completion"],
    ),
}
