"""What a script may do with its run besides `log`: tables, files, child runs, failing, offline."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.env import studio_home
from studio.sdk import (
    Experiment,
    Run,
    RunEnvironmentException,
    UserErrorException,
    Workspace,
    azureml,
    workspace,
)
from studio.sdk.journal import JOURNAL_VARIABLE, RUN_VARIABLE
from studio.sdk.uploads import read_failure
from tests.servers import ROOT, clean_environment

RUN_ID = "HD_11111111-2222-3333-4444-555555555555_7"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The run of a script whose folder is tmp_path/run; its studio does not answer."""
    folder = tmp_path / "run"
    (folder / "code" / "outputs").mkdir(parents=True)
    monkeypatch.setenv(RUN_VARIABLE, RUN_ID)
    monkeypatch.setenv(JOURNAL_VARIABLE, str(folder / "metrics.jsonl"))
    monkeypatch.setenv("STUDIO_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("STUDIO_RUN_TOKEN", "token")
    return Run.get_context()


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv(RUN_VARIABLE, raising=False)
    return Run.get_context()


def test_metrics_are_read_as_they_were_logged(run: Run) -> None:
    run.log("once", 1)
    run.log("often", 0.5)
    run.log("often", math.inf)
    run.log("word", "good")
    run.log_list("list", (i / 2 for i in range(3)))
    run.log_list("nothing", [])
    run.log_row("row", x=1, y="a")
    run.log_row("rows", x=1, y=2)
    run.log_row("rows", x=3, y=4)
    run.log_table("table", {"a": [1, 2, 3], "b": 4, "c": "text"})

    assert run.get_metrics() == {
        "once": 1.0,
        "often": [0.5, math.inf],
        "word": "good",
        "list": [0.0, 0.5, 1.0],
        "row": {"x": 1.0, "y": "a"},
        "rows": {"x": [1.0, 3.0], "y": [2.0, 4.0]},
        "table": {"a": [1.0, 2.0, 3.0], "b": 4.0, "c": "text"},
    }
    assert run.get_metrics("once") == {"once": 1.0}


@pytest.mark.parametrize(
    "call",
    [
        lambda run: run.log_list("m", 3),
        lambda run: run.log_list("m", "text"),
        lambda run: run.log_list("m", [[1], [2]]),
        lambda run: run.log_row("m"),
        lambda run: run.log_row("m", x=[1, 2]),
        lambda run: run.log_row("", x=1),
        lambda run: run.log_table("m", [1, 2]),
        lambda run: run.log_table("m", {}),
        lambda run: run.log_image("m"),
        lambda run: run.log_image("m", path="a.png", plot=io),
        lambda run: run.log_image("m", plot="no figure"),
        lambda run: run.log_image("m", path="/nowhere/at/all.png"),
        lambda run: run.log_residuals("m", "{"),
        lambda run: run.log_predictions("m", {"schema_type": "predictions"}),
        lambda run: run.upload_file("../x", __file__),
        lambda run: run.upload_file("/x", __file__),
        lambda run: run.upload_file("", __file__),
        lambda run: run.upload_file("a\\b", __file__),
        lambda run: run.upload_file("x", "/nowhere/at/all"),
        lambda run: run.upload_files(["a", "b"], [__file__]),
        lambda run: run.upload_folder("x", __file__),
        lambda run: run.submit_child(None),
        lambda run: run.register_model(""),
        lambda run: run.register_model(None),
        lambda run: run.create_children(),
        lambda run: run.create_children(count=101),
        lambda run: run.download_file("nothing"),
    ],
)
def test_wrong_calls_are_refused_and_report_nothing(run: Run, call: Any, tmp_path: Path) -> None:
    with pytest.raises(UserErrorException):
        call(run)

    assert run.get_metrics() == {}
    assert [p for p in (tmp_path / "run").rglob("*") if p.is_file()] == []


class Figure:
    """What a figure of matplotlib can do."""

    def savefig(self, target: io.BytesIO, **options: str) -> None:
        target.write(b"picture as " + options["format"].encode())


def test_pictures_and_documents_are_files_and_reports(run: Run, tmp_path: Path) -> None:
    (tmp_path / "own.jpg").write_bytes(b"jpg")
    run.log_image("loss/epoch", plot=Figure())
    run.log_image("loss/epoch", plot=Figure())
    run.log_image("photo", path=tmp_path / "own.jpg")
    run.log_confusion_matrix("matrix", {"schema_type": "confusion_matrix", "data": {"a": [1]}})
    run.log_accuracy_table("table", json.dumps({"data": {}}))

    assert run.get_metrics() == {
        "loss/epoch": ["images/loss_epoch.png", "images/loss_epoch-2.png"],
        "photo": "images/photo.jpg",
        "matrix": "documents/matrix.json",
        "table": "documents/table.json",
    }
    uploads = tmp_path / "run" / "uploads"
    assert (uploads / "images" / "loss_epoch.png").read_bytes() == b"picture as png"
    assert json.loads((uploads / "documents" / "matrix.json").read_text())["data"] == {"a": [1]}


def test_files_are_kept_under_the_name_given(run: Run, tmp_path: Path) -> None:
    source = tmp_path / "model.bin"
    source.write_bytes(b"weights")
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_text("a")
    (tmp_path / "run" / "code" / "outputs" / "live.txt").write_text("live")

    run.upload_file("model.bin", str(source))
    run.upload_file("outputs/model.bin", io.BytesIO(b"stream"))
    run.upload_files(["one", "two/2"], [source, source])
    run.upload_folder("all", folder)

    assert run.get_file_names() == [
        "all/deep/a.txt",
        "model.bin",
        "one",
        "outputs/live.txt",
        "outputs/model.bin",
        "two/2",
    ]
    assert (tmp_path / "run" / "outputs" / "model.bin").read_bytes() == b"stream"
    with pytest.raises(UserErrorException, match="already"):
        run.upload_file("model.bin", str(source))
    run.download_file("outputs/live.txt", tmp_path / "copy.txt")
    assert (tmp_path / "copy.txt").read_text() == "live"
    run.download_files("all/", tmp_path / "down")
    assert (tmp_path / "down" / "all" / "deep" / "a.txt").read_text() == "a"


def test_child_runs_are_parts_of_the_run(run: Run, tmp_path: Path) -> None:
    with run.child_run("fold 1") as child:
        child.log("accuracy", 0.5)
        child.upload_file("model", io.BytesIO(b"1"))
    for other in run.create_children(tag_key="fold", tag_values=["a", "b"]):
        other.log("accuracy", 0.25)
    run.log("accuracy", 0.75)

    assert child.get_metrics() == {"accuracy": 0.5}
    assert child.get_file_names() == ["model"]
    assert [part.name for part in run.get_children()] == ["fold 1", "a", "b"]
    assert run.get_metrics() == {
        "fold 1/accuracy": 0.5,
        "a/accuracy": 0.25,
        "b/accuracy": 0.25,
        "accuracy": 0.75,
    }


def test_failure_is_noted_with_its_reason(run: Run, tmp_path: Path) -> None:
    with pytest.raises(KeyError), run:
        raise KeyError("lost")

    note = tmp_path / "run" / "failed.json"
    assert read_failure(note) == "the script called Run.fail: KeyError: 'lost'"
    run.fail("too little data", error_code="E7")
    assert read_failure(note) == "the script called Run.fail: [E7] too little data"
    note.write_text("[")
    assert read_failure(note) == ""


def test_studio_that_is_away_does_not_end_a_training(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run._client().patience = 0.1

    run.tag("a", 1)

    assert "tags cannot be written" in capsys.readouterr().err


def test_run_whose_studio_is_unknown_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_URL", "")

    with pytest.raises(RunEnvironmentException, match="STUDIO_URL"):
        run.get_details()


def test_offline_run_keeps_to_itself(offline: Run, capsys: pytest.CaptureFixture[str]) -> None:
    offline.log_list("m", [1, 2])
    offline.tag("a", 1)
    offline.tag("b")
    offline.remove_tags(["b"])
    offline.add_properties({"p": 1})
    offline.add_properties({})
    offline.upload_file("model.bin", "model.bin")
    with offline.child_run("part") as child:
        child.log("m", 3)
    offline.flush()

    assert offline.get_metrics() == {"m": [1.0, 2.0]}
    assert (offline.get_tags(), offline.get_properties()) == ({"a": "1"}, {"p": "1"})
    assert child.get_status() == "Completed"
    assert offline.get_status() == "Running"
    with pytest.raises(UserErrorException, match="cannot be changed"):
        offline.add_properties({"p": 2})
    offline.fail("no data")
    assert offline.get_details()["status"] == "Failed"
    assert offline.get_file_names() == []
    assert "Offline run: Failed: no data\n" in capsys.readouterr().out
    with pytest.raises(RunEnvironmentException, match="offline"):
        offline.get_portal_url()


def test_run_needs_an_id_and_an_experiment() -> None:
    with pytest.raises(UserErrorException, match="id of a run"):
        Run(None, 3)  # type: ignore[arg-type]
    with pytest.raises(UserErrorException, match="no experiment"):
        Run("experiment", "HD_1_0").get_status()


def test_training_script_loads_nothing_it_does_not_need() -> None:
    code = (
        "import sys; before = set(sys.modules); from studio.sdk import Run; "
        "Run.get_context().log('m', 1); "
        "print(sorted({'urllib.request', 'http.client', 'ssl', 'zipfile', 'tempfile', 'socket'} "
        "& (set(sys.modules) - before)))"
    )
    env = clean_environment(PYTHONPATH=str(ROOT))

    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=env, capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "environment", [{"STUDIO_HOME": "~/x"}, {"XDG_DATA_HOME": "/data"}, {}, {"STUDIO_HOME": " "}]
)
def test_program_finds_the_studio_where_the_command_line_does(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STUDIO_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert workspace.studio_home() == studio_home()


def test_workspace_is_read_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"url": "http://studio:8000/", "token": "t"}))

    assert Workspace.from_config(config).name == "http://studio:8000"
    config.write_text("{}")
    with pytest.raises(UserErrorException, match="cannot be used"):
        Workspace.from_config(config)
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    monkeypatch.delenv("STUDIO_URL", raising=False)
    with pytest.raises(UserErrorException, match="studio up"):
        Workspace.from_config()
    monkeypatch.setenv("STUDIO_URL", "http://far:1")
    monkeypatch.setenv("STUDIO_TOKEN", "t")
    found = Workspace.from_config()
    assert repr(found) == "Workspace(url='http://far:1')"
    for name in ("", "-x", "a b", "x" * 256, None):
        with pytest.raises(UserErrorException):
            Experiment(found, name)  # type: ignore[arg-type]


