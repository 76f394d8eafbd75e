"""Every script that the scripts of a page import, named in its head.

Without that a browser learns of each step of a chain of imports when the step before has come.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

# Imports stand at the top, each of them whole or with its names on lines of their own.
_IMPORT: Final = re.compile(r'^(?:import\b[^"\n]*|\} from )"(\.{1,2}/[^"]+)"', re.MULTILINE)


@register.simple_tag
def module_preloads(name: str) -> SafeString:
    """Ask for a module and everything that it imports at once; `name` is below static/."""
    addresses = ((static(module),) for module in modules_of(name))
    return format_html_join("", '<link rel="modulepreload" href="{}">', addresses)


@lru_cache(maxsize=64)
def modules_of(name: str) -> tuple[str, ...]:
    """Return a module and all that it imports, itself first."""
    found: dict[str, None] = {}
    _collect(name, found)
    return tuple(found)


def _collect(name: str, found: dict[str, None]) -> None:
    if name in found:
        return
    path = finders.find(name)
    # Some finders answer with an empty list.
    if not isinstance(path, str):
        return
    found[name] = None
    for imported in _IMPORT.findall(Path(path).read_text("utf-8")):
        _collect(posixpath.normpath(posixpath.join(posixpath.dirname(name), imported)), found)
