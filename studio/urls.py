"""Table of HTTP addresses."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from experiments.api.mlflow import views as mlflow
from experiments.api.v1 import api
from experiments.views.account import admin_sign_in
from studio import checks, health
from studio.metrics import metrics
from studio.readiness import readyz

urlpatterns = [
    path("admin/login/", admin_sign_in),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    path("api/", include(mlflow.urlpatterns)),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("", include("experiments.urls")),
]

# Whoever follows a link to a sweep in the trash is told where it is.
handler404 = "experiments.views.trash.not_found"
handler500 = "studio.failing.server_error"

# Imported so that its checks are registered.
CHECKS = checks
