"""Outputs of runs: removed for one run or for all but the best, at once or by the sweep's rule."""

from pathlib import Path

import pytest
from django.utils import timezone

from experiments.models import Artifact, Event, MetricSeries, Run, Sweep
from experiments.problems import ProblemsError
from experiments.queries.outputs import plan_outputs
from experiments.services.models import register_model
from experiments.services.outputs import (
    has_outputs,
    keep_outputs_of_best,
    remove_outputs,
    set_rule,
)
from experiments.services.refused import Refused
from experiments.services.removals import carry_on, carry_on_all
from experiments.services.retention import look_after
from experiments.services.sweeps import cancel_sweep
from tests.factories import make_sweep, make_user
from tests.services.ended_sweeps import (
    OUTPUTS,
    end_run,
    ended_sweep,
    files_below,
    keep_files,
    running_run,
)

pytestmark = pytest.mark.django_db
LONG = 60.0


@pytest.fixture(autouse=True)
def storage(settings, tmp_path) -> Path:
    settings.STUDIO_STORAGE_ROOT = tmp_path / "storage"
    return settings.STUDIO_STORAGE_ROOT


@pytest.fixture
def alice():
    return make_user("alice")


def with_outputs(sweep) -> list[int]:
    runs = Run.objects.filter(sweep=sweep).order_by("number")
    return [run.number for run in runs if has_outputs(run)]


def notices(sweep) -> list[str]:
    return list(Event.objects.filter(sweep=sweep, kind="notice").values_list("message", flat=True))


def test_outputs_of_one_run_go_and_the_rest_of_it_stays(alice):
    sweep = ended_sweep(0.5, 0.9, owner=alice)
    run = sweep.runs.get(number=1)
    version = register_model(run, name="digits", user=alice)
    (Path(run.directory) / "uploads" / "logs").mkdir()
    (Path(run.directory) / "uploads" / "logs" / "extra.txt").write_text("kept")

    removal = carry_on(remove_outputs(run, user=alice), seconds=LONG)

    run.refresh_from_db()
    assert (removal.expected_bytes, removal.freed_bytes) == (OUTPUTS, OUTPUTS)
    assert run.outputs_removed_at is not None
    assert (run.outputs_removal, run.output_bytes, run.best_value) == (removal, 0, 0.9)
    assert files_below(Path(run.directory)) == {"logs/std_log.txt", "uploads/logs/extra.txt"}
    assert [a.path for a in Artifact.objects.filter(run=run)] == ["logs/std_log.txt"]
    assert MetricSeries.objects.get(run=run).last_value == 0.9
    assert with_outputs(sweep) == [0]
    assert version.files.count() == 2
    assert notices(sweep)[-1] == "Outputs of 1 run removed by alice, 1.5 kB freed"
    with pytest.raises(Refused, match="Run 1 has no outputs to remove"):
        remove_outputs(run, user=alice)


@pytest.mark.parametrize(
    ("goal", "best", "kept"),
    [
        ("maximize", 2, [1, 3]),  # 0.9, and the first of two with 0.5 by number
        ("minimize", 1, [0]),
        ("maximize", 0, []),
        ("maximize", 1000, [0, 1, 2, 3]),  # a run without a value is none of the best
    ],
)
def test_outputs_of_the_best_are_kept(alice, goal, best, kept):
    metric = {"name": "accuracy", "goal": goal}
    sweep = ended_sweep(0.1, 0.9, 0.4, 0.5, None, owner=alice, primary_metric=metric)

    plan = plan_outputs(sweep, best)
    removal = keep_outputs_of_best(sweep, best, user=alice)

    assert sorted(one.run.number for one in plan.kept) == kept
    assert plan.freed_bytes == (5 - len(kept)) * OUTPUTS
    assert plan.kept_bytes == len(kept) * OUTPUTS
    assert removal is not None
    assert removal.run_count == 5 - len(kept)
    assert carry_on(removal, seconds=LONG).freed_bytes == plan.freed_bytes
    assert with_outputs(sweep) == kept
    assert Run.objects.filter(sweep=sweep, best_value__isnull=False).count() == 4
    assert keep_outputs_of_best(sweep, best, user=alice) is None  # nothing is left to remove


def test_of_equal_runs_the_first_keeps_its_outputs(alice):
    sweep = ended_sweep(0.5, 0.5, owner=alice)

    assert [one.run.number for one in plan_outputs(sweep, 1).kept] == [0]


def test_run_that_a_live_sweep_resumes_keeps_its_outputs(alice):
    sweep = ended_sweep(0.1, 0.9, owner=alice)
    first = sweep.runs.get(number=0)
    later = make_sweep(owner=alice, name="later", resume_child_runs=[first.public_id])

    with pytest.raises(Refused, match=r'The live sweep "later" \(HD_.*\) resumes run 0 and reads'):
        remove_outputs(first, user=alice)
    plan = plan_outputs(sweep, 1)
    assert ([o.run.number for o in plan.held], plan.removed) == ([0], [])
    assert keep_outputs_of_best(sweep, 1, user=alice) is None

    cancel_sweep(later, user=alice)
    assert carry_on(remove_outputs(first, user=alice), seconds=LONG).freed_bytes == OUTPUTS
    with pytest.raises(ProblemsError, match="nothing to go on from"):
        make_sweep(owner=alice, resume_child_runs=[first.public_id])


def test_live_runs_and_wrong_numbers_are_refused(alice):
    sweep = make_sweep(owner=alice)
    run = running_run(sweep)
    keep_files(run)

    with pytest.raises(Refused, match="Run 0 is Running; outputs can be removed at its end"):
        remove_outputs(run, user=alice)
    with pytest.raises(Refused, match="The sweep is running; outputs can be removed once"):
        keep_outputs_of_best(sweep, 1, user=alice)
    for wrong in (-1, 1001, True, "3", 1.5):
        with pytest.raises(ProblemsError, match="use 0 to 1000"):
            set_rule(sweep, wrong, user=alice)


def test_rule_of_a_live_sweep_is_obeyed_at_its_end(alice):
    sweep = make_sweep(owner=alice, max_total_runs=2)
    runs = [running_run(sweep), running_run(sweep)]
    set_rule(sweep, 3, user=alice)
    set_rule(sweep, 1, user=alice)
    look_after(timezone.now())
    for run, value in zip(runs, (0.5, 0.9), strict=True):
        end_run(run, value)
    assert with_outputs(sweep) == [0, 1]

    look_after(timezone.now())
    carry_on_all(seconds=LONG)

    assert with_outputs(sweep) == [1]
    assert Sweep.objects.get().keep_outputs_of_best is None
    assert notices(sweep) == [
        "Sweep: at its end only the best 3 runs keep their outputs, as alice has chosen",
        "Sweep: at its end only the best run keeps its outputs, as alice has chosen",
        "Outputs of 1 run removed by the rule of the sweep, 1.5 kB freed; the best run kept its",
    ]
    with pytest.raises(Refused, match="The sweep has ended"):
        set_rule(sweep, 1, user=alice)


def test_removal_goes_on_where_it_was_interrupted(alice):
    sweep = ended_sweep(0.1, 0.2, 0.3, 0.4, owner=alice)
    removal = keep_outputs_of_best(sweep, 1, user=alice)

    carry_on(removal, seconds=0)  # one file
    first = sweep.runs.get(number=2)  # not removed yet, but on the list
    assert first.outputs_removal == removal
    assert first.outputs_removed_at is None
    carry_on_all(seconds=LONG)

    removal.refresh_from_db()
    assert removal.freed_bytes == 3 * OUTPUTS
    assert with_outputs(sweep) == [3]
