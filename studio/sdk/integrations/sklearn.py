"""scikit-learn: models trained epoch by epoch, models that tell their stages, and its callbacks.

A policy can only stop early what reports more than once, and most models of scikit-learn are
fitted by one call: these functions make reports of what happens in between.
"""

from typing import Any, Callable, Mapping, Optional, Sequence, Tuple, Union

from sklearn.base import is_classifier
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state, shuffle
from sklearn.utils.multiclass import unique_labels

from studio.sdk.integrations.framework_metrics import FrameworkMetrics
from studio.sdk.run import Run

Scoring = Union[str, Callable[..., float], None]
Validation = Tuple[Any, Any]


def fit_in_epochs(
    model: Any,
    x: Any,
    y: Any,
    validation: Validation,
    metric: str,
    epochs: int = 20,
    batch_size: Optional[int] = None,
    scoring: Scoring = None,
    seed: Optional[int] = None,
    run: Optional[Run] = None,
) -> Any:
    """Train a model that has `partial_fit`, and report its score after each epoch.

    Each epoch sees all rows once in a new order, `batch_size` rows a step (None: all at once).
    `scoring` is a name or a scorer of scikit-learn, by default the model's own `score`; the first
    epoch is step 1. Returns the model.

    Raises:
        TypeError: the model has no `partial_fit`.
    """
    if not hasattr(model, "partial_fit"):
        raise TypeError(
            "%s has no partial_fit; use log_stages, or fit it and log its score."
            % type(model).__name__
        )
    metrics, score = FrameworkMetrics(run), check_scoring(model, scoring)
    first = {"classes": unique_labels(y)} if is_classifier(model) else {}
    order = check_random_state(seed)
    for epoch in range(1, epochs + 1):
        rows, targets = shuffle(x, y, random_state=order)
        size = batch_size or len(targets)
        for start in range(0, len(targets), size):
            model.partial_fit(rows[start : start + size], targets[start : start + size], **first)
            first = {}
        metrics.report({metric: score(model, *validation)}, step=epoch)
    return model


def log_stages(
    model: Any,
    validation: Validation,
    metric: str,
    score: Callable[[Any, Any], float],
    run: Optional[Run] = None,
) -> Any:
    """Report the score of every stage of a fitted boosting model, the first one as step 1.

    `score(y_true, y_pred)` is a function of `sklearn.metrics`. Returns the model.

    Raises:
        TypeError: the model cannot tell its stages (`staged_predict`).
    """
    if not hasattr(model, "staged_predict"):
        raise TypeError("%s has no staged_predict; log its score." % type(model).__name__)
    metrics, (x, y) = FrameworkMetrics(run), validation
    for stage, predicted in enumerate(model.staged_predict(x), start=1):
        metrics.report({metric: score(y, predicted)}, step=stage)
    return model


class StudioCallback:
    """Report scores while a model is fitted: `model.set_callbacks(StudioCallback(...))`.

    For models that call callbacks (scikit-learn 1.9 and later; `LogisticRegression` after each
    iteration of its solver). Scores are those of `validation`, under the names of `scoring`, or
    as `score`; `names` maps them to names of metrics.
    """

    def __init__(
        self,
        validation: Validation,
        scoring: Union[Scoring, Sequence[str]] = None,
        run: Optional[Run] = None,
        names: Optional[Mapping[str, str]] = None,
    ) -> None:
        self._metrics = FrameworkMetrics(run, names)
        self._validation = validation
        self._scoring = scoring
        self._step = 0

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin to count steps."""
        self._step = 0

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Do nothing: there is no model yet."""

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, fitted_estimator: Any = None
    ) -> None:
        """Report the scores of what is fitted so far; the end of the whole fit is the last step."""
        if fitted_estimator is None or (context.parent is None and self._step):
            return
        self._step += 1
        scoring = [self._scoring] if isinstance(self._scoring, str) else self._scoring
        found = check_scoring(fitted_estimator, scoring)(fitted_estimator, *self._validation)
        values = found if isinstance(found, dict) else {"score": found}
        self._metrics.report(values, step=self._step)

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing: the run ends with its script."""
