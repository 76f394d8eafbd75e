"""What a script does with its run beyond reporting, seen from the executor's side."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments.models import Artifact
from experiments.queries import all_series
from tests.runner.attempts import HEAD, log_of, queue, run_to_end

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


def test_script_that_says_it_failed_has_failed(tmp_path: Path) -> None:
    script = HEAD + "run.log('accuracy', 1)\nrun.fail('the data is empty')\nprint('exits well')"

    run = run_to_end(queue(tmp_path, script))

    assert run.state == "Failed"
    assert run.reason == "Exit code 0: the script called Run.fail: the data is empty"
    assert log_of(run) == "exits well\n"


def test_exit_code_is_told_rather_than_the_note(tmp_path: Path) -> None:
    script = HEAD + "with run:\n    raise ValueError('bad data')\n"

    run = run_to_end(queue(tmp_path, script))

    assert run.reason == "Exit code 1: ValueError: bad data"


def test_uploads_and_tables_are_kept(tmp_path: Path) -> None:
    script = HEAD + (
        "import io\n"
        "run.log('accuracy', 1)\n"
        "run.upload_file('plots/a.txt', io.BytesIO(b'abc'))\n"
        "run.upload_file('outputs/b.txt', io.BytesIO(b'b'))\n"
        "open('outputs/b.txt', 'w').write('own')\n"
        "run.log_row('curve', x=1, y=2)\n"
        "print(sorted(run.get_metrics()), run.get_file_names())\n"
    )

    run = run_to_end(queue(tmp_path, script))

    assert run.state == "Completed"
    sizes = dict(Artifact.objects.filter(run=run).values_list("path", "size_bytes"))
    assert sizes["plots/a.txt"] == 3
    assert (sizes["outputs/b.txt"], sizes["outputs/script-b.txt"]) == (1, 3)
    assert sorted(s.name for s in all_series(run)) == ["accuracy", "curve → x", "curve → y"]
    assert log_of(run).startswith("['accuracy', 'curve']")
