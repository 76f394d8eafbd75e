"""Pages of registered models: list, versions, one version; who may look and who may change."""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from experiments.models import ModelVersion, RegisteredModel
from experiments.services.models import delete_version, mark_version
from tests.factories import make_sweep
from tests.model_world import ended_run, register
from tests.web.models.model_pages import at, text_of
from tests.web.page_facts import PageFacts

pytestmark = pytest.mark.django_db


PAGES = ["models", "model", "model_version"]
CHANGES = {
    "version_mark": {"stage": "production"},
    "version_describe": {"description": "new", "tags": "a=1"},
    "version_delete": {},
    "model_describe": {"description": "new"},
    "model_delete": {},
}


def address(name, version):
    return reverse("models") if name == "models" else at(name, version)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_members_see_models_on_sound_pages(client, people, version, name, who):
    client.force_login(people[who])
    page = client.get(address(name, version))
    facts = PageFacts(page.content.decode())

    assert page.status_code == 200
    assert "digits" in text_of(page)
    assert facts.tags["h1"] == 1
    assert [i for i, n in facts.ids.items() if n > 1] == []
    assert facts.unlabelled() == []
    assert facts.inline == []
    assert facts.hosts == []


def test_people_outside_find_neither_pages_nor_files(client, people, version):
    client.force_login(people["charlie"])

    assert "No models yet" in text_of(client.get(reverse("models")))
    addresses = [
        at("model", version),
        at("model_version", version),
        at("version_archive", version),
        at("version_file", version, "model.pkl"),
        reverse("run_register", args=[version.run_public_id]),
    ]
    assert {client.get(one).status_code for one in addresses} == {404}
    answers = [client.post(at(name, version), data) for name, data in CHANGES.items()]
    answers.append(client.post(addresses[-1], {"name": "digits"}))
    assert {answer.status_code for answer in answers} == {404}
    assert ModelVersion.objects.values_list("stage", "description").get() == ("none", "<b>")


def test_readers_look_and_download_and_change_nothing(client, people, version):
    client.force_login(people["bob"])
    register_page = reverse("run_register", args=[version.run_public_id])

    answers = [client.post(at(name, version), data) for name, data in CHANGES.items()]
    answers += [client.get(register_page), client.post(register_page, {"name": "digits"})]
    assert {answer.status_code for answer in answers} == {403}
    assert ModelVersion.objects.values_list("stage", "description").get() == ("none", "<b>")
    for name in ("model", "model_version"):
        assert "<form" not in client.get(at(name, version)).content.decode().split("<main")[1]
    run_page = client.get(reverse("run", args=[version.run_public_id])).content.decode()
    assert "data-register" not in run_page
    assert client.get(at("version_archive", version)).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_strangers_are_asked_to_sign_in(client, version, name):
    url = address(name, version)

    assert client.get(url).url == f"{reverse('sign_in')}?next={url}"


def test_list_tells_newest_marked_and_where_it_comes_from(alice, people, version, tmp_path):
    run = version.run
    second = register(run)
    mark_version(version, stage="production", user=people["alice"])
    register(ended_run(tmp_path / "1", sweep=run.sweep, value=0.5), "other")

    page = alice.get(reverse("models")).content.decode()
    names = re.findall(r'<a class="name" href="[^"]+">([^<]*)</a>', page)
    row = page[page.index(">digits</a>") :]

    assert names == ["other", "digits"]
    assert at("model_version", second) in row
    assert re.search(r"Production</span>\s*<a href=\"[^\"]+/1/\">version 1</a>", row)
    assert run.get_absolute_url() in row
    assert "0.9000" in row
    assert "2 models" in page


def test_list_is_searched_by_name_and_description(alice, version):
    RegisteredModel.objects.update(description="reads handwriting")
    register(version.run, "wine")

    def found(text):
        page = alice.get(reverse("models"), {"q": text}).content.decode()
        return re.findall(r'<a class="name" href="[^"]+">([^<]*)</a>', page)

    assert found("handwriting") == ["digits"]
    assert found("hand DIG") == ["digits"]
    assert found("WINE") == ["wine"]
    assert "No model matches" in alice.get(reverse("models"), {"q": "<nope>"}).content.decode()


