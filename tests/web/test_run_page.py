"""The page of a run: numbers, reasons, log, files, and whose they are."""

import io
import json
import re
import shlex
import zipfile
from html import unescape

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.urls import reverse

from experiments.models import Run
from experiments.services.recovery import lose_run
from tests.web.page_facts import PageFacts
from tests.web.sweep_world import make_sweep_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path):
    return make_sweep_world(tmp_path)


@pytest.fixture
def alice(client, world):
    client.force_login(world.alice)
    return client


def body(client, run):
    return client.get(run.get_absolute_url()).content.decode()


def pre(html, name):
    found = re.search(rf'<pre[^>]*id="{name}"[^>]*>(.*?)</pre>', html, re.DOTALL)[1]
    return unescape(re.sub(r"<[^>]+>", "", found))


def data(html):
    found = re.search(r'<script id="page-data" type="application/json">(.*?)</script>', html)
    return json.loads(found[1])


@pytest.mark.parametrize("name", ["winner", "stopped", "failed", "running", "queued"])
def test_page_is_well_formed(alice, world, name):
    html = body(alice, getattr(world, name))
    facts = PageFacts(html)

    assert facts.tags["h1"] == facts.tags["main"] == 1
    assert [key for key, n in facts.ids.items() if n > 1] == []
    assert facts.unlabelled() == []
    assert facts.inline == facts.hosts == []
    assert "<b>" not in html.replace("<b>Stopped early.</b>", "")


@pytest.mark.parametrize("name", ["run", "run_log", "run_archive", "run_cancel"])
def test_nothing_of_a_run_is_there_for_people_outside(client, world, name):
    client.force_login(world.charlie)
    url = reverse(name, args=[world.winner.public_id])

    answer = client.post(url) if name == "run_cancel" else client.get(url)

    assert answer.status_code == 404
    assert client.get(f"/runs/{world.winner.public_id}/files/outputs/model.txt").status_code == 404


def test_stopped_run_says_the_numbers_in_one_sentence(alice, world):
    html = body(alice, world.stopped)

    banner = re.search(r'class="banner early inset">.*?</div>', html, re.DOTALL)[0]
    assert "Bandit policy at interval 2: best 0.2 &lt; 0.9 / (1 + 0.2) = 0.75 of run 0" in banner


def test_failed_run_shows_its_exception(alice, world):
    html = body(alice, world.failed)

    banner = re.search(r'class="banner err inset" role="alert">.*?</div>', html, re.DOTALL)[0]
    assert "Exit code 1: ValueError: loss is &lt;not&gt; finite" in banner


def test_parameters_and_command_are_exact(alice, world):
    html = body(alice, world.winner)

    assert re.findall(r'<td class="num strong exact">([^<]*)</td>', html) == ["1e-05", "2"]
    assert shlex.split(pre(html, "command")) == world.winner.command
    assert shlex.split(unescape(re.search(r'data-copy="([^"]*)"', html)[1])) == (
        world.winner.arguments
    )


def test_other_run_is_compared_with_the_best(alice, world):
    html = body(alice, world.running)
    text = PageFacts(html).text

    assert text[text.index("Rank") + 1] == "2"
    assert text[text.index("To the best run") + 1] == "−0.4500"
    page = data(html)
    assert page["best"]["number"] == 0
    assert page["best"]["y"] == [0.5, 0.9, 0.8]
    assert page["series"][0] == {
        "name": "accuracy", "count": 2, "x": [1, 2], "y": [0.4, 0.45], "texts": 0,
    }  # fmt: skip


def test_best_run_is_marked_and_compared_with_nothing(alice, world):
    html = body(alice, world.winner)

    assert "Best run" in PageFacts(html).text
    assert data(html)["best"] is None
    assert [s["name"] for s in data(html)["series"]] == ["accuracy", "loss <b>"]
    assert "loss &lt;b&gt;" in html


def test_neighbours_are_linked(alice, world):
    facts = PageFacts(body(alice, world.stopped))

    assert world.winner.get_absolute_url() in facts.links
    assert world.failed.get_absolute_url() in facts.links
    assert 'rel="prev"' not in body(alice, world.winner)
    assert 'rel="next"' not in body(alice, world.queued)


def test_environment_is_named_without_values(alice, world):
    side = body(alice, world.winner)
    footer = re.search(r"<footer>With.*?</footer>", side, re.DOTALL)[0]

    assert re.sub(r"<[^>]+>", "", footer) == "With OMP_NUM_THREADS set in its environment."


