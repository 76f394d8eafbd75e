"""Models through the SDK, against a live studio: from outside and from within a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.sdk import Experiment, HyperDriveRun, Model, Run, UserErrorException, Workspace

pytestmark = [pytest.mark.slow]

SCRIPT = """\
import argparse
import pathlib

from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.25)
parser.add_argument("--inside", action="store_true")
args = parser.parse_args()
run = Run.get_context()
pathlib.Path("outputs/net").mkdir(parents=True, exist_ok=True)
pathlib.Path("outputs/net/weights.bin").write_bytes(bytes(range(256)) * 5000)
pathlib.Path("outputs/net/classes.txt").write_text("a b c")
pathlib.Path("outputs/scaler.pkl").write_bytes(b"scaler")
run.log("accuracy", args.lr)
if args.inside:
    model = run.register_model("from-inside", "outputs/net", tags={"by": "script"})
    print(model, model.version, model.metric["value"])
    try:
        model.download()
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.fixture(scope="module")
def workspace(live_studio):
    return Workspace(live_studio.url, live_studio.token)


@pytest.fixture(scope="module")
def submit(live_studio, tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    (folder / "train.py").write_text(SCRIPT)

    def start(**changes) -> HyperDriveRun:
        spec = {
            "name": "models",
            "experiment": "models",
            "source_directory": str(folder),
            "script": "train.py",
            "search_space": {"lr": "choice(0.25, 0.5)"},
            "sampling": "grid",
            "primary_metric": {"name": "accuracy", "goal": "maximize"},
            "max_total_runs": 2,
            **changes,
        }
        sweep = live_studio.api("/sweeps", spec)["id"]
        ended = live_studio.wait_for_end(sweep)
        assert ended["status"] == "Completed", ended
        return sweep

    return start


@pytest.fixture(scope="module")
def best(workspace, submit) -> Run:
    sweep = HyperDriveRun(Experiment(workspace, "models"), submit())
    return sweep.get_best_run_by_primary_metric()


def test_winner_is_registered_found_and_downloaded(best, workspace, tmp_path):
    model = best.register_model(
        "net",
        model_path="outputs/net",
        tags={"kind": "cnn", "checked": None},
        properties={"seed": 7},
        model_framework="numpy",
        model_framework_version="2",
        description="from the grid",
    )

    assert (model.name, model.version, model.id) == ("net", 1, "net:1")
    assert model.metric == {"name": "accuracy", "goal": "maximize", "value": 0.5}
    assert model.hyperparameters == {"lr": 0.5}
    assert model.tags == {"kind": "cnn", "checked": None}
    assert model.properties["seed"] == "7"
    assert (model.model_framework, model.model_framework_version) == ("numpy", "2")
    assert (model.description, model.run_id, model.stage) == ("from the grid", best.id, "none")
    assert model.run.id == best.id
    assert model.get_file_names() == ["classes.txt", "weights.bin"]

    path = Path(model.download(str(tmp_path)))
    assert path == tmp_path / "net"
    assert (path / "weights.bin").read_bytes() == bytes(range(256)) * 5000
    assert (path / "classes.txt").read_text() == "a b c"
    with pytest.raises(UserErrorException, match="exist_ok=True"):
        model.download(str(tmp_path))
    (path / "classes.txt").write_text("changed")
    model.download(str(tmp_path), exist_ok=True)
    assert (path / "classes.txt").read_text() == "a b c"
    assert sorted(p.name for p in path.iterdir()) == ["classes.txt", "weights.bin"]
    assert workspace.models["net"].version == 1


def test_versions_are_looked_up_by_every_condition(best, workspace, tmp_path):
    one = best.register_model("scaler", "outputs/scaler.pkl", tags={"a": "1"})
    two = best.register_model("scaler", "outputs/scaler.pkl", properties={"b": "2"})

    assert (one.version, two.version) == (1, 2)
    assert Model(workspace, "scaler").version == 2
    assert Model(workspace, "scaler", version=1).tags == {"a": "1"}
    assert Model(workspace, id="scaler:1").version == 1
    assert Model(workspace, "scaler", tags=["a"]).version == 1
    assert Model(workspace, "scaler", tags=[["a", "1"]]).version == 1
    assert Model(workspace, "scaler", properties={"b": "2"}).version == 2
    assert Model(workspace, "scaler", run_id=best.id).version == 2
    assert [m.version for m in Model.list(workspace, "scaler")] == [2, 1]
    assert [m.version for m in Model.list(workspace, "scaler", latest=True)] == [2]
    assert [m.id for m in Model.list(workspace, tags="a") if m.name == "scaler"] == ["scaler:1"]
    assert Model.list(workspace, "nothing") == []
    assert Path(two.download(tmp_path)) == tmp_path / "scaler.pkl"
    assert (tmp_path / "scaler.pkl").read_bytes() == b"scaler"


def test_path_of_a_model_is_downloaded_once(best, workspace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = best.register_model("kept", "outputs/scaler.pkl")

    path = Model.get_model_path("kept", _workspace=workspace)

    assert path == f"azureml-models/kept/{model.version}/scaler.pkl"
    Path(path).write_bytes(b"mine")
    assert Model.get_model_path("kept", 1, _workspace=workspace) == path
    assert Path(path).read_bytes() == b"mine"


def test_marks_words_and_tags_change(best, workspace):
    one, two = (best.register_model("marked", "outputs/scaler.pkl") for _ in range(2))

    one.mark("production")
    two.mark("production")
    two.add_tags({"a": 1, "b": None})
    two.remove_tags(["b"])
    two.add_properties({"p": 1})
    two.update(description="new", tags={"c": "3"})

    assert Model(workspace, "marked", version=1).stage == "archived"
    found = Model(workspace, "marked", stage="production")
    assert (found.version, found.description) == (2, "new")
    assert (found.tags, found.properties) == ({"c": "3"}, {"p": "1"})
    with pytest.raises(UserErrorException, match="Production; remove that mark"):
        two.delete()
    two.mark(None)
    two.delete()
    assert [m.version for m in Model.list(workspace, "marked")] == [1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: run.register_model("a b", "outputs"), 'The name "a b" cannot be used'),
        (lambda run: run.register_model("net2"), 'no file or folder "net2"; it has logs, outputs'),
        (lambda run: run.register_model("net2", "outputs/x"), 'no file or folder "outputs/x"'),
        (lambda run: run.parent.register_model("net2"), "register its best run"),
        (lambda run: Model(run.experiment.workspace, "nothing"), "no model 'nothing'"),
        (lambda run: Model(run.experiment.workspace, "n", version=9), "no model 'n' 9"),
        (lambda run: Model(run.experiment.workspace, run_id="x"), "needs a name"),
        (lambda run: Model.register(None, "x.pkl", "x"), "models come from runs"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(best, call, message):
    with pytest.raises(UserErrorException) as caught:
        call(best)

    assert message in str(caught.value)


def test_script_registers_its_own_run(workspace, submit):
    sweep = submit(max_total_runs=1, arguments=["--inside"])

    model = Model(workspace, "from-inside")
    assert model.run_id == f"{sweep}_0"
    assert model.tags == {"by": "script"}
    # The report just before it is stored already.
    assert model.metric["value"] == 0.25
    assert model.get_file_names() == ["classes.txt", "weights.bin"]
    log = Run.get(workspace, model.run_id).get_details_with_logs()["logFiles"]["logs/std_log.txt"]
    assert "Model(name='from-inside', version=1, stage='none') 1 0.25" in log
    assert "UserErrorException The token of a run opens that run only." in log


def test_names_of_azure_are_there(tmp_path):
    import subprocess
    import sys

    program = tmp_path / "program.py"
    program.write_text(
        "import json\n"
        "from azureml.core import Model\n"
        "from azureml.core.model import Model as Same\n"
        "print(json.dumps([Model is Same, Model.__module__]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "studio.sdk.azureml", str(program)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout) == [True, "studio.sdk.model"]
