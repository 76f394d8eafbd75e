"""Registering a version of a model from the page of a run: the offer, the form, what it refuses."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from experiments.models import ModelVersion
from tests.factories import make_sweep, report
from tests.model_world import ended_run, register
from tests.web.models.model_pages import at, text_of
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import start

pytestmark = pytest.mark.django_db


def test_run_and_best_page_offer_registering_and_tell_what_is_registered(alice, version):
    run = version.run
    for url in (run.get_absolute_url(), reverse("sweep_best", args=[run.sweep.public_id])):
        page = alice.get(url)
        links = PageFacts(page.content.decode()).links
        assert reverse("run_register", args=[run.public_id]) in links
        assert at("model_version", version) in links
        assert "data-register" in page.content.decode()


def test_registering_from_the_form(alice, version, sweep, tmp_path):
    run = ended_run(tmp_path / "5", sweep=sweep)
    url = reverse("run_register", args=[run.public_id])

    form = alice.get(url).content.decode()
    assert 'name="name" value="digits"' in form
    assert "becomes version 2" in form
    assert re.findall(r'<option value="((?:outputs|logs)[^"]*)"( selected)?', form) == [
        ("outputs", " selected"),
        ("outputs/deep", ""),
        ("outputs/deep/notes.txt", ""),
        ("outputs/model.pkl", ""),
        ("logs", ""),
        ("logs/a.txt", ""),
    ]
    data = {"name": "digits", "path": "outputs/model.pkl", "description": "again"}
    page = alice.post(url, data, follow=True)

    assert "Registered as digits, version 2." in text_of(page)
    made = ModelVersion.objects.get(number=2)
    assert (made.path, made.description, made.created_by.username) == (
        "outputs/model.pkl",
        "again",
        "alice",
    )


def test_name_is_suggested_from_the_experiment(alice, people, tmp_path):
    """From what was registered of it last, not from what the workspace registered last."""
    sweeps = [make_sweep(owner=people["alice"], experiment=name) for name in ("wine-2", "digits")]
    runs = [ended_run(tmp_path / sweep.public_id, sweep=sweep) for sweep in sweeps]

    def suggested(run):
        form = alice.get(reverse("run_register", args=[run.public_id])).content.decode()
        return re.search(r'name="name" value="([^"]*)"', form)[1]

    assert suggested(runs[0]) == "wine-2"
    register(runs[0], name="burgundy")
    register(runs[1], name="small-digits")
    assert [suggested(run) for run in runs] == ["burgundy", "small-digits"]


def test_form_comes_back_with_what_is_wrong(alice, version):
    url = reverse("run_register", args=[version.run_public_id])
    data = {"name": "a b", "path": "outputs", "description": "kept"}
    page = alice.post(url, data)

    assert page.status_code == 422
    assert "letters, digits, dots" in text_of(page)
    assert 'value="a b"' in page.content.decode()
    assert ">kept</textarea>" in page.content.decode()
    missing = alice.post(url, {"name": "digits", "path": "outputs/x"})
    assert 'no file or folder "outputs/x"' in text_of(missing)
    assert ModelVersion.objects.count() == 1


def test_dialog_gets_the_form_alone(alice, version):
    url = reverse("run_register", args=[version.run_public_id])
    fragment = alice.get(url, headers={"X-Fragment": "1"}).content.decode()

    assert "<html" not in fragment
    assert f'action="{url}"' in fragment
    assert "csrfmiddlewaretoken" in fragment


def test_run_that_still_runs_is_not_offered(alice, people, tmp_path):
    sweep = make_sweep(owner=people["alice"])
    (tmp_path / "0/outputs").mkdir(parents=True)
    (tmp_path / "0/outputs/x").write_text("x")
    run = start(sweep, tmp_path / "0", lr=0.1, layers=1)
    report(run, [0.5])

    assert "data-register" not in alice.get(run.get_absolute_url()).content.decode()
