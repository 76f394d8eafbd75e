"""What administrators do to accounts of others; what people do to their own: services.accounts."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from experiments.services.accounts import reason_to_stay
from experiments.services.audit import Act, record
from experiments.services.refused import Refused


def activate_account(user: User, *, by: User) -> bool:
    """Open a closed account again: its person may sign in; False when it was open."""
    with transaction.atomic():
        if not User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
            return False
        record(Act.ACCOUNT_OPENED, by=by, about=user.get_username())
    return True


def check_stays_administrated(user: User) -> None:
    """Refuse what would leave the studio without an active administrator.

    Raises:
        Refused: this is the last one.
    """
    if reason := reason_to_stay(user, erase=False):
        raise Refused(reason)
