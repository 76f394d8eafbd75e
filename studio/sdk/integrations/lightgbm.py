"""A callback of LightGBM: `lightgbm.train(..., callbacks=[StudioCallback()])`, also in its models.

LightGBM calls any object with what it knows of a round, so it is not imported here.
"""

from typing import Any, Mapping, Optional

from studio.sdk.integrations.framework_metrics import FrameworkMetrics
from studio.sdk.run import Run


class StudioCallback:
    """Report each metric of each evaluated set after every round, as `<set>-<metric>`.

    The first round is step 1. Of a cross-validation the mean of the folds is reported. `names`
    maps names of LightGBM, such as `valid_0-auc`, to names of metrics.
    """

    # After a round, and before the callback that may stop the training (30).
    order = 25
    before_iteration = False

    def __init__(
        self, run: Optional[Run] = None, names: Optional[Mapping[str, str]] = None
    ) -> None:
        self._metrics = FrameworkMetrics(run, names)

    def __call__(self, env: Any) -> None:
        """Report a round."""
        # Set, metric and value come first, whatever the version appends.
        rows = env.evaluation_result_list or []
        values = {"%s-%s" % (row[0], row[1]): row[2] for row in rows}
        self._metrics.report(values, step=env.iteration + 1)
