"""Studies and experiments made by the real Optuna and the real MLflow client."""

from __future__ import annotations

import math
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiments.imports.build import Given, build
from experiments.imports.mlflow_folder import read_folder
from experiments.imports.mlflow_runs import read_mlflow
from experiments.imports.mlflow_server import read_server
from experiments.imports.optuna_study import read_optuna
from experiments.problems import ProblemsError


def plain(raw) -> tuple:
    return (
        raw.run_id,
        raw.status,
        raw.times,
        dict(raw.params),
        {name: text for name, text in raw.tags.items() if not name.startswith("mlflow.")},
        {name: str(points) for name, points in raw.metrics.items()},
    )


LOSS = Given(metrics=("loss",), goal="minimize")


def study_in(storage, name="digits"):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=storage, study_name=name, sampler=optuna.samplers.RandomSampler(seed=1)
    )

    def objective(trial):
        lr = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
        layers = trial.suggest_int("layers", 1, 4)
        trial.suggest_categorical("opt", ["sgd", "adam", None])
        trial.suggest_float("drop", 0.0, 0.3, step=0.1)
        if layers > 1:
            trial.suggest_int("width", 8, 4096, log=True)
        trial.set_user_attr("team", "vision")
        for step in range(3):
            trial.report(lr / (step + 1), step * 10)
        if trial.number == 1:
            raise optuna.TrialPruned
        if trial.number == 2:
            raise ValueError("diverged")
        return lr / 3 if trial.number else 0.5

    study.optimize(objective, n_trials=6, catch=(ValueError,))
    study.enqueue_trial({"lr": 0.01})
    return study


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    path = tmp_path_factory.mktemp("optuna") / "study.db"
    with warnings.catch_warnings(action="ignore"):
        return path, study_in(f"sqlite:///{path}")


def test_an_optuna_study_comes_with_history_states_and_space(storage):
    path, study = storage
    for address in (f"sqlite:///{path}", str(path)):
        sweep = build(read_optuna(address, "", Given(metrics=("loss",))), Given(metrics=("loss",)))

        assert sweep.spec["primary_metric"] == {"name": "loss", "goal": "minimize"}
        assert sweep.notes == ["1 trials that wait to be run are left out."]
        assert [run.status for run in sweep.runs] == [
            "Completed", "Canceled", "Failed", "Completed", "Completed", "Completed",
        ]  # fmt: skip
    first, pruned, failed = sweep.runs[:3]
    assert [dict(run.params) for run in sweep.runs] == [t.params for t in study.trials[:6]]
    # The final value differs from the last intermediate one only in the first trial.
    lr = first.params["lr"]
    assert list(first.series[0].values) == [lr, lr / 2, lr / 3, 0.5]
    assert first.series[0].steps == [0, 10, 20, None]
    assert list(sweep.runs[3].series[0].steps or ()) == [0, 10, 20]
    assert (pruned.end_reason, pruned.reason) == ("policy", "Pruned by Optuna at step 20.")
    assert (len(failed.series), first.tags) == (1, {"team": "vision"})
    assert first.started == study.trials[0].datetime_start.astimezone()
    assert sweep.spec["search_space"] == {
        "lr": f"loguniform({math.floor(math.log(1e-4) * 1e6) / 1e6}, "
        f"{math.ceil(math.log(1e-1) * 1e6) / 1e6})",
        "layers": "choice(range(1, 5))",
        "opt": 'choice("sgd", "adam", None)',
        "drop": "choice(0.0, 0.1, 0.2, 0.3)",
        "width": "qloguniform(2.079441, 8.317767, 1)",
    }


