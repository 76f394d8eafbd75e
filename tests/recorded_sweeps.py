"""Real sweeps whose every curve is kept, so that policies can be replayed on them.

`OMP_NUM_THREADS=1 python -m tests.recorded_sweeps [NAME ...]` trains them again (some
minutes) and writes tests/golden/recorded_sweeps.json. Each has 60 random configurations that ran to
their end with 40 reports each; nothing was left out or picked.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from numpy.typing import NDArray

from experiments.space.space import Params, SearchSpace
from experiments.spec_command import pair_words
from studio.sdk.journal import JOURNAL_VARIABLE, RUN_VARIABLE, parse_report

ROOT: Final = Path(__file__).resolve().parents[1]
FILE: Final = ROOT / "tests" / "golden" / "recorded_sweeps.json"
RUNS, REPORTS = 60, 40
_SEED: Final = 2026
ONLINE_SPACE: Final = {
    "eta0": "loguniform(-9, 0)",
    "alpha": "loguniform(-12, -2)",
    "batch": "choice(4, 8, 16, 32)",
    "loss": "choice('log_loss', 'hinge', 'modified_huber')",
}


@dataclass(frozen=True, slots=True)
class RecordedSweep:
    """The primary metric of every run, by run and report: `(60, 40)`."""

    name: str
    metric: str
    goal: str
    values: NDArray[np.float64]


def load_recorded() -> dict[str, RecordedSweep]:
    """Return the kept sweeps by name."""
    stored = json.loads(FILE.read_text("utf-8"))
    return {
        name: RecordedSweep(name, sweep["metric"], sweep["goal"], np.array(sweep["values"]))
        for name, sweep in stored.items()
    }


# ---------------------------------------------------------------- training
def train_example(folder: str, fixed: list[str]) -> Callable[[], dict[str, Any]]:
    """Return what trains `examples/<folder>` in the space and for the metric of its sweep.yaml."""

    def train() -> dict[str, Any]:
        directory = ROOT / "examples" / folder
        spec = yaml.safe_load((directory / "sweep.yaml").read_text("utf-8"))
        metric = spec["primary_metric"]
        runs = [
            _run_script(directory / spec["script"], pair_words(fixed, params), metric["name"])
            for params in _configurations(spec["search_space"])
        ]
        return {"metric": metric["name"], "goal": metric["goal"], "values": runs}

    return train


def _run_script(script: Path, words: list[str], metric: str) -> list[float]:
    """Return what the script reports; it runs in this process, which has loaded the libraries."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "metrics.jsonl"
        os.environ.update({RUN_VARIABLE: "recorded_0", JOURNAL_VARIABLE: str(journal)})
        sys.argv[1:] = words
        with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
            runpy.run_path(str(script), run_name="__main__")
        reports = [parse_report(line) for line in journal.read_text("utf-8").splitlines()]
    values = [float(report[1]) for report in reports if report and report[0] == metric]
    print(f"{len(values)} reports, last {values[-1]:.5g}: {' '.join(words)}", flush=True)
    return values


def train_network() -> dict[str, Any]:
    """Train the network of examples/digits-mlp in its search space, without its moved pictures."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.neural_network import MLPClassifier

    features, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(
        features / 16, labels, test_size=0.3, random_state=0, stratify=labels
    )
    spec = yaml.safe_load((ROOT / "examples" / "digits-mlp" / "sweep.yaml").read_text("utf-8"))
    runs = []
    for params in _configurations(spec["search_space"]):
        model = MLPClassifier(
            hidden_layer_sizes=(int(params["hidden"]),), activation=params["activation"],
            solver="sgd", learning_rate_init=params["learning_rate"],
            batch_size=params["batch_size"], momentum=params["momentum"], random_state=0,
        )  # fmt: skip
        order, values = np.random.default_rng(0), []
        for _ in range(REPORTS):
            shuffled = order.permutation(len(train_x))
            model.partial_fit(train_x[shuffled], train_y[shuffled], classes=np.arange(10))
            values.append(float(model.score(test_x, test_y)))
        runs.append(values)
    return {"metric": "accuracy", "goal": "maximize", "values": runs}


def train_online() -> dict[str, Any]:
    """Train linear models on digits, a few pictures at a time, judged by 120 others: much noise."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import SGDClassifier

    features, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(_SEED).permutation(len(labels))
    features, labels = features[order] / 16, labels[order]
    test_x, test_y, train_x, train_y = features[:120], labels[:120], features[120:], labels[120:]
    runs = []
    for params in _configurations(ONLINE_SPACE):
        model = SGDClassifier(
            loss=params["loss"], alpha=params["alpha"], eta0=params["eta0"],
            learning_rate="constant", random_state=0,
        )  # fmt: skip
        values = []
        for report in range(REPORTS):
            seen = slice(report * params["batch"], (report + 1) * params["batch"])
            model.partial_fit(train_x[seen], train_y[seen], classes=np.arange(10))
            values.append(float(model.score(test_x, test_y)))
        runs.append(values)
    return {"metric": "accuracy", "goal": "maximize", "values": runs}


def _configurations(space: dict[str, Any]) -> list[Params]:
    parsed, rng = SearchSpace.parse(space), np.random.default_rng(_SEED)
    return [parsed.sample(rng) for _ in range(RUNS)]


SWEEPS: Final[dict[str, Callable[[], dict[str, Any]]]] = {
    "boosting": train_example("diabetes-boosting", ["--stages", "200", "--every", "5"]),
    "online": train_online,
    "digits": train_network,
}


def main() -> None:
    """Train the named sweeps, or all, and keep their curves."""
    for name in sys.argv[1:] or list(SWEEPS):
        sweep = SWEEPS[name]()
        sweep["values"] = [[float(f"{value:.4g}") for value in run] for run in sweep["values"]]
        if {len(run) for run in sweep["values"]} != {REPORTS}:
            raise SystemExit(f"{name}: a run has not made {REPORTS} reports.")
        stored = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
        stored[name] = sweep
        # A line for each run: what changed can be seen in a difference.
        text = json.dumps(dict(sorted(stored.items())), indent=None, separators=(",", ":"))
        FILE.write_text(text.replace("],[", "],\n[").replace('},"', '},\n"') + "\n", "utf-8")


if __name__ == "__main__":
    main()
