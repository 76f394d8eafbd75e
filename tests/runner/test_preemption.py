"""A real script that somebody else ends with SIGTERM is told from one that the studio stops."""

from __future__ import annotations

import pytest

from experiments.models import Run
from tests.runner.attempts import HEAD, queue, run_to_end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


def test_a_script_that_is_ended_from_outside_is_repeated_with_its_reports_kept(tmp_path, settings):
    settings.STUDIO_MAX_RETRIES = 1
    script = HEAD + (
        "import os, signal\n"
        "run.log('accuracy', 0.5)\n"
        "if run.id.endswith('_0'):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
    )

    first = run_to_end(queue(tmp_path, script, max_total_runs=1))

    assert (first.state, first.end_reason, first.reports) == ("Failed", "preempted", 1)
    again = run_to_end(Run.objects.get(retry_of=first))
    assert (again.state, again.params) == ("Completed", first.params)
    again.sweep.refresh_from_db()
    assert again.sweep.state == "Completed"
