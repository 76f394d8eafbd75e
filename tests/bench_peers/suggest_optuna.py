"""Suggestions of Optuna's TPE from a study in memory. No arguments.

Obeys `ask_after_N COUNT`: milliseconds of each `ask` of six parameters after N observations.
"""

import random
import time

from obey import need, obey, version_of

optuna = need("optuna")
optuna.logging.set_verbosity(optuna.logging.ERROR)
FLOAT = optuna.distributions.FloatDistribution(0, 1)
SPACE = {f"x{n}": FLOAT for n in range(4)}
SPACE["layers"] = optuna.distributions.CategoricalDistribution([1, 2, 3])
SPACE["kind"] = optuna.distributions.CategoricalDistribution(["a", "b", "c"])
dice = random.Random(1)
studies = {}


def study_of(runs):
    """Return a study of so many finished trials."""
    if runs not in studies:
        sampler = optuna.samplers.TPESampler(seed=1)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for _ in range(runs):
            params = {f"x{n}": dice.random() for n in range(4)}
            params.update(layers=dice.choice([1, 2, 3]), kind=dice.choice("abc"))
            study.add_trial(
                optuna.trial.create_trial(params=params, distributions=SPACE, value=dice.random())
            )
        studies[runs] = study
    return studies[runs]


def asks(runs):
    """Return the act that asks a study of so many trials."""

    def ask(count):
        study, took = study_of(runs), []
        for _ in range(count):
            begun = time.perf_counter()
            trial = study.ask(SPACE)
            took.append(1000 * (time.perf_counter() - begun))
            study.tell(trial, dice.random())
        return took

    return ask


class Acts(dict):
    """The acts by name, made when they are asked for."""

    def __missing__(self, name):
        self[name] = asks(int(name.rpartition("_")[2]))
        return self[name]


obey(version_of("optuna"), Acts())
