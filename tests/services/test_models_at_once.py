"""Many people who register, mark and delete at the same moment."""

from __future__ import annotations

from functools import partial

import pytest

from experiments.models import ModelVersion
from experiments.services.models import delete_version, mark_version
from tests.at_once import at_once
from tests.model_world import content_of, ended_run, register, stored_files

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(tmp_path, settings):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return ended_run(tmp_path / "run")


def test_registrations_at_once_number_without_gaps(run, settings):
    found = at_once(*[partial(register, run)] * 8)

    assert sorted(version.number for version in found) == list(range(1, 9))
    assert len({version.model_id for version in found}) == 1
    assert all(content_of(version)["model.pkl"] == b"weights\x00" for version in found)
    assert len(stored_files(settings.STUDIO_STORAGE_ROOT)) == 16


def test_marks_at_once_leave_one_production(run):
    versions = [register(run) for _ in range(5)]

    at_once(*[partial(mark_version, v, stage="production", user=run.sweep.owner) for v in versions])

    stages = sorted(ModelVersion.objects.values_list("stage", flat=True))
    assert stages == ["archived"] * 4 + ["production"]


def test_deletion_beside_registrations_loses_no_file(run, settings):
    first = register(run)

    at_once(partial(delete_version, first), *[partial(register, run)] * 3)

    left = ModelVersion.objects.order_by("number")
    assert [version.number for version in left] == [2, 3, 4]
    assert all(content_of(version)["model.pkl"] == b"weights\x00" for version in left)
    assert len(stored_files(settings.STUDIO_STORAGE_ROOT)) == 6
