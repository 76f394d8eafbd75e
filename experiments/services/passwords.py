"""What a new password does beside replacing the old one, whoever sets it and wherever."""

from __future__ import annotations

from django.contrib.auth.models import User

from experiments.services.sessions import end_sessions


class NewPasswordEndsSessions:
    """Named in AUTH_PASSWORD_VALIDATORS, because Django tells those of every password it stored.

    Also of one that the administration or `manage.py changepassword` sets. Django lets sessions of
    the old password in no more; this takes them off the list and closes their sockets.
    """

    def validate(self, password: str, user: object = None) -> None:
        """Take any password."""

    def get_help_text(self) -> str:
        """Return what people read beside the rules."""
        return "A new password ends every other session of the account."

    def password_changed(self, password: str, user: object = None) -> None:
        """End the sessions of somebody whose password was stored just now."""
        del password
        if isinstance(user, User) and user.pk is not None:
            end_sessions(user)
