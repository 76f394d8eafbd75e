"""A callback of XGBoost: `xgboost.train(..., callbacks=[StudioCallback()])`, also in its models."""

from typing import Any, Mapping, Optional

from xgboost import collective
from xgboost.callback import TrainingCallback

from studio.sdk.integrations.framework_metrics import FrameworkMetrics
from studio.sdk.run import Run


class StudioCallback(TrainingCallback):  # type: ignore[misc,unused-ignore]
    """Report each metric of each evaluated set after every round, as `<set>-<metric>`.

    The first round is step 1. Of a cross-validation the mean of the folds is reported. `names`
    maps names of XGBoost, such as `validation_0-auc`, to names of metrics.
    """

    def __init__(
        self, run: Optional[Run] = None, names: Optional[Mapping[str, str]] = None
    ) -> None:
        super().__init__()
        self._metrics = FrameworkMetrics(run, names)

    def after_iteration(self, model: Any, epoch: int, evals_log: Mapping[str, Any]) -> bool:
        """Report a round; never ends the training."""
        if collective.get_rank() == 0:
            values = {
                "%s-%s" % (data, metric): _mean(history[-1])
                for data, metrics in evals_log.items()
                for metric, history in metrics.items()
            }
            self._metrics.report(values, step=epoch + 1)
        return False


def _mean(value: Any) -> Any:
    """Return a value, or the mean of a cross-validation's (mean, deviation)."""
    return value[0] if isinstance(value, tuple) else value
