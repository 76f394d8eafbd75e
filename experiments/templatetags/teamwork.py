"""Template tags of what a team writes: Markdown, tags with the filter that finds them."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

from experiments.markdown import render_markdown
from experiments.models import Star, Sweep
from experiments.queries.sweep_list import tag_filters
from experiments.queries.visible import AnyUser

register = template.Library()


@register.filter
def markdown(text: str) -> SafeString:
    """Write Markdown as HTML; what people wrote is escaped in it."""
    return mark_safe(render_markdown(text))  # noqa: S308 - all text in it is escaped


@register.simple_tag
def has_star(user: AnyUser, sweep: Sweep) -> bool:
    """Tell whether a person starred a sweep."""
    return Star.objects.filter(user=user.pk, sweep=sweep).exists()


@register.filter
def tags_of(sweep: Sweep) -> list[tuple[str, str, str]]:
    """Return the tags of a sweep: name, how it is shown, the filter that finds it."""
    shown = tag_filters(sweep.tags)
    return [(name, text, query) for name, (text, query) in zip(sweep.tags, shown, strict=True)]
