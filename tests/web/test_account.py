"""Signing in and out, the pause after failures, one-time links, setting a password."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from experiments.services.access import make_sign_in_link
from tests.factories import make_user, make_workspace

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("attempts_in_memory")]
PASSWORD = "correct horse 7"


@pytest.fixture
def alice():
    alice = make_user("alice")
    alice.set_password(PASSWORD)
    alice.save(update_fields=["password"])
    make_workspace(alice)
    return alice


def sign_in(client, username="alice", password=PASSWORD, **more):
    return client.post(reverse("sign_in"), {"username": username, "password": password, **more})


def is_signed_in(client):
    return "_auth_user_id" in client.session


def test_right_pair_signs_in_and_leads_to_the_sweeps(client, alice):
    response = sign_in(client)

    assert response.url == reverse("home")
    assert is_signed_in(client)


def test_sign_in_leads_back_to_the_page_asked_for(client, alice):
    assert sign_in(client, next="/compute/?x=1").url == "/compute/?x=1"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "http:evil"]
)
def test_sign_in_does_not_lead_to_another_host(client, alice, target):
    assert sign_in(client, next=target).url == reverse("home")


@pytest.mark.parametrize(
    ("username", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("", ""), ("ALICE", "x")]
)
def test_wrong_pair_does_not_tell_which_part_is_wrong(client, alice, username, password):
    response = sign_in(client, username, password)

    assert response.status_code == 401
    assert "User name or password is wrong." in response.content.decode()
    assert not is_signed_in(client)


def test_wrong_pair_keeps_the_name_and_the_target(client, alice):
    page = sign_in(client, password="wrong", next="/compute/").content.decode()

    assert 'name="username" type="text"' in page
    assert 'value="alice"' in page
    assert 'name="next" value="/compute/"' in page
    assert 'wrong"' not in page


@pytest.mark.parametrize("name", ["alice", "nobody"])
def test_five_failures_pause_the_account_even_for_the_right_password(client, alice, name):
    answers = [sign_in(client, name, f"guess {n}") for n in range(5)]
    after = sign_in(client, name)

    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 429]
    assert after.status_code == 429
    assert "paused for 15 minutes" in after.content.decode()
    assert not is_signed_in(client)


def test_pause_is_of_one_account(client, alice):
    for n in range(5):
        sign_in(client, "nobody", f"guess {n}")

    assert sign_in(client).status_code == 302


def test_different_spelling_of_a_name_is_the_same_account(client, alice):
    for n in range(5):
        sign_in(client, "Alice " if n % 2 else "ALICE", f"guess {n}")

    assert sign_in(client).status_code == 429


def test_success_forgets_earlier_failures(client, alice):
    for _ in range(2):
        for n in range(4):
            sign_in(client, password=f"guess {n}")
        assert sign_in(client).status_code == 302


def test_people_can_sign_in_while_redis_is_away(client, alice, settings, tmp_path):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"unix://{tmp_path}/nobody-listens.sock",
        }
    }

    assert sign_in(client).status_code == 302
    assert is_signed_in(client)


def test_inactive_person_cannot_sign_in(client, alice):
    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert sign_in(client).status_code == 401


def test_link_signs_in_once(client, alice):
    url = reverse("sign_in_link", args=[make_sign_in_link(alice)])

    assert client.get(url).url == reverse("home")
    assert client.session["_auth_user_id"] == str(alice.pk)
    client.logout()
    again = client.get(url)
    assert again.status_code == 410
    assert "does not work any more" in again.content.decode()
    assert not is_signed_in(client)


def test_link_that_ran_out_or_never_was_is_refused(client, alice):
    late = make_sign_in_link(alice, life=timedelta(seconds=-1))

    for token in (late, "never-was"):
        assert client.get(reverse("sign_in_link", args=[token])).status_code == 410
    assert not is_signed_in(client)


def test_link_preview_does_not_use_the_link_up(client, alice):
    url = reverse("sign_in_link", args=[make_sign_in_link(alice)])

    assert client.head(url).status_code == 405
    assert client.get(url).status_code == 302


def test_link_clicked_twice_by_a_signed_in_person_just_goes_home(client, alice):
    url = reverse("sign_in_link", args=[make_sign_in_link(alice)])
    client.get(url)

    assert client.get(url).url == reverse("home")


def test_sign_in_page_sends_signed_in_people_on(client, alice):
    client.force_login(alice)

    assert client.get(reverse("sign_in") + "?next=/compute/").url == "/compute/"


def test_sign_out_ends_the_session_by_post_only(client, alice):
    client.force_login(alice)

    assert client.get(reverse("sign_out")).status_code == 405
    assert is_signed_in(client)
    assert client.post(reverse("sign_out")).url == reverse("sign_in")
    assert not is_signed_in(client)


def test_person_without_password_is_invited_to_set_one(client):
    dora = make_user("dora")
    dora.set_unusable_password()
    dora.save(update_fields=["password"])
    make_workspace(dora)
    client.force_login(dora)

    assert reverse("account_password") in client.get(reverse("sweeps")).content.decode()
    response = client.post(
        reverse("account_password"),
        {"new_password1": "a-fine-1-phrase", "new_password2": "a-fine-1-phrase"},
    )
    assert response.url == reverse("home")
    assert is_signed_in(client)
    client.logout()
    assert sign_in(client, "dora", "a-fine-1-phrase").status_code == 302
    page = client.get(reverse("sweeps")).content.decode()
    assert "signed in with a one-time link" not in page


def test_changing_a_password_needs_the_old_one(client, alice):
    client.force_login(alice)
    new = {"new_password1": "a-fine-1-phrase", "new_password2": "a-fine-1-phrase"}

    refused = client.post(reverse("account_password"), {"old_password": "wrong", **new})
    assert refused.status_code == 422
    assert "entered incorrectly" in refused.content.decode()
    assert client.post(reverse("account_password"), {"old_password": PASSWORD, **new}).url == "/"


def test_weak_password_is_refused_with_the_reason(client, alice):
    client.force_login(alice)
    weak = {"old_password": PASSWORD, "new_password1": "1234", "new_password2": "1234"}

    response = client.post(reverse("account_password"), weak)
    assert response.status_code == 422
    assert "too short" in response.content.decode()


def test_sign_in_needs_the_csrf_token(alice):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)

    response = sign_in(strict)
    assert response.status_code == 403
    assert "The page was out of date" in response.content.decode()


def test_administration_has_no_sign_in_of_its_own(client, alice):
    response = client.get("/admin/login/?next=/admin/auth/")
    assert response.url == "/sign-in/?next=%2Fadmin%2Fauth%2F"
    assert (
        client.post("/admin/login/", {"username": "alice", "password": PASSWORD}).status_code == 302
    )
    assert not is_signed_in(client)

    client.force_login(alice)
    assert client.get("/admin/", follow=True).status_code == 403
