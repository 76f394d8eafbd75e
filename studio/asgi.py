"""Table of protocols: HTTP to Django, websockets to the consumers."""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")
django.setup(set_prefix=False)

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import (
    AllowedHostsOriginValidator,
    WebsocketDenier,
)
from django.conf import settings

from experiments.api.mlflow.asgi import with_mlflow
from experiments.routing import websocket_urlpatterns
from studio.body_limits import with_body_limits
from studio.handler import OneCallHandler
from studio.http_metrics import with_sockets_counted
from studio.observing import observe
from studio.prefix import below_prefix
from studio.request_threads import in_kept_threads, in_one_thread
from studio.socket_origin import from_own_pages
from studio.version import VERSION

# Read while the code on the disk is what this process was started from.
__version__ = VERSION

# The origin must be a host of ours, and the one that was asked: the first keeps out names that were
# bent to this address, the second other programs on the same machine.
_sockets = from_own_pages(
    AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    WebsocketDenier.as_asgi(),
    public_url=settings.STUDIO_PUBLIC_URL if settings.STUDIO_TLS else "",
)
_http = in_kept_threads(OneCallHandler())
application = below_prefix(
    ProtocolTypeRouter(
        {
            "http": with_mlflow(with_body_limits(_http, observe), observe),
            "websocket": with_sockets_counted(in_one_thread(_sockets)),
        }
    ),
    settings.STUDIO_BASE_PATH,
)
