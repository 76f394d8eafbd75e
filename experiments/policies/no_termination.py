"""No early termination: every run goes on to its own end."""

from __future__ import annotations

from experiments.policies.base import Case, Policy, Snapshot, Verdict


class NoTermination(Policy):
    """Judge nothing."""

    name = "none"
    label = "No early termination"
    help = "Every run goes on to its end."

    def is_due(self, n: int) -> bool:
        """Return False: no run is ever judged."""
        del n
        return False

    def judge(self, case: Case) -> Verdict:
        """Let the run go on."""
        del case
        return Verdict(stop=False, limit=None, text="every run goes on to its end")

    def summary(self) -> str:
        """Return the label: there is nothing to add."""
        return self.label

    def _title(self) -> str:
        return "no policy"

    def _spared_because(self, snapshot: Snapshot) -> str:
        del snapshot
        return "every run goes on to its end"
