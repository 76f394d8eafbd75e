"""A callback of Hugging Face's Trainer: `Trainer(..., callbacks=[StudioCallback()])`."""

from typing import Any, Mapping, Optional

from transformers import TrainerCallback

from studio.sdk.integrations.framework_metrics import FrameworkMetrics
from studio.sdk.run import Run


class StudioCallback(TrainerCallback):  # type: ignore[misc,unused-ignore]
    """Report what the Trainer logs: `loss`, `grad_norm`, `eval_loss`, ... with its step.

    How often is up to the Trainer (`logging_steps`, `eval_strategy`). `names` maps names of the
    Trainer to names of metrics.
    """

    def __init__(
        self, run: Optional[Run] = None, names: Optional[Mapping[str, str]] = None
    ) -> None:
        self._metrics = FrameworkMetrics(run, names)

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: Optional[Mapping[str, Any]] = None,
        **others: Any,
    ) -> None:
        """Report values, from one process of many; `epoch` stands beside each and is left out."""
        if state.is_world_process_zero:
            values = {name: value for name, value in (logs or {}).items() if name != "epoch"}
            self._metrics.report(values, step=state.global_step)
