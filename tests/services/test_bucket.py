"""Files of a studio whose storage is a bucket: snapshots, runs, models, and what goes wrong."""

from __future__ import annotations

import hashlib
import io
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from experiments.models import Artifact, Event, ModelVersion, RegisteredModel, Run
from experiments.services.compute_tokens import make_compute_token
from experiments.services.models import delete_version
from experiments.services.refused import Refused
from experiments.services.runs import add_artifacts
from experiments.services.snapshots import (
    cached_path,
    file_names,
    snapshot_directory,
    snapshot_name,
    snapshot_path,
)
from experiments.services.storage import run_directory
from experiments.services.stored_runs import ended_runs_on_disk, store_run
from experiments.services.warm_start import run_faults
from experiments.storage.address import BucketAddress, parse_address
from experiments.storage.base import Storage, StorageError
from experiments.storage.chosen import storage, tree_of
from experiments.storage.s3 import BucketStorage
from runner.mover import Mover
from studio.doctor_storage import bucket as doctor_looks
from studio.doctor_storage import clock_difference
from tests.factories import make_sweep
from tests.model_world import FILES, content_of, ended_run, register
from tests.s3 import S3Service, running_service

pytestmark = pytest.mark.django_db

LOG = "one\ntwo\n"


@pytest.fixture(scope="module")
def s3_service() -> Iterator[S3Service]:
    with running_service() as service:
        service.make_bucket("studio")
        yield service


def address_of(service: S3Service, bucket: str, prefix: str = "") -> BucketAddress:
    address = parse_address(service.url(bucket, prefix), default=Path("/none"))
    assert isinstance(address, BucketAddress)
    return address


@pytest.fixture
def bucket(s3_service: S3Service, settings: Any, tmp_path: Path) -> Storage:
    settings.STUDIO_HOME = tmp_path / "home"
    settings.STUDIO_STORAGE_ROOT = tmp_path / "home/storage"
    prefix = f"team/{time.time_ns()}"
    settings.STUDIO_STORAGE_BUCKET = address_of(s3_service, "studio", prefix)
    return storage()


@pytest.fixture
def run(bucket: Storage) -> Run:
    """An ended run with FILES and a log, on the disk as its executor left it."""
    sweep = make_sweep(max_total_runs=99)
    folder = run_directory(sweep.public_id, 0, 1)
    made = ended_run(folder, sweep=sweep)
    (folder / "logs/std_log.txt").write_text(LOG)
    (folder / "metrics.jsonl").write_text('{"a": 1}\n')
    (folder / "exit.json").write_text("{}")
    files = {**FILES, "logs/std_log.txt": LOG.encode()}
    add_artifacts(
        made.pk, [(n, len(raw), hashlib.sha256(raw).hexdigest()) for n, raw in files.items()]
    )
    return made


@pytest.fixture
def stored(run: Run) -> Run:
    assert Mover().look() == 1
    run.refresh_from_db()
    return run


def person(run: Run) -> Client:
    client = Client()
    client.force_login(run.sweep.owner)
    return client


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_an_ended_run_moves_to_the_bucket_and_leaves_the_disk(stored: Run, bucket: Storage):
    prefix = f"runs/{stored.sweep.public_id}/0"

    assert stored.directory == prefix
    assert not run_directory(stored.sweep.public_id, 0, 1).exists()
    names = sorted(file.name.removeprefix(f"{prefix}/") for file in bucket.files(prefix))
    assert names == sorted([*FILES, "logs/std_log.txt", "metrics.jsonl"])
    assert list(ended_runs_on_disk()) == []


def test_pages_and_rest_read_from_the_bucket(stored: Run):
    client, api = person(stored), f"/api/v1/runs/{stored.public_id}"
    page = client.get(f"/runs/{stored.public_id}/")

    assert b"two" in page.content
    assert b"outputs/deep/notes.txt" in page.content
    assert client.get(f"/runs/{stored.public_id}/log/?offset=4").json()["text"] == "two\n"
    listed = client.get(f"{api}/files").json()["items"]
    assert {file["path"]: file["size"] for file in listed} == {
        **{name: len(raw) for name, raw in FILES.items()},
        "logs/std_log.txt": len(LOG),
    }
    assert client.get(f"{api}/logs?offset=4&limit=2").json()["text"] == "tw"
    assert body(client.get(f"{api}/files/outputs/model.pkl")) == FILES["outputs/model.pkl"]
    assert client.get(f"{api}/files/outputs/none").status_code == 404
    archive = io.BytesIO(body(client.get(f"/runs/{stored.public_id}/files.zip?under=outputs")))
    assert zipfile.ZipFile(archive).read("outputs/deep/notes.txt") == b"fine"