def test_list_has_pages(alice, version, monkeypatch):
    for number in range(4):
        register(version.run, f"m{number}")
    monkeypatch.setattr("experiments.views.models.PAGE_SIZE", 2)

    seen, url = [], f"{reverse('models')}?q=m"
    while url:
        page = alice.get(url).content.decode()
        seen += re.findall(r'<a class="name" href="[^"]+">([^<]*)</a>', page)
        more = re.search(r'<p class="more"><a class="btn" href="([^"]+)"', page)
        url = unescape(more[1]) if more else ""

    assert seen == ["m3", "m2", "m1", "m0"]


@pytest.mark.parametrize("query", ["from=x", "from=-1", "from=99999999999", "q=%00", "before=x"])
def test_odd_addresses_are_answered(alice, version, query):
    assert alice.get(f"{reverse('models')}?{query}").status_code == 200
    assert alice.get(f"{at('model', version)}?{query}").status_code == 200


def test_names_that_no_model_can_have_are_not_found(alice, version):
    url = at("model", version)

    assert alice.get(url.replace("digits", "a%00b")).status_code == 404
    assert alice.get(url.replace("digits", "a%2Fb")).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_number_of_queries_does_not_grow(alice, version, name, tmp_path, django_assert_num_queries):
    with CaptureQueriesContext(connection) as before:
        alice.get(address(name, version))
    for number in range(3):
        register(version.run)
        register(ended_run(tmp_path / f"m{number}", sweep=version.sweep), f"m{number}")

    with django_assert_num_queries(len(before)):
        alice.get(address(name, version))
    assert len(before) <= 12


def test_versions_stand_beside_each_other(alice, people, sweep, tmp_path):
    values = [0.5, 0.9, 0.7]
    versions = [
        register(ended_run(tmp_path / str(n), sweep=sweep, value=value))
        for n, value in enumerate(values)
    ]
    mark_version(versions[2], stage="production", user=people["alice"])

    page = alice.get(at("model", versions[0])).content.decode()
    rows = re.findall(r"<tr.*?</tr>", page[page.index("<tbody>") :], re.DOTALL)

    assert [re.search(r">Version (\d)<", row)[1] for row in rows] == ["3", "2", "1"]
    assert [re.search(r'class="(?:mark|best)" x1="([\d.]+)"', row)[1] for row in rows] == [
        "50.0",
        "96.0",
        "4.0",
    ]
    assert ['class="isbest"' in row for row in rows] == [False, True, False]
    assert "+0.2000" in rows[1]
    assert "−0.2000" in rows[2]
    assert at("version_archive", versions[2]) in page.split("<table")[0]


def test_lower_is_better_where_the_goal_says_so(alice, people, tmp_path):
    sweep = make_sweep(
        owner=people["alice"], primary_metric={"name": "accuracy", "goal": "minimize"}
    )
    for number, value in enumerate([0.5, 0.9]):
        version = register(ended_run(tmp_path / str(number), sweep=sweep, value=value))

    page = alice.get(at("model", version)).content.decode()

    assert re.findall(r'class="(mark|best)" x1="([\d.]+)"', page) == [
        ("mark", "4.0"),
        ("best", "96.0"),
    ]


def test_versions_of_another_metric_are_not_compared(alice, people, version, tmp_path):
    other = make_sweep(owner=people["alice"], primary_metric={"name": "loss", "goal": "minimize"})
    run = ended_run(tmp_path / "9", sweep=other, value=None)
    register(run)

    page = alice.get(at("model", version)).content.decode()

    assert "another metric" in page
    assert 'class="isbest"' not in page


