"""A logger of PyTorch Lightning: `Trainer(logger=StudioLogger())`."""

import io
import json
from argparse import Namespace
from typing import Any, Mapping, Optional, Union

from studio.sdk.integrations.framework_metrics import FrameworkMetrics
from studio.sdk.run import Run

try:
    from lightning.pytorch.loggers.logger import Logger
    from lightning.pytorch.utilities import rank_zero_only
except ImportError:
    from pytorch_lightning.loggers.logger import Logger
    from pytorch_lightning.utilities import rank_zero_only


class StudioLogger(Logger):  # type: ignore[misc,unused-ignore]
    """Report what modules log, with Lightning's step; checkpoints go to `outputs/`, which is kept.

    What `save_hyperparameters` finds is kept as the file `lightning/hyperparameters.json`.
    `names` maps names of the module to names of metrics.
    """

    def __init__(
        self, run: Optional[Run] = None, names: Optional[Mapping[str, str]] = None
    ) -> None:
        super().__init__()
        self._metrics = FrameworkMetrics(run, names)

    @property
    def experiment(self) -> Run:
        """The run, for what a logger has no method for: `self.logger.experiment.log_table(...)`."""
        return self._metrics.run

    @property
    def name(self) -> str:
        """The folder of checkpoints below `save_dir`."""
        return "lightning"

    @property
    def version(self) -> str:
        """The folder of checkpoints below `name`: one run has one."""
        return ""

    @property
    def save_dir(self) -> str:
        """The folder whose files the studio keeps."""
        return "outputs"

    @rank_zero_only  # type: ignore[untyped-decorator,unused-ignore]
    def log_metrics(self, metrics: Mapping[str, float], step: Optional[int] = None) -> None:
        """Report values; Lightning counts steps of the optimizer from 0.

        `epoch`, which Lightning adds to each of its calls, is no metric and left out.
        """
        values = {name: value for name, value in metrics.items() if name != "epoch"}
        self._metrics.report(values, step=step)

    @rank_zero_only  # type: ignore[untyped-decorator,unused-ignore]
    def log_hyperparams(
        self, params: Union[Mapping[str, Any], Namespace], *args: Any, **kwargs: Any
    ) -> None:
        """Keep the hyperparameters of the module as a file; text stands for what is no JSON."""
        values = vars(params) if isinstance(params, Namespace) else dict(params)
        if values:
            text = json.dumps(values, default=str, indent=2, sort_keys=True)
            document = io.BytesIO(text.encode("utf-8"))
            self._metrics.run.upload_file("lightning/hyperparameters.json", document)