def test_lost_run_and_its_repetition_know_each_other(alice, world):
    lose_run(world.running.pk, reason="The worker stopped answering.")
    again = Run.objects.get(retry_of=world.running)

    assert "Repeats" in PageFacts(body(alice, again)).text
    assert "Repeated by" in PageFacts(body(alice, world.running)).text


def test_log_is_read_from_an_offset_on(alice, world):
    url = reverse("run_log", args=[world.winner.public_id])

    first = alice.get(url).json()
    rest = alice.get(f"{url}?offset=18").json()
    nothing = alice.get(f"{url}?offset={first['size']}").json()

    assert first["text"].splitlines()[0] == "epoch 0: <b>fine</b>"
    assert (first["offset"], first["next_offset"], first["done"]) == (0, 105, True)
    assert rest["text"] == first["text"][18:]
    assert (nothing["text"], nothing["done"]) == ("", True)
    assert alice.get(f"{url}?offset=-5&x=y").json()["offset"] == 0


def test_log_of_a_live_run_is_not_done(alice, world):
    answer = alice.get(reverse("run_log", args=[world.running.public_id])).json()

    assert answer == {"text": "", "offset": 0, "next_offset": 0, "size": 0, "done": False}


def test_page_begins_a_long_log_with_a_whole_line(alice, world, tmp_path):
    lines = [f"line {i:06d} {'x' * 80}\n" for i in range(2000)]
    (tmp_path / "0/logs/std_log.txt").write_text("".join(lines))

    html = body(alice, world.winner)
    shown = pre(html, "log")

    assert shown.splitlines()[0] + "\n" in lines
    assert shown.endswith(lines[-1])
    assert data(html)["log"]["offset"] == sum(len(line) for line in lines)


def test_files_are_listed_and_sent_as_downloads(alice, world):
    html = body(alice, world.winner)
    url = f"/runs/{world.winner.public_id}/files/outputs/deep/notes.html"

    answer = alice.get(url)

    assert url in html
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="notes.html"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    "path", ["outputs/nothing", "outputs/../../1/secret", "code/train.py", "metrics.jsonl"]
)
def test_nothing_outside_of_the_files_is_sent(alice, world, path):
    assert alice.get(f"/runs/{world.winner.public_id}/files/{path}").status_code == 404


def test_zip_has_all_files_or_those_below_a_folder(alice, world):
    url = reverse("run_archive", args=[world.winner.public_id])

    whole = zipfile.ZipFile(io.BytesIO(b"".join(alice.get(url).streaming_content)))
    part = zipfile.ZipFile(
        io.BytesIO(b"".join(alice.get(f"{url}?under=outputs").streaming_content))
    )

    assert whole.testzip() is None
    assert sorted(whole.namelist()) == [
        "logs/std_log.txt", "outputs/deep/notes.html", "outputs/model.txt",
    ]  # fmt: skip
    assert whole.read("outputs/model.txt") == b"weights"
    assert sorted(part.namelist()) == ["outputs/deep/notes.html", "outputs/model.txt"]


@pytest.mark.parametrize("name", ["stopped", "queued"])
def test_run_without_files_has_no_zip(alice, world, name):
    url = reverse("run_archive", args=[getattr(world, name).public_id])

    assert alice.get(url).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_zip_is_streamed_where_the_server_is_asynchronous(world):
    client = AsyncClient()
    client.force_login(world.alice)

    async def fetch():
        answer = await client.get(reverse("run_archive", args=[world.winner.public_id]))
        return [block async for block in answer.streaming_content]

    blocks = async_to_sync(fetch)()

    assert zipfile.ZipFile(io.BytesIO(b"".join(blocks))).testzip() is None


def test_cancel_stops_a_run_and_leads_back(alice, world):
    answer = alice.post(reverse("run_cancel", args=[world.running.public_id]))

    assert answer.url == world.running.get_absolute_url()
    world.running.refresh_from_db()
    assert (world.running.state, world.running.end_reason) == ("CancelRequested", "user")
    assert 'data-dialog="cancel-run"' not in body(alice, world.running)


def test_readers_cannot_cancel_a_run(client, world):
    client.force_login(world.bob)

    answer = client.post(reverse("run_cancel", args=[world.running.public_id]))

    assert answer.status_code == 403
    assert Run.objects.get(pk=world.running.pk).state == "Running"
    assert 'data-dialog="cancel-run"' not in body(client, world.running)


def test_number_of_queries_does_not_depend_on_the_run(alice, world, django_assert_max_num_queries):
    for run in (world.winner, world.running, world.queued):
        with django_assert_max_num_queries(21):
            alice.get(run.get_absolute_url())
