"""What is sent to each route: where its parameters point, and what somebody who may would send.

"{live}" stands for ids["live"] of the world. What is asked of a route is right, so that whoever may
do it succeeds: a refusal is then one of rights. Knows no status; that is table.txt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tests.web.form_world import form

# By the name of a parameter, where a route says nothing else below.
PARAMETERS: Final[Mapping[str, str]] = {
    "check_id": "{check}",
    "confirmation": "{confirmation}",
    "delivery_id": "{delivery}",
    "digest": "{snapshot}",
    "announcement_id": "{announcement}",
    "draft_id": "{draft}",
    "format_name": "yaml",
    "ids": "{live},{ended}",
    "invitation_id": "{invitation}",
    "link_id": "{link}",
    "name": "digits",
    "number": "1",
    "path": "outputs/model.bin",
    "removal_id": "{removal}",
    "run_id": "{best}",
    "session_id": "{session}",
    "slug": "{team}",
    "stop_token": "{stop}",
    "sweep_id": "{live}",
    "token": "{share}",
    "token_id": "{token}",
    "uid": "{uid}",
    "user_id": "{pat_pk}",
    "user_name": "pat",
    "view_id": "{view}",
    "webhook_id": "{webhook}",
    "what": "runs",
    "workspace": "{team}",
}
_LOCAL: Final = {"name": "local"}
_FORM: Final = form(snapshot="{snapshot}")
_WEBHOOK: Final = {
    "name": "other",
    "kind": "webhook",
    "url": "https://hooks.example.org/b",
    "events": ["sweep.failed"],
    "state": "on",
}
PASSWORD: Final = "a-long-pass-phrase-7"
_PASSWORDS: Final = dict.fromkeys(("new_password1", "new_password2"), "another-pass-phrase-8")

# --- pages --------------------------------------------------------------------------------------
PAGE_PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "chart_data": {"name": "metrics"},
    "compare_chart": {"name": "compare_best"},
    "compute_attach": _LOCAL,
    "compute_change": _LOCAL,
    "compute_settings": _LOCAL,
    "docs_example": {"path": "digits-mlp/sweep.yaml"},
    "docs_image": {"name": "new-sweep.webp"},
    "docs_page": {"name": "reference/cli"},
    "draft_restore": {"draft_id": "{discarded}"},
    "invitation": {"token": "{invitation_key}"},
    "model_delete": {"name": "empty"},
    "password_reset_link": {"token": "{reset}"},
    "run_cancel": {"run_id": "{running}"},
    "run_outputs": {"run_id": "{doomed_run}"},
    "run_retry": {"run_id": "{failed}"},
    "run_what_if": {"run_id": "{failed}"},
    "shared_chart": {"name": "metrics"},
    "shared_file": {"path": "model.bin"},
    "sign_in_link": {"token": "{sign_in}"},
    "sign_up_proven": {"token": "{proven}"},
    "sweep_outputs": {"sweep_id": "{doomed}"},
    "sweep_resume": {"sweep_id": "{paused}"},
    "version_file": {"path": "model.bin"},
    "workspace_delete": {"slug": "{bare}"},
}
PAGE_QUERIES: Final[Mapping[str, str]] = {
    "compare": "sweeps={live},{ended}",
    "docs_search": "q=bandit",
    "search": "q=live",
    "search_quick": "q=live",
    "shared_curves": "metric=accuracy",
    "webhook_new": "workspace={team}",
}
FORMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "account_address": {"address": "other@example.org"},
    "account_close": {"how": "deactivate", "username": "{me}"},
    "account_name": {"name": "Some One"},
    "account_password": _PASSWORDS,
    "compute_attach": {"machine": "box-2"},
    "compute_change": {"action": "drain"},
    "compute_settings": {"labels": "gpu=a100", "python": ""},
    "draft_save": {"name": "c", "draft_editor": "page-1"},
    "member_add": {"user": "stranger", "role": "Reader"},
    "member_role": {"role": "Contributor"},
    "model_describe": {"description": "new"},
    "notifications": {"email": "on", "events": ["sweep.failed"], "sweeps": ["mine"]},
    "notifications_address": {"address": "other@example.org"},
    "password_reset": {"name": "pat"},
    "password_reset_link": _PASSWORDS,
    "policy_replay": {**_FORM, "replay_from": "{ended}"},
    "run_clone": {"value.lr": "0.5", "value.layers": "1"},
    "run_notes": {"text": "new", "version": "1"},
    "run_register": {"name": "digits", "path": "outputs"},
    "runs_act": {"action": "tag", "tag": "a=1", "run": "0"},
    "runs_columns": {"column": ["number", "lr"]},
    "script_facts": _FORM,
    "sign_in": {"username": "pat", "password": PASSWORD},
    "sign_up": {"email": "newcomer@example.net"},
    "sign_up_proven": {"name": "New Comer", "password": PASSWORD},
    "space_preview": _FORM,
    "sweep_check": _FORM,
    "sweep_limits": {
        "max_total_runs": "90",
        "max_concurrent_runs": "3",
        "max_duration_minutes": "70",
    },
    "sweep_new": _FORM,
    "sweep_notes": {"text": "new", "version": "1"},
    "notes_preview": {"text": "new"},
    "sweep_outputs": {"best": "1"},
    "sweep_share": {"days": "7"},
    "sweep_star": {"star": "on"},
    "sweep_tags": {"add": "a=1"},
    "tokens": {"name": "mine", "scope": "read", "expires": "30"},
    "trash_delete": {"sweep": ["{trashed}"]},
    "trash_empty": {"workspace": "{team}"},
    "trash_move": {"sweep": ["{ended}"]},
    "trash_restore": {"sweep": ["{trashed}"]},
    "version_describe": {"description": "new", "tags": "a=1"},
    "version_mark": {"stage": "staging"},
    "view_change": {"name": "other"},
    "view_save": {"name": "more"},
    "webhook": _WEBHOOK,
    "webhook_new": _WEBHOOK,
    "workspace_invitations": {"role": "Reader", "days": "7", "max_uses": "1"},
    "workspace_new": {"name": "A new one", "slug": "a-new-one"},
    "workspace_rename": {"name": "The team"},
}

# --- REST ---------------------------------------------------------------------------------------
_RUNNING: Final = {"run_id": "{running}", "path": "outputs/model.txt"}
API_PARAMETERS: Final[Mapping[str, Mapping[str, str]]] = {
    "DELETE /models/{name}": {"name": "empty"},
    "DELETE /runs/{run_id}/outputs": {"run_id": "{doomed_run}"},
    "DELETE /sweeps/{sweep_id}": {"sweep_id": "{ended}"},
    "DELETE /sweeps/{sweep_id}/outputs": {"sweep_id": "{doomed}"},
    "POST /runs/{run_id}/retry": {"run_id": "{failed}"},
    "POST /sweeps/{sweep_id}/resume": {"sweep_id": "{paused}"},
    "DELETE /workspaces/{slug}": {"slug": "{bare}"},
    "GET /sweeps/{sweep_id}/charts/{name}": {"name": "metrics"},
}
# By how an address begins.
API_PLACES: Final[Mapping[str, Mapping[str, str]]] = {
    "/attached/": _RUNNING,
    "/compute/": _LOCAL,
    "/models/": {"path": "model.bin"},
    "/runs/": _RUNNING,
    "/trash/": {"sweep_id": "{trashed}"},
}
_FENCE: Final = "fence={fence}"
_EMPTY_FILE: Final = "sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
API_QUERIES: Final[Mapping[str, str]] = {
    "DELETE /sweeps/{sweep_id}/outputs": "keep_best=1",
    "DELETE /trash": "workspace={team}",
    "GET /attached/runs/{run_id}/earlier": _FENCE,
    "GET /attached/runs/{run_id}/files": f"{_FENCE}&path=outputs/a.txt&{_EMPTY_FILE}",
    "GET /attached/runs/{run_id}/posted": f"{_FENCE}&offset=0",
    "GET /compare": "sweeps={live},{ended}",
    "GET /search": "q=live",
    "GET /sweeps/{sweep_id}/export/{what}": "format=csv",
    "GET /sweeps/{sweep_id}/outputs": "keep_best=1",
    "POST /attached/runs/{run_id}": _FENCE,
    "POST /attached/runs/{run_id}/files": (
        f"{_FENCE}&path=outputs/a.txt&{_EMPTY_FILE}&offset=0&size=0"
    ),
    "POST /attached/runs/{run_id}/kept": _FENCE,
    "POST /attached/runs/{run_id}/log": f"{_FENCE}&path=logs/a.txt&offset=0",
}
_NOTES: Final = {"text": "new", "version": 1}
BODIES: Final[Mapping[str, Any]] = {
    "PATCH /compute/{name}": {"labels": {"gpu": "a100"}},
    "PATCH /models/{name}": {"description": "new"},
    "PATCH /models/{name}/versions/{number}": {"stage": "staging"},
    "PATCH /runs/{run_id}": {"tags": {"a": "1"}},
    "PATCH /sweeps/{sweep_id}": {"max_total_runs": 90},
    "PATCH /sweeps/{sweep_id}/tags": {"tags": {"a": "1"}},
    "PATCH /webhooks/{webhook_id}": {"name": "other"},
    "PATCH /workspaces/{slug}": {"name": "The team"},
    "PATCH /workspaces/{slug}/members/{user_name}": {"role": "Contributor"},
    "POST /attached/runs/{run_id}/kept": ["outputs/a.txt"],
    "POST /check-runs": "{spec}",
    "POST /compute": {"name": "box"},
    "POST /imports": "{import}",
    "POST /models/{name}/versions": {"run": "{running}"},
    "POST /runs/{run_id}/metrics": [{"name": "accuracy", "value": 0.9}],
    "POST /snapshots": "{zip}",
    "POST /sweeps": "{spec}",
    "POST /sweeps/check": "{spec}",
    "POST /sweeps/{sweep_id}/runs": {"params": {"lr": 0.5, "layers": 1}},
    "POST /sweeps/{sweep_id}/share-links": {"days": 1},
    "POST /tokens": {"name": "mine", "scope": "read"},
    "POST /webhooks": {
        "name": "other",
        "workspace": "{team}",
        "url": "https://hooks.example.org/b",
        "events": ["sweep.failed"],
    },
    "POST /workspaces": {"name": "A new one"},
    "POST /workspaces/{slug}/invitations": {"role": "Reader"},
    "POST /workspaces/{slug}/members": {"user": "stranger", "role": "Reader"},
    "PUT /runs/{run_id}/notes": {"text": "new", "version": 0},
    "PUT /sweeps/{sweep_id}/notes": _NOTES,
    "PUT /sweeps/{sweep_id}/outputs": {"keep_best": 1},
    "PUT /workspaces/{slug}/quota": {"max_running_runs": 9},
}
CONTENT_TYPES: Final[Mapping[str, str]] = {
    "POST /attached/runs/{run_id}/files": "application/octet-stream",
    "POST /attached/runs/{run_id}/log": "application/octet-stream",
    "POST /snapshots": "application/zip",
}

# --- MLflow -------------------------------------------------------------------------------------
_RUN: Final = {"run_id": "{running}"}
_MODEL_JSON: Final = (
    '{{"run_id": "x", "artifact_path": "net", "utc_time_created": "2026-01-01", "flavors": {{}}}}'
)
_EXPERIMENT: Final = {"experiment_ids": ["{experiment_text}"]}
CALLS: Final[Mapping[str, Mapping[str, Any]]] = {
    "GET artifacts/list": _RUN,
    "GET experiments/get": {"experiment_id": "{experiment}"},
    "GET experiments/get-by-name": {"experiment_name": "digits"},
    "GET experiments/search": {"max_results": "10"},
    "GET metrics/get-history": {**_RUN, "metric_key": "accuracy"},
    "GET metrics/get-history-bulk": {"run_ids": "{running}", "metric_key": "accuracy"},
    "GET metrics/get-history-bulk-interval": {"run_ids": "{running}", "metric_key": "accuracy"},
    "GET runs/get": _RUN,
    "PATCH logged-models/{model_id}": {"status": "LOGGED_MODEL_READY"},
    "PATCH logged-models/{model_id}/tags": {"tags": [{"key": "a", "value": "1"}]},
    "POST experiments/create": {"name": "digits"},
    "POST experiments/search": {"max_results": 10},
    "POST logged-models": {"name": "net", "source_run_id": "{running}"},
    "POST logged-models/search": _EXPERIMENT,
    "POST logged-models/{model_id}/params": {"params": [{"key": "a", "value": "1"}]},
    "POST runs/create": {"experiment_id": "{experiment_text}", "run_name": "mine"},
    "POST runs/delete-tag": {**_RUN, "key": "team"},
    "POST runs/log-batch": {**_RUN, "metrics": [{"key": "a", "value": 1, "timestamp": 1}]},
    "POST runs/log-inputs": {
        **_RUN,
        "datasets": [{"dataset": {"name": "iris", "digest": "1"}}],
    },
    "POST runs/log-metric": {**_RUN, "key": "loss", "value": 1.5, "timestamp": 5000, "step": 3},
    "POST runs/log-model": {**_RUN, "model_json": _MODEL_JSON},
    "POST runs/log-parameter": {**_RUN, "key": "depth", "value": "3"},
    "POST runs/outputs": {**_RUN, "models": [{"model_id": "{model_id}", "step": "1"}]},
    "POST runs/search": _EXPERIMENT,
    "POST runs/set-tag": {**_RUN, "key": "team", "value": "red"},
    "POST runs/update": {**_RUN, "run_name": "renamed"},
}


def filled(value: Any, ids: Mapping[str, Any]) -> Any:
    """Return a text, list or mapping with every "{name}" in it replaced."""
    if isinstance(value, str):
        name = value[1:-1]
        is_whole = value[:1] == "{" and value[-1:] == "}" and name in ids
        return ids[name] if is_whole else value.format_map(ids) if "{" in value else value
    if isinstance(value, Mapping):
        return {key: filled(one, ids) for key, one in value.items()}
    return [filled(one, ids) for one in value] if isinstance(value, list) else value
