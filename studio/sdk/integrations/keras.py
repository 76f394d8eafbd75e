"""A callback of Keras: `model.fit(..., callbacks=[StudioCallback()])`."""

from typing import Any, Mapping, Optional

from studio.sdk.integrations.framework_metrics import FrameworkMetrics
from studio.sdk.run import Run

try:
    from keras.callbacks import Callback
except ImportError:
    from tensorflow.keras.callbacks import Callback


class StudioCallback(Callback):  # type: ignore[misc,unused-ignore]
    """Report the values of every epoch: `loss`, `accuracy`, `val_loss`, ... with its number.

    The first epoch is step 1. `names` maps names of Keras to names of metrics.
    """

    def __init__(
        self, run: Optional[Run] = None, names: Optional[Mapping[str, str]] = None
    ) -> None:
        super().__init__()
        self._metrics = FrameworkMetrics(run, names)

    def on_epoch_end(self, epoch: int, logs: Optional[Mapping[str, Any]] = None) -> None:
        """Report the values of an epoch."""
        self._metrics.report(logs, step=epoch + 1)
