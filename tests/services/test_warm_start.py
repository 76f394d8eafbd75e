"""Going on from earlier sweeps: what may be named, all problems at once, nothing created."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from experiments.models import Resumption, Run, Sweep, WarmStart
from experiments.problems import ProblemsError
from experiments.services.sweeps import check_spec, submit_spec
from experiments.services.warm_start import find_lineage
from experiments.spec import SweepSpec
from tests.earlier_sweeps import make_ended_sweep, run_of
from tests.factories import SPEC, make_compute, make_run, make_sweep, make_user, make_workspace

pytestmark = pytest.mark.django_db
GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "warm_start.json").read_text())


@pytest.fixture
def alice():
    make_compute()
    return make_user()


@pytest.fixture
def workspace(alice):
    return make_workspace(alice)


@pytest.fixture
def source(settings, tmp_path):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text("print(1)")
    return folder


def make_earlier(folder: Path, **changes) -> Sweep:
    """Return a sweep as a golden case describes it."""
    states = changes.pop("runs", [])
    if changes.pop("running", False):
        sweep = make_sweep(max_concurrent_runs=4, **changes)
        for _ in states:
            make_run(sweep)
        Run.objects.filter(sweep=sweep).update(state="Running")
        return sweep
    sweep = make_ended_sweep(*([0.5] for _ in states), folder=folder, **changes)
    for number, state in enumerate(states):
        if state == "Empty":
            Run.objects.filter(sweep=sweep, number=number).update(directory="")
        else:
            Run.objects.filter(sweep=sweep, number=number).update(state=state)
    return sweep


def filled(value, ids: list[str]):
    """Return a golden value with the ids of the earlier sweeps in it."""
    text = json.dumps(value)
    for number, one in enumerate(ids):
        text = text.replace(f"{{{number}}}", one)
    return json.loads(text)


def submit(raw, owner: User, workspace, source: Path, **options) -> Sweep:
    options = {"base_directory": source, "allow_server_paths": True, **options}
    return submit_spec(raw, owner=owner, workspace=workspace, **options)[0]


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_what_may_be_continued_and_resumed(case, alice, workspace, source, tmp_path):
    earlier = [make_earlier(tmp_path / "runs", **changes) for changes in case["earlier"]]
    ids = [sweep.public_id for sweep in earlier]
    raw = {**SPEC, **filled(case["spec"], ids)}

    _, problems, _ = check_spec(
        raw, user=alice, workspace=workspace, base_directory=source, allow_server_paths=True
    )

    assert [[p.path, p.message] for p in problems] == filled(case["problems"], ids)
    before = Sweep.objects.count()
    if problems:
        with pytest.raises(ProblemsError) as caught:
            submit(raw, alice, workspace, source)
        assert caught.value.problems == problems
        assert Sweep.objects.count() == before
        assert not WarmStart.objects.exists()
        assert not Resumption.objects.exists()
    else:
        sweep = submit(raw, alice, workspace, source)
        assert sweep.spec["resume_from"] == SweepSpec.parse(raw).resume_from
        assert [row.parent for row in sweep.warm_starts.all()] == [
            Sweep.objects.get(public_id=one) for one in sweep.spec["resume_from"]
        ]
        assert [row.source_public_id for row in sweep.resumptions.all()] == sweep.spec[
            "resume_child_runs"
        ]


def test_golden_cases_cover_every_row():
    names = [case["name"] for case in GOLDEN["cases"]]

    assert len(set(names)) == len(names) >= 30


def test_sweep_and_run_of_strangers_do_not_exist(workspace, alice, source, tmp_path):
    mallory = make_user("mallory")
    make_workspace(mallory, name="Elsewhere")
    theirs = make_ended_sweep([0.5], folder=tmp_path / "runs", owner=alice, workspace=workspace)
    other = make_workspace(mallory, name="Elsewhere")
    raw = {
        **SPEC,
        "resume_from": [theirs.public_id],
        "resume_child_runs": [f"{theirs.public_id}_0"],
    }

    _, problems, _ = check_spec(
        raw, user=mallory, workspace=other, base_directory=source, allow_server_paths=True
    )

    assert [(p.path, p.message.partition("in this")[0]) for p in problems] == [
        ("resume_from[0]", f'There is no sweep "{theirs.public_id}" '),
        ("resume_child_runs[0]", f'There is no run "{theirs.public_id}_0" '),
    ]
    with pytest.raises(ProblemsError):
        submit(raw, mallory, other, source)
    assert not WarmStart.objects.exists()


def test_sweep_of_another_workspace_of_the_same_person_does_not_exist(alice, workspace, source):
    elsewhere = make_ended_sweep(workspace=make_workspace(alice, name="Second"))

    with pytest.raises(ProblemsError) as caught:
        submit({**SPEC, "resume_from": [elsewhere.public_id]}, alice, workspace, source)

    assert [p.path for p in caught.value.problems] == ["resume_from[0]"]


def test_check_before_the_launch_cannot_be_continued(alice, workspace, source):
    check = make_ended_sweep()
    Sweep.objects.filter(pk=check.pk).update(kind="check")

    with pytest.raises(ProblemsError) as caught:
        submit({**SPEC, "resume_from": [check.public_id]}, alice, workspace, source)

    assert caught.value.problems[0].message.startswith("There is no sweep")


def test_ids_that_no_database_can_hold_are_problems(alice, workspace, source):
    raw = {**SPEC, "resume_from": ["HD_\0"], "resume_child_runs": ["HD_\ud800_1"]}

    with pytest.raises(ProblemsError) as caught:
        submit(raw, alice, workspace, source)

    assert {p.path for p in caught.value.problems} == {"resume_from[0]", "resume_child_runs[0]"}


def test_lineage_keeps_the_order_and_survives_the_end_of_its_sources(
    alice, workspace, source, tmp_path
):
    first = make_ended_sweep([0.5], [0.6], folder=tmp_path / "runs", name="first", experiment="a")
    second = make_ended_sweep(name="second", experiment="b")
    raw = {
        **SPEC,
        "resume_from": [second.public_id, first.public_id],
        "resume_child_runs": [run_of(first, 1).public_id],
    }
    sweep = submit(raw, alice, workspace, source)

    first.delete()

    rows = list(sweep.warm_starts.all())
    assert [(r.position, r.parent_public_id, r.parent_name, r.parent) for r in rows] == [
        (0, second.public_id, "second", second),
        (1, first.public_id, "first", None),
    ]
    (resumption,) = sweep.resumptions.all()
    assert (resumption.source, resumption.source_public_id) == (None, f"{first.public_id}_1")
    assert resumption.params == {"lr": 0.2, "layers": 1}


def test_queries_do_not_grow_with_the_number_of_sweeps(
    alice, workspace, source, tmp_path, django_assert_num_queries
):
    sweeps = [make_ended_sweep([0.5], [0.6], folder=tmp_path / "runs") for _ in range(5)]
    spec = SweepSpec.parse(
        {
            **SPEC,
            "max_total_runs": 10,
            "resume_from": [sweep.public_id for sweep in sweeps],
            "resume_child_runs": [f"{sweep.public_id}_{n}" for sweep in sweeps for n in range(2)],
        }
    )

    with django_assert_num_queries(2):
        found = find_lineage(spec, workspace)

    assert (len(found.parents), len(found.runs), found.problems) == (5, 10, [])
