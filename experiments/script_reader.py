"""Read what a training script declares without running it: its arguments and its metrics.

Pure: `ast` alone. Any bytes are answered; what cannot be read gives facts with a `problem`.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from experiments.script_constants import Constants
from experiments.space.literals import is_number

# Parsing takes a second for each few megabytes; no person writes such a script.
MAX_BYTES: Final = 400_000
MAX_FOUND: Final = 300
_LOG_ONE: Final = ("log_metric", "log_list", "log_row")
_FLAG_ACTIONS: Final = ("store_true", "store_false", "store_const", "count", "append_const")
_NO_VALUE: Final = ("help", "version")
# What makes a parser that has only the arguments in sight.
_MAKERS: Final = (
    "ArgumentParser", "add_argument_group", "add_mutually_exclusive_group", "add_parser",
    "add_subparsers",
)  # fmt: skip
_NO_RUNS: Final = ("logger", "logging", "log", "LOG", "LOGGER", "_logger", "console")


@dataclass(frozen=True, slots=True)
class ScriptArgument:
    """One `add_argument`: its options (`--lr`), and what it says about its values.

    `type` is int, float, str, bool, or "" for any other callable; `default` is None where it is
    not given or not a constant.
    """

    options: tuple[str, ...]
    type: str = "str"
    default: Any = None
    choices: tuple[Any, ...] = ()
    help: str = ""
    takes_one_value: bool = True

    @property
    def name(self) -> str:
        """The hyperparameter that would set it: the first long option, without its dashes."""
        long = next((option for option in self.options if option.startswith("--")), "")
        return long.removeprefix("--")


@dataclass(frozen=True, slots=True)
class ScriptFacts:
    """What a script declares; `is_whole` unless there may be arguments that cannot be seen."""

    arguments: tuple[ScriptArgument, ...] = ()
    metrics: tuple[str, ...] = ()
    is_whole: bool = False
    problem: str = ""

    def undeclared(self, name: str) -> str:
        """Return why the script will refuse a hyperparameter; "" when it takes it, or may."""
        if not self.is_whole or not self.arguments:
            return ""
        option = name if name.startswith("--") else f"--{name}"
        options = [known for argument in self.arguments for known in argument.options]
        if option in options:
            return ""
        # argparse takes the beginning of an option where only one begins so.
        if len({known for known in options if known.startswith(option)}) == 1:
            return ""
        alike = [known for known in options if _folded(known) == _folded(option)]
        advice = f"; it has {alike[0]}" if alike else ""
        return f"The script declares no argument {option}{advice}."


def read_script(source: bytes) -> ScriptFacts:
    """Return what the bytes of a Python file declare."""
    if len(source) > MAX_BYTES:
        size = f"{len(source) / 1e6:.1f} MB"
        return ScriptFacts(problem=f"The script has {size}, too much to look for its arguments.")
    return _read(bytes(source))


@lru_cache(maxsize=16)
def _read(source: bytes) -> ScriptFacts:
    try:
        # Deprecated escapes in somebody's strings are not news here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(_decoded(source))
    except SyntaxError as error:
        where = f" in line {error.lineno}" if error.lineno else ""
        return ScriptFacts(problem=f"The script is not Python{where}: {error.msg}.")
    except (ValueError, RecursionError, MemoryError):
        return ScriptFacts(problem="The script cannot be read as Python.")
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    constants = Constants(tree)
    arguments, is_whole = _find_arguments(tree, calls, constants)
    metrics = dict.fromkeys(name for call in calls for name in _metric_names(call, constants))
    return ScriptFacts(
        arguments=tuple(arguments[:MAX_FOUND]),
        metrics=tuple(list(metrics)[:MAX_FOUND]),
        is_whole=is_whole,
    )


def _decoded(source: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    except SyntaxError:
        encoding = "utf-8"
    # One odd character in a comment must not hide the arguments.
    return source.decode(encoding, errors="replace").removeprefix("\ufeff")


def _find_arguments(
    tree: ast.Module, calls: list[ast.Call], constants: Constants
) -> tuple[list[ScriptArgument], bool]:
    found: list[ScriptArgument] = []
    parsers = {"parser"}
    is_whole = True
    for call in calls:
        method = _method(call)
        if method == "add_argument":
            argument = _argument(call, constants)
            is_whole = is_whole and argument is not None
            found += [argument] if argument and argument.options[0].startswith("-") else []
            parsers.add(_receiver(call))
        elif method == "parse_known_args":
            is_whole = False
    return found, is_whole and not _may_have_more(tree, calls, parsers)


def _may_have_more(tree: ast.Module, calls: list[ast.Call], parsers: set[str]) -> bool:
    """Tell whether somebody else may add arguments: `add_common(parser)`, `parents=`, a factory."""
    made_elsewhere = any(
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and _method(node.value) not in _MAKERS
        and any(isinstance(target, ast.Name) and target.id in parsers for target in node.targets)
        for node in ast.walk(tree)
    )
    handed_on = any(
        isinstance(value, ast.Name) and value.id in parsers
        for call in calls
        for value in (*call.args, *(keyword.value for keyword in call.keywords))
    )
    has_parents = any(keyword.arg == "parents" for call in calls for keyword in call.keywords)
    return made_elsewhere or handed_on or has_parents


def _argument(call: ast.Call, constants: Constants) -> ScriptArgument | None:
    """Return what one `add_argument` declares; None when its options are not constants."""
    options = [constants.text(value) for value in call.args]
    texts = tuple(option for option in options if option)
    if not texts or len(texts) < len(options) or any(k.arg is None for k in call.keywords):
        return None
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    action = _last_name(given.get("action"), constants)
    default = constants.value(given.get("default"))
    choices = constants.value(given.get("choices"))
    is_flag = action in _FLAG_ACTIONS or action in _NO_VALUE or action == "BooleanOptionalAction"
    return ScriptArgument(
        options=texts,
        type="bool" if is_flag else _type(given.get("type"), constants),
        default=default if isinstance(default, bool | str) or is_number(default) else None,
        choices=tuple(choices) if isinstance(choices, list | tuple | set | range) else (),
        help=constants.text(given.get("help")) or "",
        takes_one_value=not is_flag and _takes_one(given.get("nargs"), constants),
    )


def _takes_one(nargs: ast.expr | None, constants: Constants) -> bool:
    return nargs is None or constants.value(nargs) in (1, "?")


def _type(node: ast.expr | None, constants: Constants) -> str:
    if node is None:
        return "str"
    name = _last_name(node, constants)
    return name if name in ("int", "float", "str", "bool") else ""


def _metric_names(call: ast.Call, constants: Constants) -> Iterator[str]:
    """Yield what a call logs under a constant name."""
    method = _method(call)
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    first = call.args[0] if call.args else keywords.get("name", keywords.get("key"))
    if method in ("log_metrics", "log") and isinstance(first, ast.Dict):
        yield from filter(None, (constants.text(key) for key in first.keys if key))
    elif method == "log":
        # `log` is a common word: logarithms have no name, and logging has no value.
        has_value = len(call.args) > 1 or "value" in keywords
        is_run = _receiver(call) not in _NO_RUNS
        name = constants.text(first) if has_value and is_run else None
        yield from [name] if name else []
    elif method in _LOG_ONE:
        name = constants.text(first)
        yield from [name] if name else []


def _method(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    # `from mlflow import log_metric`; a bare log(...) is nearly always a logarithm.
    return "" if name == "log" else name


def _receiver(call: ast.Call) -> str:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return owner.id if isinstance(owner, ast.Name) else ""


def _last_name(node: ast.expr | None, constants: Constants) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name) and constants.text(node) is None:
        return node.id
    return constants.text(node) or ""


def _folded(option: str) -> str:
    return option.lstrip("-").replace("-", "_").lower()
