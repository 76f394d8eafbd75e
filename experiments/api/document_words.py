"""Words, examples and links of the OpenAPI document. Holds no logic."""

from __future__ import annotations

from typing import Any, Final

STATUS_WORDS: Final = {
    "304": "Nothing changed since the answer with the ETag that you sent.",
    "400": "The body cannot be read.",
    "401": "No valid token and no session.",
    "403": "The token's scope or your role does not allow it.",
    "404": "There is no such object, or it is not yours.",
    "409": "The state of the object does not allow it.",
    "412": "Somebody changed it since you read it.",
    "413": "The body is too large.",
    "415": "The body has a type that this operation does not read.",
    "422": "Something in the request is wrong; every problem is listed.",
    "429": "Too many requests; wait for the seconds of Retry-After.",
}

TAGS: Final = {
    "Snapshots": "Source directories, uploaded once and named by their SHA-256.",
    "Sweeps": "Submit, read, steer and compare sweeps.",
    "Runs": "The runs of sweeps: values, reports, logs and files.",
    "Trash": "Sweeps that were deleted, and what is removed for good.",
    "Checks": "Try one configuration before anything is launched.",
    "Search": "Look for sweeps, runs and models.",
    "Models": "Registered models and their versions.",
    "Imports": "Runs of other systems, to look at and to go on from.",
    "Workspaces": "Teams: their members, roles and invitations.",
    "Webhooks": "Who is told what of sweeps, and where.",
    "Tokens": "What your own programs sign in with.",
    "Compute": "Compute targets, their workers and settings.",
    "Site": "What holds for the whole studio, and who did what.",
}

SECURITY: Final[dict[str, Any]] = {
    "BearerToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "`studio token create NAME --scope read|write|admin`. The role of an "
        "operation is the scope that it needs; each scope includes those before it. The token of a "
        "run (`STUDIO_RUN_TOKEN`) opens the operations of that run while it lives.",
    },
    "BrowserSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "The session of the pages; what changes something sends `X-CSRFToken`.",
    },
}

_SWEEP_ID: Final = "HD_6f1c9b52-8f0e-4a3c-9d53-2f6f0d3f7a11"
PATH_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "sweep_id": {"description": "Id of the sweep.", "example": _SWEEP_ID},
    "run_id": {"description": "Id of the run.", "example": f"{_SWEEP_ID}_0"},
    "check_id": {"description": "Id of the check.", "example": _SWEEP_ID},
    "removal_id": {"description": "Id of the removal.", "example": 7},
    "link_id": {"description": "Id of the link.", "example": 3},
    "webhook_id": {"description": "Id of the webhook.", "example": "wh_0c7d2f5e9b1a4d3f8e6a7b2c"},
    "token_id": {"description": "Id of the token.", "example": 4},
    "delivery_id": {"description": "Id of the delivery.", "example": 12},
    "slug": {"description": "Short name of the workspace.", "example": "vision"},
    "user_name": {"description": "User name of the member.", "example": "ada"},
    "invitation_id": {"description": "Id of the invitation.", "example": 5},
    "number": {"description": "Number of the version.", "example": 1},
    "path": {"description": "Path of the file; slashes stay.", "example": "outputs/model.pkl"},
    "name of Models": {"description": "Name of the model.", "example": "digits"},
    "name of Compute": {"description": "Name of the compute target.", "example": "local"},
}

