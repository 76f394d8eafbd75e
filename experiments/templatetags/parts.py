"""Parts of a page that fail alone: the rest of the page is shown, and the log has the details.

{% part "Activity" %} … {% endpart %}; what is costly is made inside, by a `once` of
`experiments/views/parts.py`. {% part "Queue" shared %} is taken from the mapping `rendered` of the
context, and put there: the same for everybody whom the view gives the same mapping.
"""

from __future__ import annotations

import logging

from django import template
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

logger = logging.getLogger(__name__)
register = template.Library()

_FAILED = "experiments/_part_failed.html"


@register.tag
def part(parser: Parser, token: Token) -> PartNode:
    """Take everything up to `endpart` as one part with a name."""
    words = token.split_contents()
    if len(words) != 2 and words[2:] != ["shared"]:
        raise template.TemplateSyntaxError("part takes a name, and perhaps the word shared")
    nodes = parser.parse(("endpart",))
    parser.delete_first_token()
    return PartNode(parser.compile_filter(words[1]), nodes, is_shared=len(words) == 3)


class PartNode(template.Node):
    """What stands between the tags, or the sentence that it cannot be shown."""

    def __init__(self, name: FilterExpression, nodelist: NodeList, *, is_shared: bool) -> None:
        self.name = name
        self.nodelist = nodelist
        self.is_shared = is_shared

    def render(self, context: Context) -> SafeString:
        """Render the part; what goes wrong in it is logged and stays in it."""
        name = str(self.name.resolve(context))
        rendered: dict[str, SafeString] = context["rendered"] if self.is_shared else {}
        if name in rendered:
            return rendered[name]
        try:
            rendered[name] = self.nodelist.render(context)
        except (Http404, PermissionDenied):
            raise  # an answer of its own, not a fault
        except Exception:
            logger.exception("part %r of %s", name, getattr(context.get("request"), "path", "?"))
            return render_to_string(_FAILED, {"part_name": name})
        return rendered[name]
