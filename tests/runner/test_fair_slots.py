"""Real workers share the slots of a target between two workspaces."""

from __future__ import annotations

import pytest

from experiments.models import Run
from experiments.services import sweeps
from experiments.services.advance import advance_sweep
from experiments.services.quotas import change_quota
from tests.factories import make_compute, make_user, make_workspace
from tests.runner.attempts import SPEC
from tests.runner.processes import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WORKER = ("-m", "django", "studio_worker", "--compute", "local")
# Nobody waits for the end of the large sweep.
SCRIPT = "import time\ntime.sleep(0.2)\n"


def submit(folder, name: str, runs: int):
    user = make_user(name, is_superuser=True)
    sweep, _ = sweeps.submit_spec(
        {
            **SPEC,
            "name": name,
            "search_space": {"rate": f"choice(range({runs}))"},
            "max_total_runs": runs,
            "max_concurrent_runs": runs,
            "source_directory": str(folder),
        },
        owner=user,
        workspace=make_workspace(user, name=name),
        allow_server_paths=True,
    )
    advance_sweep(sweep.pk)
    return Run.objects.filter(sweep=sweep)


def test_a_small_sweep_gets_its_share_beside_a_large_one_at_once(tmp_path, launch, valkey_url):
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    make_compute()
    large = submit(folder, "large", 40)
    for _ in range(2):
        launch(valkey_url, *WORKER)
    wait_until(lambda: large.filter(state="Completed").count() >= 2, 60)

    small = submit(folder, "small", 4)
    wait_until(lambda: small.filter(state="Completed").count() == 4, 60)

    begun = small.earliest("created_at").created_at
    last = small.latest("started_at").started_at
    between = large.filter(started_at__gt=begun, started_at__lt=last).count()
    # One for each of its own, and one for each slot where a choice had been made before.
    assert between <= 4 + 2
    assert large.filter(state="Queued").count() >= 20

    change_quota(large[0].sweep.experiment.workspace, {"max_running_runs": 0}, by=None)
    wait_until(lambda: not large.filter(state__in=["Starting", "Running", "Finalizing"]).exists())
    done = large.filter(state="Completed").count()
    again = submit(folder, "small", 2)
    wait_until(lambda: again.filter(state="Completed").count() == 2, 60)
    assert large.filter(state="Completed").count() == done

    change_quota(large[0].sweep.experiment.workspace, {"max_running_runs": 1}, by=None)
    wait_until(lambda: large.filter(state="Completed").count() > done, 60)
