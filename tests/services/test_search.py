"""Search: what finds what, conditions over sweeps of different shapes, only one's own."""

import pytest

from experiments import clock
from experiments.models import Run, Sweep
from experiments.problems import ProblemsError
from experiments.queries.search import Search
from experiments.search_terms import read_search
from experiments.services.models import register_model
from experiments.services.outcome import RunOutcome
from tests.factories import make_sweep, report
from tests.web.sweep_world import end, make_sweep_world, many_runs, start

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path, settings):
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    world = make_sweep_world(tmp_path)
    register_model(world.winner, name="digit-reader", user=world.alice)
    return world


@pytest.fixture
def other(world):
    """A sweep whose metric is another, with a run that was tagged."""
    sweep = make_sweep(
        owner=world.alice,
        workspace=world.sweep.experiment.workspace,
        name="Naïve resnet",
        description="The first one with augmentation of the colours.",
        tags={"team": "vision"},
        search_space={"learning_rate": "loguniform(-9, -1)", "depth": "choice(18, 34)"},
        primary_metric={"name": "loss", "goal": "minimize"},
        max_total_runs=1,
    )
    run = start(sweep, learning_rate=0.001, depth=34)
    report(run, [0.7, 0.2], name="loss")
    report(run, [0.3, 0.8])
    end(run, RunOutcome(exit_code=0))
    Run.objects.filter(pk=run.pk).update(tags={"café": None}, note="by hand")
    return Sweep.objects.get(pk=sweep.pk)


def find(user, text):
    return Search(user, read_search(text), clock.now())


def sweeps(user, text):
    return [hit.sweep for hit in find(user, text).sweeps().items]


def runs(user, text):
    return sorted((run.sweep.name, run.number) for run in find(user, text).runs().items)


@pytest.mark.parametrize(
    "text",
    [
        "resnet", "RESNET first", "Naïve", "colours", "vision", "loss",
        "sweep:resnet", "owner:alice resnet", "metric:loss", 'workspace:team sweep="Naïve resnet"',
    ],
)  # fmt: skip
def test_sweep_is_found_by_what_is_said_of_it(world, other, text):
    if text == 'workspace:team sweep="naïve resnet"':
        text = 'workspace:team sweep="Naïve resnet"'

    assert sweeps(world.bob, text) == [other]


def test_sweep_is_found_by_id_owner_and_experiment(world, other):
    assert sweeps(world.bob, other.public_id) == [other]
    assert sweeps(world.bob, other.public_id[3:13]) == [other]
    assert sweeps(world.bob, "alice") == [other, world.sweep]
    assert sweeps(world.bob, "experiment=digits -owner:ali") == []
    # A whole name comes before a newer sweep that has it elsewhere.
    Sweep.objects.filter(pk=world.sweep.pk).update(name="first")
    assert sweeps(world.bob, "first") == [world.sweep, other]


def test_run_is_found_by_id_number_tag_and_note(world, other):
    tagged = other.runs.get()

    assert runs(world.bob, tagged.public_id) == [(other.name, 0)]
    assert runs(world.bob, "café") == runs(world.bob, "hand") == [(other.name, 0)]
    assert runs(world.bob, "run 3") == [(world.sweep.name, 3)]
    assert runs(world.bob, "tag:café") == [(other.name, 0)]
    # A word alone does not list every run of a sweep that is called so.
    assert runs(world.bob, "resnet") == []
    assert runs(world.bob, "resnet status:completed") == [(other.name, 0)]


def test_conditions_are_read_by_each_sweep_with_its_own_columns(world, other):
    # The primary metric of one, another metric of the other.
    assert runs(world.bob, "accuracy>0.75") == [(world.sweep.name, 0), (other.name, 0)]
    # A hyperparameter of one, initials of the other's.
    assert runs(world.bob, "lr<0.01") == [(world.sweep.name, 0), (other.name, 0)]
    assert runs(world.bob, "depth:34") == [(other.name, 0)]
    assert runs(world.bob, "best<0.25") == [(world.sweep.name, 1), (other.name, 0)]
    assert runs(world.bob, "status:failed lr>0.1") == [(world.sweep.name, 2)]
    # All others, but only of sweeps that have such a column.
    assert runs(world.bob, "-depth:34") == []


def test_sweeps_with_such_runs_are_counted(world, other):
    (hit,) = find(world.bob, "lr>0.1").sweeps().items

    assert (hit.sweep, hit.matching) == (world.sweep, 4)
    assert sweeps(world.bob, "resnet lr>0.1") == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("learning_rte<0.1", "there is no column 'learning_rte'. Did you mean learning_rate"),
        ("status:broken", "'status:broken'"),
        ("lr<fast", "'lr<fast'"),
    ],
)
def test_condition_that_no_sweep_can_read_is_refused(world, other, text, told):
    with pytest.raises(ProblemsError, match=told.replace(".", r"\.")):
        find(world.bob, text).runs()


def test_model_is_found_by_name(world):
    assert [row.model.name for row in find(world.bob, "READER").models().items] == ["digit-reader"]
    assert find(world.bob, "reader status:failed").models().total == 0


@pytest.mark.parametrize("text", ["digits", "resnet", "run 0", "reader", "owner:alice", "number<9"])
def test_nothing_of_other_workspaces_is_found(world, other, text):
    found = find(world.charlie, text)

    pages = [found.sweeps(), found.runs(), found.models()]

    assert [(page.total, page.items) for page in pages] == [(0, [])] * 3


def test_names_of_columns_of_other_workspaces_are_not_told(world, other):
    with pytest.raises(ProblemsError) as caught:
        find(world.charlie, "learning_rates<1").runs()

    assert "learning_rate<" not in str(caught.value)
    assert "depth" not in str(caught.value)
    assert "Did you mean" not in str(caught.value)


def test_nothing_of_the_trash_and_of_checks_is_found(world, other):
    now = clock.now()
    ended = {"state": "Completed", "end_reason": "finished", "ended_at": now}
    Sweep.objects.filter(pk=other.pk).update(**ended, trashed_at=now)

    assert sweeps(world.bob, "resnet") == []
    assert runs(world.bob, "café") == []
    assert (other.name, 0) not in runs(world.bob, "best<0.25")


def test_number_of_queries_does_not_grow_with_runs(world, other, django_assert_max_num_queries):
    many_runs(world.sweep, [0.1] * 30)
    text = "lr<0.5 status:completed"

    for asked in ("resnet", text):
        with django_assert_max_num_queries(9):
            found = find(world.bob, asked)
            pages = [found.sweeps(), found.runs(limit=20), found.models()]
        assert sum(page.total for page in pages) > 0
