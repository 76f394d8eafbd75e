"""The documentation at /docs/: pages, their pictures, the files of examples, looking for words.

Help for everybody who reaches the studio, signed in or not; nothing here depends on who asks.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.http import urlencode
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from experiments.documentation.catalogue import Catalogue, version_of
from experiments.documentation.finding import MOST_HITS, find_sections, words_of
from experiments.documentation.pictures import KINDS
from experiments.documentation.rendering import code_block

_MOST_TYPED: Final = 200
# An example that is larger is no text to read.
_LARGEST_EXAMPLE: Final = 200_000
_YEAR: Final = 365 * 24 * 3600


def catalogue() -> Catalogue:
    """Return the pages with the addresses at which this studio serves them."""
    return _catalogue(Path(settings.BASE_DIR), reverse("docs"))


@cache
def _catalogue(root: Path, url: str) -> Catalogue:
    return Catalogue(root, url)


@login_not_required
@require_safe
def page(request: HttpRequest, name: str = "") -> HttpResponseBase:
    """Show one page; a file's name leads to its page, an unknown one to those it looks like."""
    found = catalogue().page(name)
    if found is None:
        renamed = catalogue().renamed(name)
        return _missing(request, name) if renamed is None else redirect(_url(renamed))
    before, after = catalogue().beside(name)
    context = {
        "page": found,
        # What the renderer wrote: it escapes all that it takes from the file.
        "html": mark_safe(found.html),  # noqa: S308
        "before": before,
        "after": after,
    }
    return _render(request, "docs", context)


@login_not_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Show the sections that hold all of the words."""
    text = request.GET.get("q", "")[:_MOST_TYPED].strip()
    words = words_of(text)
    hits = find_sections(catalogue().pages(), words)
    context = {"text": text, "words": words, "hits": hits, "is_cut": len(hits) == MOST_HITS}
    return _render(request, "docs_search", context)


@login_not_required
@require_safe
def image(request: HttpRequest, name: str) -> HttpResponseBase:
    """Send a picture; the address that a page gives has its version, so it may be kept for good."""
    folder = Path(settings.BASE_DIR) / "docs" / "images"
    path = folder / name
    if path.parent != folder or path.suffix not in KINDS or not path.is_file():
        raise Http404(f"There is no picture {name}.")
    version = version_of(path)
    is_named = request.GET.get("v") == version
    response = HttpResponse(path.read_bytes(), content_type=KINDS[path.suffix])
    response["ETag"] = f'"{version}"'
    response["Cache-Control"] = f"public, max-age={_YEAR}, immutable" if is_named else "no-cache"
    if path.suffix == ".webp":  # it does not shrink any more
        response["Content-Encoding"] = "identity"
    return get_conditional_response(request, etag=response["ETag"], response=response) or response


@login_not_required
@require_safe
def example(request: HttpRequest, path: str = "") -> HttpResponseBase:
    """Show a file of the examples, or what is in a folder of them."""
    top = Path(settings.BASE_DIR).resolve() / "examples"
    file = (top / path).resolve()
    names = f"examples/{path}".strip("/")
    if not file.is_relative_to(top) or not file.exists() or "__pycache__" in file.parts:
        return _missing(request, names)
    if file.is_dir():
        inside = sorted(file.iterdir(), key=lambda one: (one.is_file(), one.name))
        listed = [f"{one.name}{'' if one.is_file() else '/'}" for one in inside]
        context = {"names": names, "listed": [one for one in listed if one[0] not in "._"]}
        return _render(request, "docs_example", context)
    if file.stat().st_size > _LARGEST_EXAMPLE:
        return _missing(request, names)
    text = file.read_text("utf-8", errors="replace")
    code = mark_safe(code_block(text))  # noqa: S308 - escaped by what writes it
    return _render(request, "docs_example", {"names": names, "code": code})


def _missing(request: HttpRequest, name: str) -> HttpResponse:
    plain = name.strip("/")
    words = plain.rpartition("/")[2].removesuffix(".md").replace("-", " ").replace("_", " ")
    context = {
        "name": plain,
        "nearest": catalogue().nearest(plain.removesuffix(".md")),
        "search_url": f"{reverse('docs_search')}?{urlencode({'q': words})}",
    }
    return _render(request, "docs_missing", context, status=404)


def _render(
    request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    context = {"groups": catalogue().groups, **context}
    return render(request, f"experiments/{template}.html", context, status=status)


def _url(name: str) -> str:
    return reverse("docs_page", args=[name]) if name else reverse("docs")
