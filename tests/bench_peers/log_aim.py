"""`aim.Run.track` into a folder. Arguments: a folder.

A run can be read whole when it was closed, so `whole` opens another one each time.
"""

import os
import sys

from obey import need, obey_logging, version_of

os.environ["HOME"] = sys.argv[1]  # its settings would be written there
os.environ["AIM_ANALYTICS_ENABLED"] = "0"
aim = need("aim")


class Runs:
    """The run that is open."""

    def __init__(self):
        self.open = None

    def prepare(self):
        """Open a run unless there is one."""
        if self.open is None:
            self.open = aim.Run(
                repo=sys.argv[1],
                system_tracking_interval=None,
                log_system_params=False,
                capture_terminal_logs=False,
            )

    def call(self, step):
        """Track one value."""
        self.open.track(0.123456789, name="accuracy", step=step)

    def flush(self):
        """Close the run."""
        self.open.close()
        self.open = None


runs = Runs()
obey_logging(version_of("aim"), runs.call, runs.flush, prepare=runs.prepare)
