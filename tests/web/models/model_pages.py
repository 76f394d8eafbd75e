"""Addresses and words of the pages of models."""

from __future__ import annotations

from django.urls import reverse

from tests.web.page_facts import PageFacts


def at(name, version, *more):
    """Address of a page about a model or one of its versions."""
    model = version.model
    by_number = name.startswith(("version_", "model_version"))
    number = [version.number] if by_number else []
    return reverse(name, args=[model.workspace.slug, model.name, *number, *more])


def text_of(page):
    """All words of a page, in a line."""
    return " ".join(PageFacts(page.content.decode()).text)
