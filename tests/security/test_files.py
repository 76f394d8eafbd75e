"""Files that scripts wrote: sent as bytes to be kept, never as pages of the studio; their names."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import Client, RequestFactory

from experiments.downloads import send_archive, send_file
from experiments.models import Run
from experiments.run_files import STD_LOG
from experiments.services.models import register_model
from experiments.services.share_links import create_share_link
from experiments.storage.trees import DiskFile
from experiments.table_files import csv_blocks
from tests.web.api_world import make_world
from tests.web.sweep_world import make_sweep_world

pytestmark = pytest.mark.django_db
# What a browser would run if it took them for pages, whatever they are called.
ACTIVE = {
    "page.html": "<script>alert(1)</script>",
    "page.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>',
    "picture.svg": '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "feed.xml": '<?xml-stylesheet href="x.xsl"?><a/>',
    "module.js": "alert(1)",
    "worker.mjs": "alert(1)",
    "style.css": "*{}",
    "manual.pdf": "%PDF-1.7",
    "no-extension": "<script>alert(1)</script>",
}
# Names that would end a header, a string or a parameter of it.
ODD = ('a"; filename=b.html', "ünï ✓.html", "a;b,c'd.svg", "%0D%0ASet-Cookie: sessionid=1")
BYTES = {
    "Content-Type": "application/octet-stream",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
}


def write_outputs(directory, files):
    for name, text in files.items():
        path = Path(directory) / "outputs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def world(tmp_path, settings):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    made = make_sweep_world(tmp_path)
    write_outputs(made.winner.directory, ACTIVE | dict.fromkeys(ODD, "x"))
    return made


def assert_is_bytes(answer, where, kind=BYTES["Content-Type"]):
    assert answer.status_code == 200, where
    given = {name: answer.headers[name] for name in BYTES}
    assert given == {**BYTES, "Content-Type": kind}, where
    assert answer.headers["Content-Disposition"].startswith("attachment"), where
    assert not any("\r" in value or "\n" in value for value in answer.headers.values()), where
    assert "sessionid" not in answer.cookies


def test_no_view_of_files_serves_a_page(world):
    """Every way to a file: of a run, of a model, behind a link, over REST and MLflow."""
    site = Client()
    site.force_login(world.alice)
    run = world.winner
    version = register_model(run, name="m", user=world.alice)
    link = create_share_link(
        world.sweep, user=world.alice, days=1, with_files=True, with_reasons=True
    )
    model = version.get_absolute_url()
    places = {
        "run": f"/runs/{run.public_id}/files/outputs/",
        "model": f"{model}files/",
        "link": f"/shared/{link.token}/files/",
        "REST": f"/api/v1/runs/{run.public_id}/files/outputs/",
    }
    for name in (*ACTIVE, *ODD):
        for what, place in places.items():
            answer = site.get(place + quote(name))
            assert_is_bytes(answer, f"{what} {name!r}")
    assert_is_bytes(Client().get(f"/shared/{link.token}/runs/0/log/"), "log behind a link")
    for archive in (f"/runs/{run.public_id}/files.zip", f"{model}files.zip"):
        assert_is_bytes(site.get(archive), archive, "application/zip")
    # A part of a file, and where it is asked to be something else.
    part = site.get(
        f"{places['run']}page.html", headers={"range": "bytes=0-3", "accept": "text/html"}
    )
    assert part.status_code == 206
    assert {name: part.headers[name] for name in BYTES} == BYTES


@pytest.mark.parametrize("name", [*ODD, "two\r\nSet-Cookie: sessionid=1", "\x00", '"', ""])
def test_no_name_of_a_file_ends_a_header(tmp_path, name):
    (tmp_path / "a").write_text("x")
    source, request = DiskFile(tmp_path / "a"), RequestFactory().get("/")

    for answer in (send_file(request, source, name), send_archive(request, [], name)):
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment")
        assert not set("\r\n\0").intersection(disposition)
        list(answer)


def test_files_of_mlflow_are_bytes_too(tmp_path):
    world = make_world(tmp_path)
    client = Client(headers={"authorization": f"Bearer {world.run_token}"})
    place = f"/api/2.0/mlflow-artifacts/artifacts/{world.run.public_id}/artifacts"
    for name in ("page.html", "plots/picture.svg"):
        assert client.put(f"{place}/{name}", ACTIVE["page.html"]).status_code == 200

        assert_is_bytes(client.get(f"{place}/{name}"), name)


def test_no_path_leads_out_of_a_run(world, tmp_path):
    """Names with dots, links to files and folders, and a link in the place of the log."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the key of the studio")
    directory = Path(world.winner.directory)
    (directory / "outputs" / "link.txt").symlink_to(secret)
    (directory / "outputs" / "folder").symlink_to(tmp_path)
    (directory / STD_LOG).unlink()
    (directory / STD_LOG).symlink_to(secret)
    site = Client()
    site.force_login(world.alice)
    run = world.winner.public_id
    paths = (
        "outputs/link.txt",
        "outputs/folder/secret.txt",
        "outputs/../../secret.txt",
        "outputs/..%2F..%2Fsecret.txt",
        "..%2F..%2Fsecret.txt",
        "%2E%2E/secret.txt",
        str(secret),
        "outputs/page.html%00.txt",
        "outputs\\..\\secret.txt",
        "metrics.jsonl",
        STD_LOG,
    )
    for path in paths:
        for place in (f"/runs/{run}/files/", f"/api/v1/runs/{run}/files/"):
            assert site.get(f"{place}{path}").status_code == 404, path
    for page in (
        f"/runs/{run}/",
        f"/runs/{run}/log/",
        f"/api/v1/runs/{run}/logs",
        f"/runs/{run}/files.zip",
    ):
        answer = site.get(page)
        body = b"".join(answer) if answer.streaming else answer.content
        assert answer.status_code == 200
        assert b"the key of the studio" not in body, page


