"""The capsule of a sweep: who gets it, what is in it, what breaks out of it, and the way back."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

import pytest
from django.urls import reverse

from experiments.imports.capsule import MAX_BYTES, pack_document, read_capsule
from experiments.imports.document import read_document
from experiments.models import Run
from experiments.problems import ProblemsError
from experiments.queries.run_export import choice_of_all, document_text, numbers_of
from experiments.services.import_runs import import_sweep
from experiments.services.runs import RunOutcome, finish_run
from experiments.services.sweeps import cancel_sweep
from tests.factories import make_running_run, make_sweep, make_user, make_workspace, report

pytestmark = pytest.mark.django_db

EVIL = "</script><script>alert(1)</script><!--"


@pytest.fixture
def sweep(settings, tmp_path):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    owner = make_user("alice")
    made = make_sweep(
        owner=owner,
        workspace=make_workspace(owner),
        name=EVIL,
        description=EVIL,
        search_space={"lr": "uniform(0, 1)", "kind": ["choice", [[EVIL, "plain"]]]},
    )
    for number, kind in enumerate((EVIL, "plain")):
        run = make_running_run(made, lr=0.25 * (number + 1), kind=kind)
        report(run, [0.5, 0.75 + number / 10], steps=[10, 20])
        report(run, [3.0, float("nan")], name="loss </script>")
        finish_run(run.pk, run.fence, RunOutcome(exit_code=0))
    cancel_sweep(made, user=owner)
    return made


def capsule_of(client, sweep):
    page = client.get(reverse("sweep_capsule", args=[sweep.public_id]))
    return page, b"".join(page.streaming_content)


def test_capsule_is_a_download_that_holds_the_sweep(client, sweep):
    client.force_login(sweep.owner)
    page, body = capsule_of(client, sweep)
    text = body.decode()

    assert page.headers["Content-Disposition"].startswith("attachment")
    assert page.headers["Content-Type"].startswith("text/html")
    assert f"{sweep.public_id}.capsule.html" in page.headers["Content-Disposition"]
    assert sweep.snapshot.digest in text
    assert "train.py" in text
    # The policy of the page lets only its own script run, and that is what it names.
    script = re.search(r'<script type="module">(.*?)</script>', text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:" in text
    assert "default-src 'none'" in text
    view = json.loads(re.search(r'id="capsule-view">(.*?)</script>', text, re.DOTALL)[1])
    assert view["first"]["sweep"]["name"] == EVIL
    assert set(view["charts"]) == {
        *(f"{sweep.metric_name}|{x}" for x in ("interval", "step", "time")),
        "loss </script>|interval",
    }
    # Names that look like markup stand there as text.
    assert text.count("</script>") == 5
    assert EVIL not in text


def test_capsule_comes_back_as_the_same_sweep_in_another_workspace(client, sweep):
    client.force_login(sweep.owner)
    _, body = capsule_of(client, sweep)
    bob = make_user("bob")
    made = import_sweep(
        read_document(read_capsule(body)), owner=bob, workspace=make_workspace(bob, name="Other")
    )

    assert made.is_new
    kept = list(document_text(made.sweep, numbers_of(made.sweep, choice_of_all(made.sweep))))
    left = list(document_text(sweep, numbers_of(sweep, choice_of_all(sweep))))
    assert kept[1:] == left[1:]
    assert Run.objects.filter(sweep=made.sweep).count() == 4
    client.force_login(bob)
    _, again = capsule_of(client, made.sweep)
    assert read_document(read_capsule(again)).reports == 8


def test_capsule_of_strangers_and_of_nobody(client, sweep):
    stranger = make_user("eve")
    make_workspace(stranger, name="Elsewhere")
    client.force_login(stranger)
    assert client.get(reverse("sweep_capsule", args=[sweep.public_id])).status_code == 404
    assert client.get(f"/api/v1/sweeps/{sweep.public_id}/capsule").status_code == 404
    client.logout()
    assert client.get(reverse("sweep_capsule", args=[sweep.public_id])).status_code == 302


def test_capsule_of_a_sweep_without_runs(client, sweep):
    empty = make_sweep(owner=sweep.owner, workspace=sweep.experiment.workspace)
    client.force_login(sweep.owner)
    page, body = capsule_of(client, empty)

    assert page.status_code == 200
    assert read_capsule(body)["runs"] == []


def block(data: bytes, digest: str = "") -> bytes:
    known = digest or hashlib.sha256(gzip.decompress(data)).hexdigest()
    text = base64.b64encode(data).decode()
    head = '<script type="application/gzip" id="sweep-document" data-sha256="'
    return f'<p>{head}{known}">{text}</script>'.encode()


def test_damaged_capsules_are_refused_with_one_reason():
    packed = pack_document(['{"a": ', "1}"])
    data = base64.b64decode(packed.text)
    assert read_capsule(block(data)) == {"a": 1}
    assert packed.size == 8
    bomb = gzip.compress(b"0" * (MAX_BYTES + 1), 9)
    for page, reason in (
        (b"<html></html>", "it has no block with its document"),
        (block(data, "0" * 64), "its SHA-256 differs"),
        (block(data[:-9], "0" * 64), "it ends too early"),
        (block(b"no gzip", "0" * 64), "The capsule is damaged"),
        (block(gzip.compress(b"{")), "is no JSON"),
        (block(bomb, "0" * 64), "larger than 256 MB"),
    ):
        with pytest.raises(ProblemsError, match=reason):
            read_capsule(page)
