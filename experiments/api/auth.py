"""Who calls the REST API and what they may do: bearer token, browser session or a run's token.

The only place that turns credentials into a `Caller`; every operation names its needs here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja import Query
from ninja.errors import AuthenticationError, AuthorizationError, HttpError
from ninja.security.apikey import APIKeyBase
from ninja.security.http import HttpAuthBase
from ninja.utils import check_csrf

from experiments import queries
from experiments.api.limits import count_request
from experiments.models import ApiToken, Run, Sweep, Workspace
from experiments.permissions import Action, refusal
from experiments.services import access

Scope = ApiToken.Scope
_RANK = {Scope.READ: 1, Scope.WRITE: 2, Scope.ADMIN: 3}
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """The person (or the run, through its own token) behind one request."""

    user: User | None
    scope: Scope
    run: Run | None = None
    # The API token that was sent, if it was one.
    token: ApiToken | None = None

    @property
    def is_administrator(self) -> bool:
        """Whether the caller acts as an administrator of the studio."""
        is_one = self.user is not None and queries.is_administrator(self.user)
        return is_one and self.scope == Scope.ADMIN


class ApiRequest(HttpRequest):
    """A request that passed one of the checks below."""

    auth: Caller


class BearerToken(HttpAuthBase):
    """An API token (`studio token create`), or the token of a live run."""

    openapi_scheme = "bearer"

    def __init__(self, scope: Scope, *, accepts_runs: bool = False) -> None:
        super().__init__()
        self.scope = scope
        self.accepts_runs = accepts_runs

    def __call__(self, request: HttpRequest) -> Caller | None:
        scheme, _, plain = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = access.find_api_token(plain.strip())
        if token is not None:
            count_request(request, f"token:{token.digest[:32]}")
            return self._person(token)
        run = access.run_for_token(plain.strip())
        if run is None:
            raise AuthenticationError(
                message="The token is unknown, expired or revoked, or its run has ended."
            )
        count_request(request, f"run:{run.pk}", of_run=True)
        if not self.accepts_runs:
            raise AuthorizationError(message="The token of a run opens that run only.")
        return Caller(user=run.sweep.owner, scope=Scope.WRITE, run=run)

    def _person(self, token: ApiToken) -> Caller:
        scope = Scope(token.scope)
        if _RANK[scope] < _RANK[self.scope]:
            raise AuthorizationError(
                message=f"The token '{token.name}' has the scope {scope.value}; "
                f"this operation needs {self.scope.value}."
            )
        return Caller(user=token.user, scope=scope, token=token)


class BrowserSession(APIKeyBase):
    """The session cookie of a signed-in browser; unsafe methods carry the CSRF token as well."""

    openapi_in = "cookie"
    param_name = "sessionid"

    def _get_key(self, request: HttpRequest) -> str | None:
        return request.COOKIES.get(self.param_name)

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        if not request.user.is_authenticated:
            return None
        count_request(request, f"user:{request.user.pk}")
        if request.method not in _SAFE_METHODS and check_csrf(request) is not None:
            raise AuthorizationError(
                message="The CSRF token is missing or wrong; send it as X-CSRFToken."
            )
        return Caller(user=request.user, scope=Scope.ADMIN)


def _needs(scope: Scope, *, accepts_runs: bool = False) -> list[Any]:
    return [BearerToken(scope, accepts_runs=accepts_runs), BrowserSession()]


# Of operations that make something in a workspace.
ForWorkspace = Annotated[
    str,
    Query(
        max_length=60,
        description="Short name of the workspace it goes to; empty: the one you work in.",
    ),
]

READ = _needs(Scope.READ)
WRITE = _needs(Scope.WRITE)
ADMIN = _needs(Scope.ADMIN)
# Operations of one run, which its own token opens as well.
RUN_READ = _needs(Scope.READ, accepts_runs=True)
RUN_WRITE = _needs(Scope.WRITE, accepts_runs=True)


def person_of(request: HttpRequest) -> User:
    """Return the signed-in person of an operation that no run's token opens."""
    user = caller_of(request).user
    if user is None:
        raise AuthenticationError
    return user


def caller_of(request: HttpRequest) -> Caller:
    """Return who calls; the operation's check has set it."""
    caller = getattr(request, "auth", None)
    if not isinstance(caller, Caller):
        raise AuthenticationError
    return caller


def run_of(request: HttpRequest, run_id: str) -> Run:
    """Return the run if it is the caller's to see.

    Raises:
        Run.DoesNotExist: no such run, or somebody else's; the caller cannot tell which.
    """
    caller = caller_of(request)
    if caller.run is None:
        return queries.get_run(person_of(request), run_id)
    if caller.run.public_id != run_id:
        raise Run.DoesNotExist
    return caller.run


def sweep_of(request: HttpRequest, sweep_id: str) -> Sweep:
    """Return the sweep if it is the caller's to see; raises Sweep.DoesNotExist otherwise."""
    return queries.get_sweep(person_of(request), sweep_id)


def workspace_for_new(request: HttpRequest, slug: str = "") -> Workspace:
    """Return the workspace that what the caller makes goes to; refuse who may not write there.

    Raises:
        HttpError: 404, none of the caller's has this short name.
    """
    person = person_of(request)
    if slug:
        workspace = queries.workspaces_for(person).filter(slug=slug).first()
        if workspace is None:
            raise HttpError(404, f"No workspace of yours has the short name '{slug}'.")
    else:
        workspace = queries.current_workspace(person)
    if workspace is None:
        raise AuthorizationError(
            message="You belong to no workspace; ask an administrator to add you to one."
        )
    check_may(request, workspace, Action.SUBMIT)
    return workspace


def check_may(request: HttpRequest, workspace: Workspace, action: Action) -> None:
    """Refuse members whose role does not allow this; a run's token may change that run."""
    if caller_of(request).run is not None:
        return
    person = person_of(request)
    if queries.may(person, workspace, action):
        return
    role = queries.role_in(person, workspace.pk)
    raise AuthorizationError(message=refusal(role, workspace.name, action))
