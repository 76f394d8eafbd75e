"""Execute on the worker's own machine, behind a guard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.compute.base import Compute, Handle
from runner.process import spawn_guarded
from runner.workdir import Workdir


class LocalCompute(Compute):
    """A child process of the worker."""

    name = "local"
    label = "Local"
    help = "Runs are processes on the machine of the worker."

    def start(
        self, argv: Sequence[str], *, env: Mapping[str, str], workdir: Workdir, grace: float
    ) -> Handle:
        """Start the command; see `Compute.start`."""
        with workdir.std_log.open("ab") as output:
            return spawn_guarded(
                argv,
                cwd=workdir.code,
                env=env,
                output=output,
                exit_path=workdir.exit_file,
                grace=grace,
            )
