"""Tokens, sign-in links, first start and workers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from experiments.models import ApiToken, ComputeTarget, SignInLink, Worker, Workspace
from experiments.services.access import (
    find_api_token,
    make_api_token,
    make_sign_in_link,
    revoke_api_token,
    revoke_sign_in_link,
    use_sign_in_link,
)
from experiments.services.compute import (
    heartbeat_worker,
    register_worker,
    remove_silent_workers,
    remove_worker,
)
from experiments.services.setup import ensure_defaults, first_administrator
from tests.factories import make_compute, make_user

pytestmark = pytest.mark.django_db


def test_a_token_opens_the_studio_for_its_person_and_is_not_stored():
    user = make_user()

    token, plain = make_api_token(user, name="laptop", scope="read")

    found = find_api_token(plain)
    assert (found, found.user, found.scope) == (token, user, "read")
    assert found.last_used_at is not None
    assert find_api_token(plain + "x") is None
    assert plain not in str(ApiToken.objects.values())


@pytest.mark.parametrize("expires", [timedelta(seconds=-1), timezone.now() - timedelta(days=1)])
def test_a_token_that_has_expired_opens_nothing(expires):
    _, plain = make_api_token(make_user(), name="old", expires=expires)

    assert find_api_token(plain) is None


def test_tokens_of_a_disabled_person_and_revoked_ones_open_nothing():
    user = make_user()
    token, plain = make_api_token(user, name="a", expires=timedelta(days=1))
    assert find_api_token(plain) == token
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert find_api_token(plain) is None
    User.objects.filter(pk=user.pk).update(is_active=True)

    assert revoke_api_token(token)

    assert find_api_token(plain) is None
    assert not revoke_api_token(token)


def test_using_a_token_often_writes_seldom(django_assert_num_queries):
    _, plain = make_api_token(make_user(), name="a")
    find_api_token(plain)

    with django_assert_num_queries(1):
        find_api_token(plain)


def test_a_sign_in_link_works_once():
    user = make_user()
    plain = make_sign_in_link(user)

    assert use_sign_in_link(plain) == user
    assert use_sign_in_link(plain) is None
    assert use_sign_in_link("something else") is None


def test_a_sign_in_link_expires_and_can_be_revoked():
    user = make_user()
    assert use_sign_in_link(make_sign_in_link(user, life=timedelta(seconds=-1))) is None
    plain = make_sign_in_link(user)

    assert revoke_sign_in_link(SignInLink.objects.latest("pk"))

    assert use_sign_in_link(plain) is None


def test_a_fresh_studio_gets_what_it_needs_and_the_next_start_changes_nothing():
    first = ensure_defaults()

    assert (first.workspace.name, first.compute.name) == ("Default", "local")
    assert first.administrator == first_administrator() == User.objects.get()
    assert first.administrator.is_superuser
    assert not first.administrator.has_usable_password()
    assert first.workspace.memberships.get().role == "Owner"
    second = ensure_defaults()
    assert second.administrator is None
    counts = [m.objects.count() for m in (Workspace, ComputeTarget, User)]
    assert counts == [1, 1, 1]


def test_an_existing_user_means_no_administrator_is_made():
    make_user()

    assert ensure_defaults().administrator is None
    assert first_administrator() is None


def test_workers_come_live_and_go():
    compute = make_compute()
    register_worker(compute, name="w1", host="a", pid=1, process_started=1.0)
    register_worker(compute, name="w1", host="a", pid=2, process_started=2.0)
    register_worker(compute, name="w2", host="a", pid=3, process_started=3.0)
    Worker.objects.update(last_seen_at=timezone.now() - timedelta(minutes=5))

    assert heartbeat_worker("w1")
    assert not heartbeat_worker("w3")

    assert remove_silent_workers(timedelta(minutes=1)) == 1
    assert list(Worker.objects.values_list("name", "pid")) == [("w1", 2)]
    remove_worker("w1")
    assert not Worker.objects.exists()