_SPEC: Final[dict[str, Any]] = {
    "name": "digits-mlp",
    "experiment": "digits",
    "snapshot": "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef",
    "script": "train.py",
    "search_space": {
        "learning_rate": "loguniform(-6, -1)",
        "batch_size": {"type": "choice", "values": [16, 32, 64]},
    },
    "sampling": "random",
    "primary_metric": {"name": "accuracy", "goal": "maximize"},
    "early_termination": {"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 1},
    "max_total_runs": 20,
    "max_concurrent_runs": 4,
}
_MARKS: Final = {"tags": {"team": "vision"}, "remove_tags": ["draft"]}
BODY_EXAMPLES: Final[dict[str, Any]] = {
    "submit_sweep": _SPEC,
    "check_sweep": _SPEC,
    "start_check_run": _SPEC,
    "change_sweep": {"max_total_runs": 40, "max_concurrent_runs": 8},
    "queue_run": {"params": {"learning_rate": 0.01, "batch_size": 32}, "outside": False},
    "change_tags_of_sweep": _MARKS,
    "put_run_notes": {"text": "Diverged at epoch 3.", "version": 0},
    "put_notes": {"text": "Dropout **0.4** looks best.", "version": 0},
    "make_share_link": {"days": 7, "name": "review board"},
    "set_outputs_rule": {"keep_best": 3},
    "change_run": {**_MARKS, "properties": {"dataset": "digits-2"}},
    "report_metrics": [{"name": "accuracy", "value": 0.93, "step": 12}],
    "register_model": {"run": f"{_SWEEP_ID}_0", "path": "outputs/model.pkl"},
    "change_model": {"description": "Handwritten digits."},
    "change_version": {"stage": "production", "tags": {"reviewed": "yes"}},
    "add_compute": {"name": "gpu", "labels": {"gpu": "a100"}},
    "change_compute": {"draining": True},
    "make_webhook": {
        "workspace": "vision",
        "name": "pager",
        "url": "https://hooks.example.org/a",
        "events": ["sweep.finished", "sweep.failed"],
    },
    "change_webhook": {"on": False},
    "make_token": {"name": "nightly training", "scope": "write", "days": 30},
    "make_workspace": {"name": "Vision team", "slug": "vision"},
    "change_workspace": {"name": "Vision and speech"},
    "set_quota": {"max_running_runs": 4, "max_storage_bytes": 50_000_000_000, "priority": 20},
    "add_to_members": {"user": "ada", "role": "Contributor"},
    "change_member": {"role": "Reader"},
    "make_invitation": {"role": "Contributor", "email": "ada@example.org", "days": 7},
}

CREATED: Final = {
    "upload_snapshot": "The snapshot is stored.",
    "submit_sweep": "The sweep is submitted.",
    "start_check_run": "The check is started.",
    "queue_run": "The run is queued.",
    "retry_run": "The run that repeats it is queued.",
    "make_share_link": "The link is made.",
    "register_model": "The version is made.",
    "add_compute": "The compute target is made.",
    "make_webhook": "The webhook is made.",
    "make_token": "The token is made.",
    "make_workspace": "The workspace is made.",
    "add_to_members": "Somebody is a member.",
    "make_invitation": "The invitation is made.",
}


def _link(operation: str, parameter: str, description: str, source: str = "id") -> dict[str, Any]:
    return {
        "operationId": operation,
        "parameters": {parameter: f"$response.body#/{source}"},
        "description": description,
    }


_OF_SWEEP: Final = {
    operation: _link(operation, "sweep_id", f"`id` names the sweep of `{operation}`.")
    for operation in (
        "get_sweep",
        "change_sweep",
        "list_runs",
        "get_best_run",
        "get_events",
        "pause_sweep",
        "resume_sweep",
        "cancel_sweep",
        "move_to_trash",
    )
}
_OF_RUN: Final = {
    operation: _link(operation, "run_id", f"`id` names the run of `{operation}`.")
    for operation in ("get_run", "get_run_metrics", "get_run_log", "cancel_run", "retry_run")
}
_OF_CHECK: Final = {
    operation: _link(operation, "check_id", f"`id` names the check of `{operation}`.")
    for operation in ("get_check_run", "cancel_check_run")
}
# What an answer leads to, by operation and status.
LINKS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "submit_sweep": {"201": _OF_SWEEP},
    "queue_run": {"201": _OF_RUN},
    "retry_run": {"201": _OF_RUN},
    "start_check_run": {"201": _OF_CHECK},
    "add_compute": {
        "201": {
            "show_compute": _link("show_compute", "name", "`name` names the target.", "name"),
            "change_compute": _link("change_compute", "name", "`name` names the target.", "name"),
        }
    },
    "move_to_trash": {
        "200": {
            "get_trashed_sweep": _link("get_trashed_sweep", "sweep_id", "`id` names the sweep."),
            "restore_from_trash": _link("restore_from_trash", "sweep_id", "`id` names the sweep."),
        }
    },
    "delete_from_trash": {
        status: {"get_removal": _link("get_removal", "removal_id", "`id` names the removal.")}
        for status in ("200", "202")
    },
}
