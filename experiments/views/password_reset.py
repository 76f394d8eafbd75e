"""A new password for somebody who forgot theirs: asking for the link, and what it opens."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from experiments.services.account_mail import sends_mail
from experiments.services.accounts import note_password
from experiments.services.password_reset import ask_for_reset, person_of_reset
from experiments.services.refused import Refused
from experiments.services.sessions import Way, begin_session


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Take a name or an address; the answer is the same whether it has an account."""
    context = {"has_server": sends_mail(), "asked": False, "name": "", "error": ""}
    if request.method == "POST" and sends_mail():
        context["name"] = request.POST.get("name", "").strip()
        try:
            ask_for_reset(str(context["name"]))
            context["asked"] = True
        except Refused as error:
            context["error"] = str(error)
    status = 429 if context["error"] else 200
    return render(request, "experiments/password_reset.html", context, status=status)


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Let whoever opened the link choose a password; that uses the link up and signs them in."""
    user = person_of_reset(uid, token)
    if user is None:
        return render(request, "experiments/password_reset_gone.html", status=410)
    form = SetPasswordForm(user, request.POST if request.method == "POST" else None)
    if form.is_valid():
        form.save()
        note_password(user, how="link by e-mail")
        begin_session(request, user, Way.RESET)
        messages.success(request, "Your new password is set; all other sessions have ended.")
        return redirect("home")
    context = {"form": form, "person": user}
    status = 422 if form.is_bound else 200
    return render(request, "experiments/password_reset_choose.html", context, status=status)