def test_downloads_answer_ranges(stored: Run):
    client = person(stored)
    address = f"/api/v1/runs/{stored.public_id}/files/outputs/model.pkl"

    part = client.get(address, headers={"Range": "bytes=2-4"})
    assert (part.status_code, body(part)) == (206, b"igh")
    assert part["Content-Range"] == "bytes 2-4/8"
    assert body(client.get(address, headers={"Range": "bytes=-3"})) == b"ts\0"
    assert body(client.get(address, headers={"Range": "bytes=5-"})) == b"ts\0"
    behind = client.get(address, headers={"Range": "bytes=8-"})
    assert (behind.status_code, behind["Content-Range"]) == (416, "bytes */8")
    for words in ("bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-"):
        whole = client.get(address, headers={"Range": words})
        assert (whole.status_code, len(body(whole))) == (200, 8)
    old = {"Range": "bytes=2-4", "If-Range": "Sat, 01 Jan 2000 00:00:00 GMT"}
    assert client.get(address, headers=old).status_code == 200
    same = {"Range": "bytes=2-4", "If-Range": part["Last-Modified"]}
    assert client.get(address, headers=same).status_code == 206


def test_a_model_is_registered_from_the_bucket_into_the_bucket(
    stored: Run, bucket: Storage, django_capture_on_commit_callbacks
):
    version = register(stored)

    prefix = f"models/{version.model_id}/{version.folder}"
    assert sorted(file.name for file in bucket.files(prefix)) == [
        f"{prefix}/deep/notes.txt",
        f"{prefix}/model.pkl",
    ]
    assert content_of(version) == {"deep/notes.txt": b"fine", "model.pkl": b"weights\0"}
    page = version.get_absolute_url()
    client = person(stored)
    assert body(client.get(f"{page}files/model.pkl")) == b"weights\0"
    with django_capture_on_commit_callbacks(execute=True):
        delete_version(version)
    assert list(bucket.files(prefix)) == []


def test_a_file_that_is_damaged_in_the_bucket_makes_no_model(
    stored: Run, bucket: Storage, tmp_path: Path
):
    (tmp_path / "other").write_bytes(b"weightz\0")
    bucket.put({f"{stored.directory}/outputs/model.pkl": tmp_path / "other"})

    with pytest.raises(Refused, match="another SHA-256"):
        register(stored)

    assert not ModelVersion.objects.exists()
    assert not RegisteredModel.objects.exists()
    assert list(bucket.files("models")) == []


def test_a_run_can_be_resumed_as_long_as_it_has_outputs(stored: Run, bucket: Storage):
    assert run_faults(stored, stored.sweep) == []  # type: ignore[arg-type]

    Artifact.objects.filter(run=stored, path__startswith="outputs/").delete()

    assert "has left no file in ./outputs" in run_faults(stored, stored.sweep)[0]  # type: ignore[arg-type]


def test_a_storage_that_is_away_costs_nothing_but_time(
    run: Run, bucket: Storage, settings: Any, s3_service: S3Service
):
    right = settings.STUDIO_STORAGE_BUCKET
    settings.STUDIO_STORAGE_BUCKET = address_of(s3_service, "nobody-made-this")
    mover = Mover()

    assert [mover.look(), mover.look()] == [0, 0]

    run.refresh_from_db()
    assert Path(run.directory).is_absolute()
    assert tree_of(run.directory).read_text("logs/std_log.txt", 0, 99).text == LOG
    assert b"two" in person(run).get(f"/runs/{run.public_id}/").content
    notices = Event.objects.filter(sweep=run.sweep, kind=Event.Kind.NOTICE)
    [told] = [e.message for e in notices if "storage" in e.message]
    assert "there is no such bucket" in told

    settings.STUDIO_STORAGE_BUCKET = right
    assert mover.look() == 1
    told = notices.order_by("pk").last().message
    assert told == "The storage takes files of runs again."


def test_pages_of_stored_runs_say_that_the_storage_is_away(
    stored: Run, settings: Any, s3_service: S3Service
):
    settings.STUDIO_STORAGE_BUCKET = address_of(s3_service, "nobody-made-this")
    client = person(stored)

    page = client.get(f"/runs/{stored.public_id}/")
    assert page.status_code == 200
    assert b"there is no such bucket" in page.content
    assert b"The log cannot be read now" in page.content
    archive = client.get(f"/runs/{stored.public_id}/files.zip")
    assert (archive.status_code, b"cannot be read now" in archive.content) == (503, True)
    answer = client.get(f"/api/v1/runs/{stored.public_id}/files")
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "there is no such bucket" in answer.json()["detail"]
    with pytest.raises(Refused, match="there is no such bucket"):
        register(stored)


