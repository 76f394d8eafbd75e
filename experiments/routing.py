"""Addresses of the websockets."""

from __future__ import annotations

from django.urls import path

from experiments.consumers import SweepConsumer, SweepListConsumer

websocket_urlpatterns = [
    path("ws/sweeps/", SweepListConsumer.as_asgi()),
    path("ws/sweeps/<str:sweep_id>/", SweepConsumer.as_asgi()),
]
