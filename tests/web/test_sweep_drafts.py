"""Drafts of the new-sweep form: kept as one types, opened, discarded, never overwritten."""

import pytest
from django.test import Client
from django.urls import reverse

from experiments.models import Membership, Sweep, SweepDraft
from experiments.services import drafts
from experiments.services.snapshots import snapshot_directory
from tests.factories import make_sweep, make_user, make_workspace
from tests.web.form_reader import FormReader
from tests.web.form_world import URL, form

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]


def save(client, **texts):
    response = client.post(reverse("draft_save"), texts)
    assert response.status_code == 200
    return response.json()


def opened(client, address):
    return FormReader(client.get(address).content.decode(), "form").values


def test_draft_brings_the_form_back_as_it_was_left(client, alice):
    texts = form(
        **{
            "code": "upload",
            "search_space-0-scale": "real",
            "max_total_runs": "many",
            "replay_from": "sample",
        }
    )

    saved = save(client, **texts, draft_editor="page-1", origin="Filled from “a”.")
    values = opened(client, saved["url"])

    different = {
        name for name, text in texts.items() if values.get(name, "").replace("\r", "") != text
    }
    assert different == set()
    assert (values["draft"], values["draft_version"]) == (saved["id"], "1")
    assert values["origin"] == "Filled from “a”."
    assert "digits · wide" in client.get(URL).content.decode()


def test_page_goes_on_with_its_draft_and_another_page_gets_a_copy(client, alice):
    first = save(client, name="a", draft_editor="page-1")
    second = save(client, name="b", draft_editor="page-1", draft=first["id"], draft_version="1")
    # Not yet known at that page: what it sends on leaving comes with the old version.
    third = save(client, name="c", draft_editor="page-1", draft=first["id"], draft_version="1")
    taken_over = save(client, name="d", draft_editor="page-2", draft=first["id"], draft_version="3")
    late = save(client, name="e", draft_editor="page-1", draft=first["id"], draft_version="3")

    assert {reply["id"] for reply in (second, third, taken_over)} == {first["id"]}
    assert (late["is_copy"], late["id"] != first["id"]) == (True, True)
    assert {draft.name for draft in SweepDraft.objects.all()} == {"d", "e"}


def test_first_save_of_a_page_is_not_repeated(client, alice):
    """The reply to the first save can get lost while the page is left."""
    save(client, name="a", draft_editor="page-1")
    save(client, name="b", draft_editor="page-1")

    assert SweepDraft.objects.get().name == "b"


def test_opened_sweep_has_a_draft_of_its_own(client, alice):
    sweep = make_sweep(owner=alice, name="an earlier one")
    mine = save(client, name="mine", draft_editor="page-1")

    values = opened(client, f"{URL}?from={sweep.public_id}")
    save(client, **values, draft_editor="page-2")

    assert values["draft"] == ""
    assert {draft.name for draft in SweepDraft.objects.all()} == {"mine", "an earlier one"}
    assert opened(client, mine["url"])["name"] == "mine"


def test_discarded_draft_can_be_taken_back(client, alice):
    saved = save(client, name="half done")

    response = client.post(saved["discard_url"])
    page = client.get(response.url).content.decode()

    assert "The draft “half done” was discarded." in page
    assert 'id="drafts"' not in page
    back = client.post(reverse("draft_restore", args=[saved["id"]]))
    assert opened(client, back.url)["name"] == "half done"


def test_started_sweep_ends_its_draft(client, alice, tmp_path):
    (tmp_path / "train.py").write_text("print(1)\n")
    snapshot = snapshot_directory(tmp_path, workspace=make_workspace())
    saved = save(client, **form(snapshot), draft_editor="page-1")

    client.post(URL, form(snapshot, draft=saved["id"]))

    assert Sweep.objects.count() == 1
    assert not SweepDraft.objects.exists()
    page = client.get(saved["url"])
    assert page.status_code == 200
    assert "That draft is no longer there" in page.content.decode()


def test_yaml_that_cannot_be_read_is_kept_with_its_error(client, alice):
    saved = save(client, name="a", yaml="name: [", yaml_edited="1")

    page = client.get(saved["url"]).content.decode()

    assert "name: [</textarea>" in page
    assert "not YAML" in page
    save(client, name="b", yaml="name: b")
    assert "yaml" not in SweepDraft.objects.get(name="b").texts


def test_save_button_works_without_scripts(client, alice):
    response = client.post(URL, {"action": "save_draft", "name": "by hand"})

    assert response.url == SweepDraft.objects.get().get_absolute_url()


def test_oldest_drafts_make_room(client, alice, monkeypatch):
    monkeypatch.setattr(drafts, "MAX_DRAFTS", 2)

    for name in "abc":
        save(client, name=name)

    assert [draft.name for draft in SweepDraft.objects.all()] == ["c", "b"]


@pytest.mark.parametrize(
    ("text", "error"), [("\0", "null character"), ("x" * 400_001, "at most|up to")]
)
def test_text_that_cannot_be_kept_is_refused_in_words(client, alice, text, error):
    reply = save(client, description=text)

    assert any(part in reply["error"] for part in error.split("|"))
    assert not SweepDraft.objects.exists()


def test_drafts_belong_to_one_person(client, alice):
    saved = save(client, name="private")
    bob, dora = make_user("bob"), make_user("dora")
    make_workspace(bob)
    make_workspace(dora, role=Membership.Role.READER)
    other, reader = Client(), Client()
    other.force_login(bob)
    reader.force_login(dora)

    assert "private" not in other.get(saved["url"]).content.decode()
    assert other.post(saved["discard_url"]).status_code == 404
    copy = save(other, name="bob's", draft=saved["id"], draft_version="1")
    assert copy["id"] != saved["id"]
    assert SweepDraft.objects.get(owner=alice).name == "private"
    assert reader.post(reverse("draft_save"), {"name": "x"}).status_code == 403