def test_a_machine_writes_only_below_its_run(world, tmp_path):
    """What a compute token may write: not through links, nor more than a run may have."""
    from tests.web.test_attached import Machine

    run = Run.objects.select_related("sweep__compute").get(pk=world.running.pk)
    machine = Machine(run)
    assert machine.call("POST").status_code == 200
    outside = tmp_path / "outside"
    outside.mkdir()
    (machine.directory / "outputs" / "link").symlink_to(outside)
    (machine.directory / "logs" / "link.txt").symlink_to(outside / "log.txt")

    for name in ("outputs/link/evil", "outputs/../../../evil", "/etc/evil", "outputs", "x/y"):
        assert machine.send(name, b"evil").status_code == 422, name
    log = machine.call("POST", "/log", b"evil", path="logs/link.txt", offset=0)

    assert log.status_code == 422
    assert list(outside.iterdir()) == []


def test_files_that_are_announced_small_do_not_fill_the_disk(world, settings):
    from tests.web.test_attached import Machine

    settings.STUDIO_MAX_OUTPUT_BYTES, settings.STUDIO_MAX_LOG_BYTES = 50_000, 5000
    machine = Machine(Run.objects.select_related("sweep__compute").get(pk=world.running.pk))
    machine.call("POST")
    statuses = []
    for number in range(8):
        whole = bytes([number]) * 20_000
        statuses.append(machine.send(f"outputs/{number}", whole[:10_000], whole=whole).status_code)
        again = machine.send(f"outputs/{number}", whole[10_000:19_000], offset=10_000, whole=whole)
        statuses.append(again.status_code)

    taken = sum(p.stat().st_size for p in machine.directory.rglob("*") if p.is_file())
    assert taken <= 60_000
    assert 422 in statuses


def test_no_cell_of_a_table_is_a_formula():
    """A spreadsheet runs what begins like one; names, values, reasons and texts of people do."""
    begins = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
    bad = [f'{sign}HYPERLINK("https://evil.example")' for sign in begins]
    rows = [[text, f"  {text}"] for text in bad] + [[-1.5, -3], [None, "a-b"]]

    text = b"".join(csv_blocks([*bad, "plain"], [rows])).decode()

    read = list(csv.reader(io.StringIO(text)))
    cells = [cell for row in read for cell in row]
    assert [cell for cell in cells if cell.startswith(begins)] == ["-1.5", "-3"]
    assert read[0] == [f"'{text}" for text in bad] + ["plain"]
    assert read[-1] == ["", "a-b"]
