"""Patterns of `.amlignore` and `.gitignore`, read as git reads them.

Pure: matches names, touches no files. Standard library only; Python 3.8 syntax.
"""

import re
from typing import Iterable, List, NamedTuple, Optional, Pattern, Tuple

_POSIX = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": " \\t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}


class _Rule(NamedTuple):
    expression: Pattern[str]
    ignores: bool
    folders_only: bool
    whole_path: bool


class IgnoreRules:
    """The rules of one file; of several that match a name, the last decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules: List[_Rule] = []
        for line in lines:
            rule = _read_rule(line)
            if rule is not None:
                self._rules.append(rule)

    def is_ignored(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether a path (with forward slashes, from the top) is ignored.

        Ask folders before what is in them: in an ignored folder nothing can be taken back.
        """
        name = path.rpartition("/")[2]
        for rule in reversed(self._rules):
            if rule.folders_only and not is_folder:
                continue
            if rule.expression.fullmatch(path if rule.whole_path else name):
                return rule.ignores
        return False


def _read_rule(line: str) -> Optional[_Rule]:
    text = _without_blanks(line.rstrip("\r\n"))
    if not text or text.startswith("#"):
        return None
    ignores = not text.startswith("!")
    if not ignores:
        text = text[1:]
    folders_only = text.endswith("/")
    text = text[:-1] if folders_only else text
    whole_path = "/" in text
    text = text[1:] if text.startswith("/") else text
    expression = _translate(text, whole_path)
    if not text or expression is None:
        return None
    return _Rule(re.compile(expression, re.DOTALL), ignores, folders_only, whole_path)


def _without_blanks(text: str) -> str:
    """Return the text without blanks at its end; one behind a backslash stays."""
    stripped = text.rstrip(" ")
    backslashes = len(stripped) - len(stripped.rstrip("\\"))
    return stripped + " " if backslashes % 2 and len(text) > len(stripped) else stripped


def _translate(text: str, whole_path: bool) -> Optional[str]:
    """Return a regular expression; None where the pattern is broken and matches nothing."""
    parts: List[str] = []
    place = 0
    while place < len(text):
        piece, place = _translate_one(text, place, whole_path)
        if piece is None:
            return None
        parts.append(piece)
    return "".join(parts)


def _translate_one(text: str, place: int, whole_path: bool) -> Tuple[Optional[str], int]:
    char = text[place]
    if char == "*":
        return _translate_stars(text, place, whole_path)
    if char == "?":
        return "[^/]", place + 1
    if char == "[":
        return _translate_class(text, place + 1)
    if char == "\\":
        if place + 1 == len(text):
            return None, place
        return re.escape(text[place + 1]), place + 2
    return re.escape(char), place + 1


def _translate_stars(text: str, place: int, whole_path: bool) -> Tuple[str, int]:
    end = place
    while end < len(text) and text[end] == "*":
        end += 1
    # Git compares the plain beginning of a pattern by itself, so that `a**/b` is `a` and `**/b`.
    starts_part = not set("*?[\\").intersection(text[:place]) or text[place - 1] == "/"
    ends_part = end == len(text) or text[end] == "/"
    if not whole_path or end - place < 2 or not (starts_part and ends_part):
        return "[^/]*", end
    if end == len(text):
        return ".*", end
    return "(?:.*/)?", end + 1  # any number of folders, none among them


def _translate_class(text: str, place: int) -> Tuple[Optional[str], int]:
    """Translate what follows a `[`; None where no `]` ends it."""
    start = "["
    if place < len(text) and text[place] in "!^":
        start, place = "[^/", place + 1
    parts: List[str] = []
    first, before = place, ""
    while place < len(text) and (place == first or text[place] != "]"):
        name = re.match(r"\[:(\w*):\]", text[place:])
        if name:
            if name.group(1) not in _POSIX:
                return None, place
            parts.append(_POSIX[name.group(1)])
            before, place = "", place + name.end()
            continue
        is_range = text[place] == "-" and before and text[place + 1 : place + 2] not in ("", "]")
        char, place = _read_char(text, place + 1 if is_range else place)
        if not char:
            return None, place
        if not is_range:
            parts.append(re.escape(char))
        elif before <= char:  # one that runs backwards is its first character alone
            parts.append("%s-%s" % (re.escape(before), re.escape(char)))
        before = "" if is_range else char
    if place >= len(text):
        return None, place
    return "(?!/)%s%s]" % (start, "".join(parts)), place + 1


def _read_char(text: str, place: int) -> Tuple[str, int]:
    if text[place] == "\\":
        place += 1
    return text[place : place + 1], place + 1
