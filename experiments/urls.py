"""Addresses of the product's pages."""

from __future__ import annotations

from django.urls import path

from experiments.views import (
    account,
    best,
    charts,
    check_run,
    compute,
    compute_admin,
    live_sweep,
    model_changes,
    model_register,
    models,
    runs,
    sweep,
    sweep_export,
    sweep_form,
    sweeps,
)

_MODEL = "models/<slug:workspace>/<str:name>"
_VERSION = f"{_MODEL}/<int:number>"

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
    path("sweeps/new/check-run/<str:check_id>/", check_run.show, name="check_run"),
    path("sweeps/new/check-run/<str:check_id>/cancel/", check_run.cancel, name="check_run_cancel"),
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
    path("runs/<str:run_id>/register/", model_register.register, name="run_register"),
    path("models/", models.model_list, name="models"),
    path(f"{_MODEL}/", models.model, name="model"),
    path(f"{_MODEL}/describe/", model_changes.describe_model, name="model_describe"),
    path(f"{_MODEL}/delete/", model_changes.delete_model, name="model_delete"),
    path(f"{_VERSION}/", models.version, name="model_version"),
    path(f"{_VERSION}/mark/", model_changes.mark, name="version_mark"),
    path(f"{_VERSION}/describe/", model_changes.describe_version, name="version_describe"),
    path(f"{_VERSION}/delete/", model_changes.delete_version, name="version_delete"),
    path(f"{_VERSION}/files.zip", models.archive, name="version_archive"),
    path(f"{_VERSION}/files/<path:path>", models.file, name="version_file"),
    path("compute/", compute.compute, name="compute"),
    path("compute/<slug:name>/change/", compute_admin.change, name="compute_change"),
    path("compute/<slug:name>/attach/", compute_admin.attach, name="compute_attach"),
]
