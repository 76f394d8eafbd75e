"""Import what a run will need, in the worker: each run is executed by a fork of it.

A module that only the fork imports is imported again for every run, and some take longer than the
whole rest of a short run does. Only what is really used is loaded, since memory is dear, too.
"""

from __future__ import annotations

import gc

from django.conf import settings

from experiments.models import Sweep
from experiments.policies import make_policy
from experiments.samplers import load_sampler
from experiments.spec import SweepSpec
from runner.compute import load_compute
from runner.workdir import client_directory

_known: set[int] = set()


def preload(sweep_id: int) -> None:
    """Load the sampler, the expressions, the policy and the compute kind of a sweep."""
    if sweep_id in _known:
        return
    for stored, kind in Sweep.objects.filter(pk=sweep_id).values_list("spec", "compute__kind"):
        spec = SweepSpec.from_stored(stored)
        sampler = load_sampler(spec.sampler_name)
        sampler(spec.space, goal=spec.primary_metric.goal, seed=0, options=spec.sampler_options)
        sampler.load_libraries()
        make_policy(spec.early_termination_config)
        load_compute(kind)
        client_directory(settings.STUDIO_HOME)
        _known.add(sweep_id)
    # What exists now is never looked at again by the collector, so that forks share its pages.
    gc.freeze()
