"""Programs that put the same curves into the stores of other studios, run by their interpreter.

Each takes a folder, a number of runs and a number of reports of each. Runs are made with the
peer's own client; the reports go into its SQLite file as that client writes them, since by itself
it would take hours for a million.
"""

LOAD_OPTUNA = """
import math, random, sqlite3, sys
import optuna
from optuna.distributions import FloatDistribution
folder, runs, reports = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(storage=f"sqlite:///{folder}/optuna.db", study_name="D",
                            direction="maximize")
space = {f"x{n}": FloatDistribution(0, 1) for n in range(6)}
study.add_trials([
    optuna.trial.create_trial(params={name: random.random() for name in space},
                              distributions=space, value=random.random())
    for _ in range(runs)
])
base = sqlite3.connect(f"{folder}/optuna.db")
base.executemany(
    "insert into trial_intermediate_values (trial_id, step, intermediate_value, "
    "intermediate_value_type) values (?, ?, ?, 'FINITE')",
    ((trial + 1, step, 1 - math.exp(-step / (100 + trial)) + random.gauss(0, 0.01))
     for trial in range(runs) for step in range(reports)),
)
base.commit()
"""
# Prints the id of the experiment, then those of its runs.
LOAD_MLFLOW = """
import math, random, sqlite3, sys, time
import mlflow
from mlflow.entities import Metric
folder, runs, reports = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
client = mlflow.MlflowClient()
experiment = client.create_experiment("D", artifact_location=f"{folder}/artifacts")
now = int(time.time() * 1000)
ids = []
for n in range(runs):
    run = client.create_run(experiment, run_name=f"run-{n}")
    params = [mlflow.entities.Param(f"x{k}", str(random.random())) for k in range(6)]
    client.log_batch(run.info.run_id, params=params,
                     metrics=[Metric("accuracy", random.random(), now, reports)])
    client.set_terminated(run.info.run_id)
    ids.append(run.info.run_id)
base = sqlite3.connect(f"{folder}/mlflow.db")
base.executemany(
    "insert into metrics (key, value, timestamp, step, is_nan, run_uuid) "
    "values ('accuracy', ?, ?, ?, 0, ?)",
    ((1 - math.exp(-step / (100 + n)) + random.gauss(0, 0.01), now + step, step, run)
     for n, run in enumerate(ids) for step in range(reports)),
)
base.commit()
print(experiment, *ids)
"""
