"""The e-mail that brings an invitation to the address it is for."""

from __future__ import annotations

from experiments import clock
from experiments.models import Invitation
from experiments.notify.texts import one_line
from experiments.permissions import ROLE_MEANINGS, Role
from experiments.services.account_mail import AccountMail, send_later


def mail_invitation(invitation: Invitation, url: str) -> bool:
    """Send the link of a new invitation to its address; False where that cannot be done.

    The link is nowhere but in this message and on the page of who made it.
    """
    if not invitation.email:
        return False
    by = invitation.created_by
    who = one_line((by.get_full_name() or by.get_username()) if by else "Somebody", 80)
    where = one_line(invitation.workspace.name, 80)
    role = Role(invitation.role)
    lines = [
        f"{who} invites you to the workspace “{where}” as {role}: who {ROLE_MEANINGS[role]}.",
        f"The link works once, until {invitation.expires_at:%-d %B %Y}, for an account with this "
        "address. If you did not expect it, do nothing.",
    ]
    title = f"{who} invites you to “{where}”"
    mail = AccountMail(invitation.email, title, lines, url, "Look at the invitation")
    if not send_later(mail):
        return False
    invitation.mailed_at = clock.now()
    invitation.save(update_fields=["mailed_at"])
    return True
