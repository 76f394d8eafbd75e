"""The sweeps in the pictures of README and docs: simulated, with believable names and curves.

In the environment of a studio `python -m tests.picture_world` makes them and prints their ids.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping
from typing import Any

import django

REPORTS = 40
BANDIT = {"type": "bandit", "slack_factor": 0.1, "evaluation_interval": 2, "delay_evaluation": 6}
ACCURACY = {"name": "accuracy", "goal": "maximize"}
# Where the learning rate of each optimizer is best, and how far behind the best of all it stays.
OPTIMIZERS = {"sgd": (0.03, 0.012), "adam": (0.0012, 0.006), "adamw": (0.0022, 0.0)}
SWEEPS: dict[str, dict[str, Any]] = {
    "wide": {
        "name": "fashion-cnn · learning rate × optimizer",
        "description": "Second pass after the baseline. Wider learning-rate range, adds adamw.",
        "search_space": {
            "learning_rate": "loguniform(-9.2, -2.3)",
            "momentum": "uniform(0.8, 0.99)",
            "dropout": "quniform(0, 0.6, 0.05)",
            "batch_size": "choice(32, 64, 128, 256)",
            "optimizer": 'choice("sgd", "adam", "adamw")',
        },
        "sampling": {"type": "random", "seed": 11},
        "early_termination": BANDIT,
        "max_total_runs": 60,
    },
    "narrow": {
        "name": "fashion-cnn · around the best",
        "description": "The same space, learned from run to run.",
        "search_space": {
            "learning_rate": "uniform(0.0005, 0.008)",
            "momentum": "uniform(0.8, 0.99)",
            "dropout": "choice(0, 0.1, 0.2, 0.3, 0.4)",
            "batch_size": "choice(32, 64, 128, 256)",
            "optimizer": 'choice("adam", "adamw")',
        },
        "sampling": {"type": "bayesian", "seed": 4},
        "early_termination": None,
        "max_total_runs": 30,
    },
}


def accuracies(params: Mapping[str, Any], number: int) -> list[float]:
    """Return the curve of a run: best near the learning rate of its optimizer."""
    noise = random.Random(number)
    best_rate, behind = OPTIMIZERS[params["optimizer"]]
    gap = abs(math.log10(params["learning_rate"] / best_rate))
    top = 0.953 - 0.035 * gap**1.7 - behind + noise.gauss(0, 0.003)
    top -= 0.12 * (params["dropout"] - 0.28) ** 2 + 0.4 * (params["momentum"] - 0.92) ** 2
    top -= 0.002 * abs(math.log2(params["batch_size"] / 128))
    top = max(0.3, min(0.956, top))
    pace = noise.uniform(3.2, 5.5) * (1 + 0.5 * gap)
    return [
        top * (1 - 0.55 * math.exp(-step / pace)) - 0.1 * math.exp(-step / 2)
        + noise.gauss(0, 0.002)
        for step in range(1, REPORTS + 1)
    ]  # fmt: skip


def main() -> None:
    """Make the sweeps and print their ids by name."""
    from tests.state_world import simulate

    values: Callable[[Mapping[str, Any], int], list[float]] = accuracies
    shared = {
        "experiment": "fashion-cnn",
        "primary_metric": ACCURACY,
        "tags": {"dataset": "fashion"},
        "max_concurrent_runs": 4,
    }
    print(json.dumps({name: simulate({**shared, **own}, values) for name, own in SWEEPS.items()}))


if __name__ == "__main__":
    django.setup()
    main()
