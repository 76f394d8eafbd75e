"""The only addresses of single sign-on; none of allauth's own is reachable."""

from __future__ import annotations

from django.urls import path

from experiments.single_sign_on import views

urlpatterns = [
    path("single-sign-on/", views.begin, name="single_sign_on"),
    path("single-sign-on/callback/", views.callback, name="single_sign_on_callback"),
]
