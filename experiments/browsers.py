"""What a browser says of itself, in the words that a person would use. Pure."""

from __future__ import annotations

import re
from typing import Final

# The first that matches wins: nearly all of them also claim to be Chrome, Safari and Mozilla.
_BROWSERS: Final = (
    ("Edge", r"\bEdgA?(?:iOS)?/(\d+)"),
    ("Opera", r"\bOPR/(\d+)"),
    ("Samsung Internet", r"\bSamsungBrowser/(\d+)"),
    ("Firefox", r"\b(?:Firefox|FxiOS)/(\d+)"),
    ("Chromium", r"\bChromium/(\d+)"),
    ("Chrome", r"\b(?:Headless)?(?:Chrome|CriOS)/(\d+)"),
    ("Safari", r"\bVersion/(\d+)[.\d]* (?:Mobile/\S+ )?Safari/"),
    ("curl", r"^curl/(\d+)"),
    ("Python", r"^(?:python-requests|python-httpx|Python-urllib)/(\d+)"),
)
_SYSTEMS: Final = (
    ("iPad", r"\biPad\b"),
    ("iPhone", r"\biPhone\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"\b(?:Macintosh|Mac OS X)\b"),
    ("Linux", r"\bLinux\b"),
)


def browser_words(agent: str) -> str:
    """Return "Firefox 131 on Linux" for a User-Agent header, or how much of that it tells."""
    browser = _browser(agent)
    system = next((name for name, rule in _SYSTEMS if re.search(rule, agent)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or (f"A browser on {system}" if system else "An unknown program")


def _browser(agent: str) -> str:
    for name, rule in _BROWSERS:
        found = re.search(rule, agent)
        if found:
            return f"{name} {found[1]}"
    return ""