def run_shim(*words: str, path: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command with its words."""
    return subprocess.run(
        [sys.executable, "-m", "studio.sdk.azureml", *words],
        env=clean_environment(PYTHONPATH=os.pathsep.join(p for p in (str(ROOT), path) if p)),
        capture_output=True,
        text=True,
        check=False,
    )


def test_program_gets_the_stand_ins_and_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("VALUE = 7\n")
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, beside\n"
        "from azureml.train.hyperdrive.parameter_expressions import choice\n"
        "from azureml.train.estimator import Estimator\n"
        "from azureml.core import Environment, Run, ScriptRunConfig\n"
        "from azureml.core.compute import ComputeTarget\n"
        "from azureml.exceptions import UserErrorException\n"
        "from azureml.train.hyperdrive.exceptions import HyperDriveConfigException\n"
        "print(__name__, sys.argv[1:], beside.VALUE, choice(1))\n"
        "Run.get_context().log('m', 1)\n"
    )

    done = run_shim(str(program), "--a", "1")

    assert done.returncode == 0, done.stderr
    assert done.stdout == ("__main__ ['--a', '1'] 7 ['choice', [[1]]]\nOffline run: m = 1.0\n")


def test_real_package_is_never_shadowed(tmp_path: Path) -> None:
    (tmp_path / "azureml").mkdir()
    (tmp_path / "azureml" / "core.py").write_text("REAL = True\n")
    program = tmp_path / "program.py"
    program.write_text("import azureml.core\nprint(azureml.core.REAL)\n")

    done = run_shim(str(program), path=str(tmp_path))

    assert (done.returncode, done.stdout) == (0, "True\n")
    assert "real azureml package" in done.stderr


def test_command_without_a_program_says_how_it_is_used(tmp_path: Path) -> None:
    for words in ((), (str(tmp_path / "nothing.py"),)):
        done = run_shim(*words)
        assert done.returncode == 2
        assert "usage: python -m studio.sdk.azureml" in done.stderr


def test_notebook_turns_the_stand_ins_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))

    assert azureml.enable()
    assert azureml.enable()

    assert [Path(p).name for p in sys.path].count("compat") == 1
