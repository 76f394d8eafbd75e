"""Stars: marks of one person. Whether that person may see the thing is the caller's question."""

from __future__ import annotations

from django.contrib.auth.models import User

from experiments.models import RegisteredModel, Star, Sweep


def set_star(thing: Sweep | RegisteredModel, *, user: User, is_on: bool) -> None:
    """Give a person's star to a sweep or a model, or take it away; twice changes nothing."""
    what = {"sweep": thing} if isinstance(thing, Sweep) else {"model": thing}
    if is_on:
        Star.objects.get_or_create(user=user, **what)
    else:
        Star.objects.filter(user=user, **what).delete()
