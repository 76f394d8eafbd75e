"""MLflow's addresses as Django views: for files, and where no ASGI server stands in front."""

from __future__ import annotations

from base64 import b64decode
from urllib.parse import parse_qs

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from experiments.api.mlflow import artifacts
from experiments.api.mlflow.fields import Fields
from experiments.api.mlflow.routes import dispatch, error_of
from experiments.api.mlflow.who import caller_of
from experiments.api.mlflow.wire import Answer, Call, MlflowError, answer, refusal


def token_of(header: str) -> str:
    """Return the token of an Authorization header: Bearer, or the password of Basic."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return b64decode(rest, validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return ""


@csrf_exempt
@login_not_required
def api(request: HttpRequest, endpoint: str) -> HttpResponse:
    """Answer one call of the tracking API; credentials come in its header alone."""
    try:
        body = request.body
    except RequestDataTooBig:
        return _response(refusal(MlflowError("REQUEST_LIMIT_EXCEEDED", "The body is too large.")))
    query = parse_qs(request.META.get("QUERY_STRING", ""), keep_blank_values=True)
    token = token_of(request.headers.get("Authorization", ""))
    return _response(dispatch(Call(str(request.method), endpoint, query, body, token)))


@csrf_exempt
@login_not_required
def files(request: HttpRequest, address: str = "") -> HttpResponseBase:
    """Take, send or list files of a run."""
    try:
        caller = caller_of(token_of(request.headers.get("Authorization", "")))
        match request.method:
            case "PUT" if address:
                return _response(answer(artifacts.receive(request, caller, address)))
            case "GET" if address:
                return artifacts.send(request, caller, address)
            case "GET":
                found = artifacts.list_folder(caller, Fields(dict(request.GET.items())))
                return _response(answer(found))
        text = f"{request.method} is not possible for files; they are removed in the studio."
        raise MlflowError("NOT_IMPLEMENTED", text)
    except Exception as error:  # noqa: BLE001 - each becomes an answer
        return _response(refusal(error_of(error, f"{request.method} {request.path}")))


@csrf_exempt
@login_not_required
def no_parts(request: HttpRequest, address: str) -> HttpResponse:
    """Refuse uploads in parts; clients then send the file as a whole."""
    text = "Files are sent as a whole here, not in parts and not past the studio."
    return _response(refusal(MlflowError("NOT_IMPLEMENTED", text)))


def _response(given: Answer) -> HttpResponse:
    return HttpResponse(given.body, status=given.status, content_type="application/json")


urlpatterns = [
    path("2.0/mlflow/<path:endpoint>", api, name="mlflow"),
    path("3.0/mlflow/<path:endpoint>", api, name="mlflow_3"),
    path("2.0/mlflow-artifacts/artifacts", files, name="mlflow_files"),
    path("2.0/mlflow-artifacts/artifacts/<path:address>", files, name="mlflow_file"),
    path("2.0/mlflow-artifacts/<path:address>", no_parts, name="mlflow_parts"),
]
