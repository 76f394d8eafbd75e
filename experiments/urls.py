"""Addresses of the product's pages."""

from __future__ import annotations

from django.urls import path

from experiments.views import (
    account,
    best,
    charts,
    compute,
    live_sweep,
    runs,
    sweep,
    sweep_export,
    sweep_form,
    sweeps,
)

urlpatterns = [
    path("", sweeps.home, name="home"),
    path("sign-in/", account.sign_in, name="sign_in"),
    path("sign-in/<str:token>/", account.sign_in_link, name="sign_in_link"),
    path("sign-out/", account.sign_out, name="sign_out"),
    path("account/password/", account.password, name="account_password"),
    path("sweeps/", sweeps.sweep_list, name="sweeps"),
    path("sweeps/new/", sweep_form.new, name="sweep_new"),
    path("sweeps/new/check/", sweep_form.check, name="sweep_check"),
    path("sweeps/new/preview/", sweep_form.preview, name="space_preview"),
    path("sweeps/new/script/", sweep_form.script, name="script_facts"),
    path("sweeps/<str:sweep_id>/", sweep.overview, name="sweep"),
    path("sweeps/<str:sweep_id>/runs/", sweep.runs, name="sweep_runs"),
    path("sweeps/<str:sweep_id>/charts/", sweep.charts, name="sweep_charts"),
    path("sweeps/<str:sweep_id>/charts/<slug:name>.json", charts.chart, name="chart_data"),
    path("sweeps/<str:sweep_id>/configuration/", sweep.configuration, name="sweep_configuration"),
    path(
        "sweeps/<str:sweep_id>/specification/<slug:format_name>",
        sweep_export.download,
        name="sweep_export",
    ),
    path("sweeps/<str:sweep_id>/logs/", sweep.logs, name="sweep_logs"),
    path("sweeps/<str:sweep_id>/best/", best.best_model, name="sweep_best"),
    path("sweeps/<str:sweep_id>/cancel/", sweep.cancel, name="sweep_cancel"),
    path("sweeps/<str:sweep_id>/pause/", live_sweep.pause, name="sweep_pause"),
    path("sweeps/<str:sweep_id>/resume/", live_sweep.resume, name="sweep_resume"),
    path("sweeps/<str:sweep_id>/retry/", live_sweep.retry_failed, name="sweep_retry"),
    path("sweeps/<str:sweep_id>/limits/", live_sweep.limits, name="sweep_limits"),
    path("runs/<str:run_id>/", runs.run, name="run"),
    path("runs/<str:run_id>/retry/", live_sweep.retry_run, name="run_retry"),
    path("runs/<str:run_id>/clone/", live_sweep.clone_run, name="run_clone"),
    path("runs/<str:run_id>/cancel/", runs.cancel, name="run_cancel"),
    path("runs/<str:run_id>/log/", runs.log, name="run_log"),
    path("runs/<str:run_id>/files.zip", runs.archive, name="run_archive"),
    path("runs/<str:run_id>/files/<path:path>", runs.file, name="run_file"),
    path("compute/", compute.compute, name="compute"),
]
