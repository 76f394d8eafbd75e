"""Sweeps that have started, for tests of what people do to them."""

from __future__ import annotations

from experiments.models import Sweep
from experiments.services.advance import advance_sweep
from tests.factories import make_sweep


def started(**spec) -> Sweep:
    """Return a sweep whose first runs are queued."""
    sweep = make_sweep(**spec)
    advance_sweep(sweep.pk)
    return sweep
