"""What all scripts of this folder have in common: they obey lines of standard input.

The first answer is the version of what is measured; then one line of JSON for each `ACT COUNT`.
Standard library only: the scripts run in an interpreter of somebody else.
"""

import importlib
import importlib.metadata
import json
import os
import sys
import time


def need(module, package=""):
    """Import a module; say in one sentence that it is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        sys.exit(f"{package or module} is not installed for {sys.executable}: {error}")


def version_of(package):
    """Return the version of an installed package."""
    return importlib.metadata.version(package)


def timed(call, count, first=0):
    """Return how long each call took, in microseconds."""
    took = []
    for step in range(first, first + count):
        begun = time.perf_counter_ns()
        call(step)
        took.append((time.perf_counter_ns() - begun) / 1000)
    return took


def obey(version, acts, places=None):
    """Carry out `ACT COUNT` lines until there are no more; `acts` has a function for each.

    `file PATH` is no act and has no answer: its path is put into `places`.
    """
    # What a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value):
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    answer(version)
    for line in sys.stdin:
        act, _, count = line.strip().partition(" ")
        if act == "file":
            places.append(count)
            continue
        answer(acts[act](int(count)))


def obey_logging(version, call, flush, *, prepare=None, close=None, more=None):
    """Obey `calls N` (microseconds of each) and `whole N` (seconds until all can be read).

    `prepare` comes before the clock is started, each time; `more` are further acts.
    """
    step = [0]

    def calls(count):
        if prepare:
            prepare()
        took = timed(call, count, step[0])
        step[0] += count
        return took

    def whole(count):
        if prepare:
            prepare()
        begun = time.perf_counter()
        for number in range(step[0], step[0] + count):
            call(number)
        flush()
        step[0] += count
        return time.perf_counter() - begun

    try:
        obey(version, {"calls": calls, "whole": whole, **(more or {})})
    finally:
        if close:
            close()


def obey_tuning(version, run):
    """Obey `file PATH`, where trials write their times, and `run N`, seconds for so many trials."""
    places = []
    obey(version, {"run": lambda count: run(count, places[-1])}, places)
