"""Lists of the REST API: pages by cursor, order, filters; ETags of what is read again and again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.models import Run, Sweep
from tests.factories import make_run, make_sweep
from tests.web.api_world import World, assert_problem, call, get, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    world = make_world(tmp_path / "runs")
    Sweep.objects.update(max_total_runs=8)
    for number, value in enumerate([0.2, 0.9, None, 0.5]):
        run = make_run(world.sweep, lr=0.3 + number / 10, layers=1)
        Run.objects.filter(pk=run.pk).update(
            best_value=value, best_interval=value and 1, last_value=value
        )
    return world


def _all(world: World, path: str, limit: int) -> list[Any]:
    items, cursor = [], ""
    while True:
        mark = "&" if "?" in path else "?"
        page = get(world, f"{path}{mark}limit={limit}&cursor={cursor}")
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return items


@pytest.mark.parametrize(
    "query", ["sort=best&dir=desc", "sort=best", "sort=lr&dir=desc", "dir=desc"]
)
def test_sorted_runs_page_by_page_are_those_of_one_page(world: World, query: str) -> None:
    path = f"/sweeps/{world.sweep.public_id}/runs?{query}"

    whole = get(world, path)["items"]
    paged = _all(world, path, 2)

    assert [run["number"] for run in paged] == [run["number"] for run in whole]
    assert len(whole) == 6


def test_runs_are_sorted_by_value_with_those_without_one_last(world: World) -> None:
    path = f"/sweeps/{world.sweep.public_id}/runs?sort=best"
    found = [run["value"] for run in get(world, f"{path}&dir=desc")["items"]]
    by_last = [run["value"] for run in get(world, f"{path}&dir=asc&reading=last")["items"]]

    values = [0.9, 0.75, 0.5, 0.2]
    assert found == [*values, None, None]
    assert by_last == [*reversed(values), None, None]


def test_sort_and_filter_go_together(world: World) -> None:
    path = f"/sweeps/{world.sweep.public_id}/runs?filter=lr>=0.4&sort=lr&dir=desc"

    assert [run["number"] for run in get(world, path)["items"]] == [5, 4, 3]


def test_unknown_column_is_a_problem_that_helps(world: World) -> None:
    token = world.tokens["alice_read"]
    path = f"/sweeps/{world.sweep.public_id}/runs"

    (problem,) = assert_problem(call("GET", f"{path}?sort=layrs", token=token), 422)
    curve = assert_problem(call("GET", f"{path}?sort=curve", token=token), 422)

    assert problem["path"] == "sort"
    assert "layers" in problem["message"]
    assert "cannot be sorted" in curve[0]["message"]


def test_cursor_of_another_order_is_a_problem(world: World) -> None:
    path = f"/sweeps/{world.sweep.public_id}/runs?limit=1&sort=best"
    cursor = get(world, path)["next_cursor"]

    for other in (f"{path}&dir=desc", f"/sweeps/{world.sweep.public_id}/runs?limit=1"):
        answer = call("GET", f"{other}&cursor={cursor}", token=world.tokens["alice_read"])
        (problem,) = assert_problem(answer, 422)
        assert problem["path"] == "cursor"
        assert "order" in problem["message"]


def test_sweeps_are_sorted_and_filtered(world: World) -> None:
    for name in ("Banana", "apple", "cherry"):
        make_sweep(owner=world.bob, workspace=world.sweep.experiment.workspace, name=name)

    names = [sweep["name"] for sweep in get(world, "/sweeps?sort=name")["items"]]
    paged = [sweep["name"] for sweep in _all(world, "/sweeps?sort=name&dir=desc", 3)]
    of_bob = get(world, "/sweeps?owner=bob&sort=created&dir=asc")["items"]

    assert names == ["apple", "Banana", "cherry", "digits"]
    assert paged == names[::-1]
    assert [sweep["name"] for sweep in of_bob] == ["Banana", "apple", "cherry"]
    assert get(world, "/sweeps?workspace=elsewhere")["items"] == []
    assert len(get(world, "/sweeps?workspace=team")["items"]) == 4


def test_files_metrics_and_targets_come_in_pages(world: World) -> None:
    run = f"/runs/{world.run.public_id}"

    for path in (f"{run}/files", f"{run}/metrics", "/compute"):
        whole = get(world, path)
        assert whole["items"]
        assert whole["next_cursor"] is None
        assert _all(world, path, 1) == whole["items"]


def test_unchanged_answer_is_not_sent_again(world: World) -> None:
    token, path = world.tokens["alice_read"], f"/sweeps/{world.sweep.public_id}/runs"
    first = call("GET", path, token=token)

    same = call("GET", path, token=token, if_none_match=first["ETag"])
    weak = call("GET", path, token=token, if_none_match=f'"x", W/{first["ETag"]}')
    make_run(world.sweep, lr=0.9, layers=1)
    changed = call("GET", path, token=token, if_none_match=first["ETag"])

    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    assert "RateLimit-Limit" in same
    assert weak.status_code == 304
    assert changed.status_code == 200
    assert "private" in first["Cache-Control"]
    assert "Authorization" in first["Vary"]


def test_limits_are_changed_only_in_the_version_that_was_read(world: World) -> None:
    token, path = world.tokens["alice_write"], f"/sweeps/{world.sweep.public_id}"
    read = call("GET", path, token=token)["ETag"]

    # Progress of runs is no reason to refuse.
    make_run(world.sweep, lr=0.9, layers=1)
    changed = call("PATCH", path, token=token, body={"max_total_runs": 9}, if_match=read)
    late = call("PATCH", path, token=token, body={"max_total_runs": 10}, if_match=read)
    now = changed["ETag"]
    right = call("PATCH", path, token=token, body={"max_total_runs": 11}, if_match=f"W/{now}")
    wrong = call("PATCH", path, token=token, body={"max_total_runs": 12}, if_match='"abc"')

    assert changed.status_code == 200
    assert "version 2" in assert_problem(late, 412)[0]["message"]
    assert json.loads(right.content)["limits"]["max_total_runs"] == 11
    assert assert_problem(wrong, 422)[0]["path"] == "If-Match"
    any_version = call("PATCH", path, token=token, body={"max_total_runs": 12}, if_match="*")
    assert any_version.status_code == 200


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("text/csv", 415), ("multipart/form-data; boundary=x", 415), ("application/xml", 415)],
)
def test_body_of_another_type_is_refused(world: World, content_type: str, status: int) -> None:
    token = world.tokens["alice_write"]
    sweep = f"/sweeps/{world.sweep.public_id}"

    for method, path in (("PATCH", sweep), ("PATCH", f"{sweep}/tags"), ("POST", "/sweeps")):
        answer = call(method, path, token=token, body="{}", content_type=content_type)
        assert "application/json" in assert_problem(answer, status)[0]["message"]


def test_body_without_a_type_is_json(world: World) -> None:
    path = f"/sweeps/{world.sweep.public_id}"

    for number, content_type in enumerate(("", "application/x-www-form-urlencoded", "a/b+json")):
        answer = call(
            "PATCH",
            path,
            token=world.tokens["alice_write"],
            body={"max_total_runs": 20 + number},
            content_type=content_type,
        )
        assert answer.status_code == 200, answer.content