def test_what_changes_while_it_is_sent_stays_until_it_is_sent_whole(run: Run, bucket: Storage):
    folder = Path(run.directory)

    def grow() -> None:
        with (folder / "logs/std_log.txt").open("a") as log:
            log.write("late\n")

    assert not store_run(run, folder, grow)
    run.refresh_from_db()
    assert run.directory == str(folder)
    assert Mover().look() == 1
    run.refresh_from_db()
    assert tree_of(run.directory).read_text("logs/std_log.txt", 0, 99).text.startswith(LOG + "late")


def test_a_run_that_is_deleted_while_it_is_sent_leaves_nothing(run: Run, bucket: Storage):
    public_id, folder = run.sweep.public_id, Path(run.directory)

    assert not store_run(run, folder, run.sweep.delete)

    assert list(bucket.files(f"runs/{public_id}")) == []


def test_files_that_a_lost_machine_sends_late_are_added(stored: Run, bucket: Storage):
    _, plain = make_compute_token(stored.sweep.compute, name="machine")
    client = Client(headers={"Authorization": f"Bearer {plain}"})
    base, late = f"/api/v1/attached/runs/{stored.public_id}", b"late"
    about = f"sha256={hashlib.sha256(late).hexdigest()}&offset=0&size={len(late)}"
    binary = {"content_type": "application/octet-stream"}

    sent = client.post(f"{base}/files?fence=1&path=outputs/late.txt&{about}", late, **binary)
    assert sent.json() == {"size": len(late)}
    kept = '["outputs/late.txt", "logs/std_log.txt"]'
    client.post(f"{base}/kept?fence=1", kept, content_type="application/json")

    assert Mover().look() == 1
    left = [file.path for file in tree_of(stored.directory).files()]
    assert left == ["logs/std_log.txt", "outputs/late.txt"]
    digest = stored.sweep.snapshot.digest
    assert client.get(f"/api/v1/attached/snapshots/{digest}").status_code == 404  # never uploaded


def test_a_snapshot_is_kept_once_and_fetched_verified(bucket: Storage, tmp_path: Path):
    source = tmp_path / "code"
    source.mkdir()
    (source / "train.py").write_text("print(1)\n")
    workspace = make_sweep().experiment.workspace

    snapshot = snapshot_directory(source, workspace=workspace)
    name = snapshot_name(snapshot.digest)
    assert snapshot_directory(source, workspace=workspace) == snapshot
    assert [file.name for file in bucket.files("snapshots")] == [name]
    assert file_names(snapshot) == ["train.py"]

    shutil.rmtree(cached_path(snapshot.digest).parent)
    assert zipfile.ZipFile(snapshot_path(snapshot)).read("train.py") == b"print(1)\n"

    cached_path(snapshot.digest).unlink()
    (tmp_path / "damaged").write_bytes(b"no zip")
    bucket.put({name: tmp_path / "damaged"})
    with pytest.raises(StorageError, match="another SHA-256"):
        snapshot_path(snapshot)
    assert list(cached_path(snapshot.digest).parent.iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "correct AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "correct AWS_ACCESS_KEY_ID"),
        ({"AWS_ACCESS_KEY_ID": ""}, "AWS_ACCESS_KEY_ID is not set"),
        ({"bucket": "nobody-made-this"}, "there is no such bucket; create it"),
        ({"endpoint": "http://127.0.0.1:1"}, "nothing answers there"),
        ({"endpoint": "http://nobody.invalid"}, "no machine has this name"),
        ({"scheme": "https"}, "use http:// in endpoint_url"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_what_is_wrong_with_a_bucket_is_said_in_words(
    s3_service: S3Service, monkeypatch: pytest.MonkeyPatch, fault: dict[str, str], words: str
):
    endpoint = fault.get("endpoint", s3_service.endpoint)
    if fault.get("scheme"):
        endpoint = endpoint.replace("http:", "https:")
    name = fault.get("bucket", "studio")
    for key, value in fault.items():
        if key.startswith("AWS_"):
            monkeypatch.setenv(key, value)

    with pytest.raises(StorageError, match=words):
        BucketStorage(BucketAddress(name, "", endpoint, "us-east-1")).check()


def test_the_doctor_sees_the_bucket(
    bucket: Storage, s3_service: S3Service, monkeypatch: pytest.MonkeyPatch
):
    assert doctor_looks().detail == "not needed with a folder"

    monkeypatch.setenv("STUDIO_STORAGE_URL", s3_service.url("studio", "doctor"))
    assert doctor_looks().cure == ""
    assert "written, read and deleted" in doctor_looks().detail

    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert "correct AWS_SECRET_ACCESS_KEY" in doctor_looks().detail
    assert clock_difference(s3_service.endpoint, time.time() - 3600) > 3500
    assert Artifact.objects.count() == 0
