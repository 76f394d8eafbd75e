"""Models of a metric, in a process of their own that ends when nobody has asked it for a while.

What fitting loads beside numpy takes 35 MB and stays, and the matrices of a thousand runs are as
much again: too much for each process that answers requests, which others wait for meanwhile. Pure.
"""

from __future__ import annotations

import os
import pickle
import select
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final, cast

from experiments.charts.metric_model import LeftOut, Slice, Surface
from experiments.samplers.base import History, Observation

# Somebody who looks at a model picks another axis within seconds.
IDLE_SECONDS: Final = 30.0
_START: Final = "from experiments.model_process import serve; serve()"
_ROOT: Final = Path(__file__).resolve().parent.parent
# All else in the environment of the studio is none of its business.
_GIVEN: Final = frozenset(
    {"PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "LD_LIBRARY_PATH"}
    | {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}
)


class ModelProcessError(Exception):
    """The process failed, or died twice; the text says why."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a model is learned from; `best` is where its slices go through."""

    expressions: Mapping[str, Any]
    goal: str
    runs: Sequence[Observation]
    best: Mapping[str, Any]


class Models:
    """The process, started when the first question comes; one question at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, learned: Learned, question: str, *names: str) -> Any:
        """Return what a model says; None when there is none.

        Raises:
            ModelProcessError: it cannot be said.
        """
        asked = pickle.dumps((learned, question, names))
        with self._lock:
            try:
                answer = self._answer(asked)
            except (OSError, EOFError):
                # It had just ended, because nobody asked for so long, or something ended it.
                self._end()
                try:
                    answer = self._answer(asked)
                except (OSError, EOFError) as error:
                    self._end()
                    raise ModelProcessError("The process that fits models died.") from error
        if isinstance(answer, ModelProcessError):
            raise answer
        return answer

    def end(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _answer(self, asked: bytes) -> Any:
        process = self._process = self._process or _start()
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101 - as above
        process.stdin.write(asked)
        process.stdin.flush()
        return pickle.load(process.stdout)  # noqa: S301 - from our own code

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(OSError):
                process.kill()
            with suppress(OSError):
                process.communicate()


@dataclass(frozen=True, slots=True)
class AskedModel:
    """A model in the other process; see `experiments.charts.model_view.MetricModel`."""

    models: Models
    learned: Learned
    numbers: Sequence[int]

    def along(self, name: str) -> Slice | None:
        """Return what is expected when one parameter changes."""
        return cast(Slice | None, self.models.ask(self.learned, "along", name))

    def over(self, x: str, y: str) -> Surface | None:
        """Return what is expected when two parameters change."""
        return cast(Surface | None, self.models.ask(self.learned, "over", x, y))

    def left_out(self) -> LeftOut:
        """Return what is expected of each run from all others."""
        return cast(LeftOut, self.models.ask(self.learned, "left_out"))


def _start() -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if name in _GIVEN}
    environment["PYTHONPATH"] = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    # It ends by itself: somebody must see that.
    Thread(target=process.wait, name="model process", daemon=True).start()
    return process


def serve(idle_seconds: float = IDLE_SECONDS) -> None:
    """Answer what comes on the standard input until it ends or nothing comes for so long."""
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    while select.select([questions], [], [], idle_seconds)[0]:
        try:
            learned, question, names = pickle.load(questions)  # noqa: S301 - from our own code
        except EOFError:
            return
        answer: Any
        try:
            answer = _answer_to(learned, question, names)
        except Exception:  # noqa: BLE001 - whoever asked raises it
            answer = ModelProcessError(traceback.format_exc())
        pickle.dump(answer, answers)
        answers.flush()


def _answer_to(learned: Learned, question: str, names: Sequence[str]) -> Any:
    model = _model(pickle.dumps(replace(learned, best={})), pickle.dumps(learned.best))
    if model is None:
        return None
    found = getattr(model, question)
    return found(*names) if callable(found) else found


@lru_cache(maxsize=4)
def _model(learned: bytes, best: bytes) -> Any:
    # Loaded in this process alone.
    from experiments.fitted_metric import FittedMetric  # noqa: PLC0415
    from experiments.samplers.gp.inspect import learn  # noqa: PLC0415
    from experiments.space.space import SearchSpace  # noqa: PLC0415

    known: Learned = pickle.loads(learned)  # noqa: S301 - from our own code
    space = SearchSpace(known.expressions)
    view = learn(space, goal=known.goal, history=History(0, known.runs))
    return None if view is None else FittedMetric(view, pickle.loads(best))  # noqa: S301 - as above