def test_version_page_tells_lineage_files_and_how_to_use_it(alice, version):
    page = alice.get(at("model_version", version))
    text, links = text_of(page), PageFacts(page.content.decode()).links

    assert version.run.get_absolute_url() in links
    assert version.sweep.get_absolute_url() in links
    assert at("version_file", version, "deep/notes.txt") in links
    assert version.snapshot_digest[:16] in text
    assert version.files.first().digest[:12] in text
    assert "&lt;b&gt;" in page.content.decode()
    assert 'Model(Workspace.from_config(), "digits", version=1)' in text


def test_version_outlives_its_run_on_the_page(alice, version):
    version.sweep.delete()

    page = alice.get(at("model_version", version))
    assert "Run 0, deleted" in text_of(page)
    assert "Run 0" in text_of(alice.get(at("model", version)))
    assert "Run 0" in text_of(alice.get(reverse("models")))


def test_all_files_come_as_one_zip_and_one_by_one(alice, version):
    archive = alice.get(at("version_archive", version))
    with zipfile.ZipFile(io.BytesIO(b"".join(archive))) as opened:
        content = {name: opened.read(name) for name in opened.namelist()}
    one = alice.get(at("version_file", version, "model.pkl"))

    assert content == {"deep/notes.txt": b"fine", "model.pkl": b"weights\x00"}
    assert archive["Content-Disposition"] == 'attachment; filename="digits-1.zip"'
    assert b"".join(one) == b"weights\x00"
    assert one["Content-Disposition"] == 'attachment; filename="model.pkl"'
    assert "sandbox" in one["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["nothing", "../1", "deep", "deep/../model.pkl", "a\0"])
def test_files_that_are_none_are_not_found(alice, version, path):
    assert (
        alice.get(at("version_archive", version).replace("files.zip", f"files/{path}")).status_code
        == 404
    )


def test_marking_follows_the_buttons(alice, people, version):
    page = alice.get(at("model_version", version)).content.decode()
    assert re.findall(r'name="stage" value="(\w+)"', page) == ["staging", "production", "archived"]

    answer = alice.post(at("version_mark", version), {"stage": "production"}, follow=True)
    page = answer.content.decode()

    assert re.findall(r'name="stage" value="(\w+)"', page) == ["staging", "archived", "none"]
    assert "marked by alice" in text_of(answer)
    wrong = alice.post(at("version_mark", version), {"stage": "live"}, follow=True)
    assert '"live" is no stage' in text_of(wrong)


def test_notes_and_tags_are_stored(alice, version):
    data = {"description": "good", "tags": "a=1\nb="}
    page = alice.post(at("version_describe", version), data, follow=True)
    assert "good" in text_of(page)

    alice.post(at("version_describe", version), {"description": "good", "tags": "b=2"})
    version.refresh_from_db()
    assert (version.description, version.tags) == ("good", {"b": "2"})
    alice.post(at("model_describe", version), {"description": "reads digits"})
    assert "reads digits" in text_of(alice.get(at("model", version)))


def test_deleting_asks_refuses_and_then_ends_with_the_model(alice, people, version):
    mark_version(version, stage="production", user=people["alice"])
    refused = alice.post(at("version_delete", version), follow=True)
    assert "Version 1 is Production; remove that mark first." in text_of(refused)
    assert 'action="' + at("version_delete", version) not in refused.content.decode()

    mark_version(version, stage="none", user=people["alice"])
    page = alice.post(at("version_delete", version), follow=True)
    assert "Version 1 of digits is deleted." in text_of(page)
    assert "No version is left" in text_of(page)
    assert "A new one gets the number 2" in text_of(page)

    gone = alice.post(at("model_delete", version), follow=True)
    assert "digits is deleted." in text_of(gone)
    assert "No models yet" in text_of(gone)


def test_model_with_versions_is_not_deleted(alice, version):
    page = alice.post(at("model_delete", version), follow=True)

    assert "digits has 1 version; delete it first." in text_of(page)
    assert RegisteredModel.objects.count() == 1


def test_model_of_deleted_versions_stands_in_the_list(alice, version):
    delete_version(version)

    assert "no version" in text_of(alice.get(reverse("models")))
