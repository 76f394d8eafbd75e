"""The script and the style of the notebook's widget: one text each, made of the pages' own files.

A widget gets one ES module, the pages have many; this joins them when a widget is made, so that
there is one way to draw a chart. Standard library only; Python 3.8 syntax.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Callable, List, Tuple

ENTRY = "notebook/widget.js"
STYLES = (
    "tokens.css",
    "base.css",
    "components.css",
    "fields.css",
    "floating.css",
    "pages/charts.css",
    "notebook.css",
)
ICONS = "img/icons.svg"

_PACKAGE = Path(__file__).resolve().parent.parent
# Below the package in a wheel, beside it in a checkout (studio/env.py:files_root).
_FILES = _PACKAGE / "_files"
_STATIC = (_FILES if _FILES.is_dir() else _PACKAGE.parent) / "static"

_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(
    r"^export (?=(?:async function|function|class|const) ([A-Za-z_$][\w$]*))", re.MULTILINE
)
_LEFT = re.compile(r"^(?:import|export)\b.*$|\bimport\(", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def load() -> Tuple[str, str, str]:
    """Return script, style and icons.

    Raises:
        FileNotFoundError: this is a run's copy of the client, which draws nothing.
    """
    return join_script(_STATIC / "js"), join_style(_STATIC / "css"), _read(_STATIC / ICONS)


def join_script(root: Path, entry: str = ENTRY) -> str:
    """Return one ES module that does what `entry` and all it imports do.

    Each module becomes a function of its own, called once, after those that it imports.

    Raises:
        ValueError: a module is written in a way that the pages do not use either.
    """
    order: List[str] = []
    _visit(entry, (), order, lambda name: _read(root / name))
    parts = [_wrapped(name, _read(root / name)) for name in order]
    return "\n".join([*parts, "export default %s.default;\n" % _variable(entry)])


def join_style(root: Path) -> str:
    """Return the style sheets as one for a shadow root, whose host stands for the page."""
    text = "\n".join(_read(root / name) for name in STYLES)
    # A selector of the document's root never matches within a shadow root.
    return _COMMENT.sub("", text).replace(":root", ":host")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _visit(name: str, above: Tuple[str, ...], order: List[str], read: Callable[[str], str]) -> None:
    """Add a module to the order after all that it imports."""
    if name in above:
        raise ValueError("%s imports itself: %s." % (name, " > ".join([*above, name])))
    if name in order:
        return
    for _, address in _IMPORT.findall(read(name)):
        _visit(_resolved(name, address), (*above, name), order, read)
    order.append(name)


def _resolved(name: str, address: str) -> str:
    """Return the module that a relative address in another one means."""
    parts: List[str] = []
    for part in (PurePosixPath(name).parent / address).parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _wrapped(name: str, text: str) -> str:
    """Return a module as a constant with what it exports."""
    exported = {found: found for found in _EXPORT.findall(text)}

    def taken(match: "re.Match[str]") -> str:
        names = ", ".join(_renamed(n) for n in match.group(1).split(",") if n.strip())
        return "const { %s } = %s;\n" % (names, _variable(_resolved(name, match.group(2))))

    body = _EXPORT.sub("", _IMPORT.sub(taken, text))
    if "export default " in body:
        body = body.replace("export default ", "const $default = ")
        exported["default"] = "$default"
    left = _LEFT.search(body)
    if left is not None:
        raise ValueError("%s: '%s' cannot be joined." % (name, left.group(0)))
    made = ", ".join("%s: %s" % pair for pair in exported.items())
    return "const %s = (() => {\n%sreturn { %s };\n})();" % (_variable(name), body, made)


def _renamed(name: str) -> str:
    return ": ".join(name.strip().split(" as "))


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name[: -len(".js")])