def test_an_optuna_journal_with_several_studies_wants_a_name(tmp_path):
    import optuna
    from optuna.storages.journal import JournalFileBackend

    path = tmp_path / "journal.log"
    with warnings.catch_warnings(action="ignore"):
        journal = optuna.storages.JournalStorage(JournalFileBackend(str(path)))
        optuna.create_study(
            storage=journal, study_name="two", directions=["minimize", "maximize"]
        ).optimize(lambda trial: (trial.suggest_float("x", 0, 1), 2.0), n_trials=2)
        optuna.create_study(storage=journal, study_name="empty")

    with pytest.raises(ProblemsError, match="2 studies; choose one with --study"):
        read_optuna(str(path), "", LOSS)
    sweep = build(
        read_optuna(str(path), "two", Given(metrics=("value_1",))), Given(metrics=("value_1",))
    )
    assert sweep.spec["primary_metric"] == {"name": "value_1", "goal": "maximize"}
    assert [[s.name for s in run.series] for run in sweep.runs] == [["value_0", "value_1"]] * 2
    with pytest.raises(ProblemsError, match="no run to import"):
        build(read_optuna(str(path), "empty", LOSS), LOSS)


def test_what_is_no_optuna_storage_is_refused_and_left_alone(tmp_path):
    missing = tmp_path / "none.db"
    with pytest.raises(ProblemsError, match="There is no file"):
        read_optuna(f"sqlite:///{missing}", "", LOSS)
    assert not missing.exists()
    with pytest.raises(ProblemsError, match="is no file"):
        read_optuna(str(missing), "", LOSS)
    other = tmp_path / "other.log"
    other.write_text("hello\n")
    with pytest.raises(ProblemsError, match="holds no Optuna study"):
        read_optuna(str(other), "", LOSS)
    with pytest.raises(ProblemsError, match="cannot be read as an Optuna storage"):
        read_optuna("nodialect://me:secret@host/db", "", LOSS)


def test_a_folder_of_mlflow_comes_with_every_point(tmp_path, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    with warnings.catch_warnings(action="ignore"):
        client = mlflow.MlflowClient(tracking_uri=f"file:{tmp_path}/mlruns")
        experiment = client.create_experiment("digits")
        parent = client.create_run(experiment, run_name="search")
        for i, lr in enumerate(("0.1", "0.01")):
            run = client.create_run(
                experiment,
                start_time=1_700_000_000_000 + i,
                tags={"mlflow.parentRunId": parent.info.run_id, "team": "vision"},
            )
            client.log_param(run.info.run_id, "lr", lr)
            client.log_param(run.info.run_id, "epochs", "3")
            for step, value in enumerate((0.5, float("nan"), float("inf"))):
                client.log_metric(
                    run.info.run_id, "loss", value, timestamp=1_700_000_000_500 + step, step=step
                )
            client.set_terminated(run.info.run_id, "FINISHED" if i else "FAILED")

    for uri in (f"{tmp_path}/mlruns", f"file:{tmp_path}/mlruns", f"{tmp_path}/mlruns/{experiment}"):
        sweep = build(read_mlflow(uri, "", LOSS), LOSS)
        assert [dict(run.params) for run in sweep.runs] == [{"lr": 0.1}, {"lr": 0.01}]
    # Through MLflow's client, as from any tracking address, it is the same.
    with warnings.catch_warnings(action="ignore"):
        by_client = read_server(f"file:{tmp_path}/mlruns", "digits")
    by_file = read_folder(tmp_path / "mlruns", "digits")
    assert by_client[0] == by_file[0] == "digits"
    pairs = [sorted(map(plain, raws), key=lambda raw: raw[0]) for _, raws in (by_client, by_file)]
    assert pairs[0] == pairs[1]
    first = sweep.runs[0]
    assert [run.status for run in sweep.runs] == ["Failed", "Completed"]
    assert (first.properties["epochs"], first.tags) == ("3", {"team": "vision"})
    assert [str(value) for value in first.series[0].values] == ["0.5", "nan", "inf"]
    assert (first.series[0].steps, first.series[0].times) == (
        [0, 1, 2],
        [1_700_000_000.5, 1_700_000_000.501, 1_700_000_000.502],
    )
    assert first.started == datetime.fromtimestamp(1_700_000_000, UTC)
    assert sweep.notes[0] == "1 parent runs are left out."
    with pytest.raises(ProblemsError, match='no experiment "other"'):
        read_mlflow(f"{tmp_path}/mlruns", "other", LOSS)
    with pytest.raises(ProblemsError, match="is no folder"):
        read_mlflow(f"{tmp_path}/none", "", LOSS)
