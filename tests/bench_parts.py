"""Parts of the benchmark that need a studio and little else, each on an empty folder of its own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace

from tests.bench_live import bench_live
from tests.bench_pages import bench_pages
from tests.bench_parallel import bench_parallel
from tests.bench_peer_pages import peer_figures
from tests.bench_setting import Setting, running_studio
from tests.bench_table import Figure, summed_up


def pages(setting: Setting) -> Iterator[Figure]:
    """Yield the pages of a large sweep in a real Chromium, then those of other studios."""
    with running_studio() as studio:
        yield from bench_pages(studio, setting.runs, setting.reports)
    found = peer_figures(setting.peers, setting.runs, setting.reports, setting.patience)
    for name, rows in found.items():
        for figure in rows.values():
            yield replace(figure, who=name)


def parallel(setting: Setting) -> Iterator[Figure]:
    """Yield hovering and brushing on parallel coordinates."""
    with running_studio() as studio:
        yield from bench_parallel(studio, setting.few(1000, 50))


def live(setting: Setting) -> Iterator[Figure]:
    """Yield what a page of running runs costs."""
    with running_studio() as studio:
        yield from bench_live(studio, setting.minutes)


def simulation(setting: Setting) -> Iterator[Figure]:
    """Yield how long the controller takes for 1000 simulated runs, 100 at once, with a policy."""
    runs = setting.few(1000, 50)
    code = (
        "import django; django.setup()\nfrom django.core.management import call_command\n"
        f"call_command('studio_simulate', runs={runs}, concurrency=100, reports=20, flush=5, "
        "policy='bandit')"
    )
    with running_studio(workers=0) as studio:
        took = []
        for _ in range(setting.few(3, 1)):
            begun = time.perf_counter()
            studio.run_python(code)
            took.append(time.perf_counter() - begun)
    yield summed_up(f"{runs} runs x 20 reports simulated, judged four times", took, "s")


def runs_table(setting: Setting) -> Iterator[Figure]:
    """Yield a page of the runs of a sweep of 1000 runs x 12 columns, sorted and filtered."""
    runs = setting.few(1000, 50)
    code = "import django; django.setup()\n" + _TABLE.replace("RUNS", str(runs))
    with running_studio(workers=0) as studio:
        found = json.loads(studio.run_python(code).splitlines()[-1])
    for name, times in found.items():
        yield summed_up(f"page of runs, {runs} runs x 12 columns, {name}", times, "ms", 150)


_TABLE = """
import json, random, time
from django.test import Client
from django.test.utils import setup_test_environment
from django.core.management import call_command
from experiments.models import Run, Sweep
from experiments.services.setup import first_administrator

setup_test_environment()  # its client may ask
call_command("studio_simulate", runs=RUNS, concurrency=100, reports=20, flush=20, verbosity=0)
sweep = Sweep.objects.latest("pk")
names = [f"x{n}" for n in range(12 - len(sweep.spec["search_space"]))]
sweep.spec["search_space"] |= dict.fromkeys(names, "uniform(0, 1)")
sweep.save(update_fields=["spec"])
runs = list(sweep.runs.all())
for run in runs:
    run.params |= {name: random.random() for name in names}
Run.objects.bulk_update(runs, ["params"], batch_size=200)
client = Client(headers={"X-Fragment": "1"})
client.force_login(first_administrator())

def times_of(query):
    took = []
    for _ in range(12):
        begun = time.perf_counter()
        assert client.get(f"{sweep.get_absolute_url()}runs/{query}").status_code == 200
        took.append(1000 * (time.perf_counter() - begun))
    return took

queries = {"sorted": "?sort=x3&dir=desc", "filtered": "?q=x3%3C0.5+learning_rate%3C0.01"}
print(json.dumps({name: times_of(query) for name, query in queries.items()}))
"""
