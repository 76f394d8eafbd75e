"""Every page in both themes, wide and on a phone: a quiet console and nothing beside the frame.

With STUDIO_TEST_SHOTS=FOLDER each page is kept there as a picture.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG = "a-name-of-nearly-everything-that-somebody-could-think-of-joined-by-dashes-0123456789-and-on"
METRIC = "validation_accuracy_after_calibration_on_the_held_out_part_of_the_data"
SCRIPT = f"""\
import argparse, pathlib, sys
from studio.sdk import Run

parser = argparse.ArgumentParser()
parser.add_argument("--layers", type=int)
layers = parser.parse_known_args()[0].layers
run = Run.get_context()
for step in range(6):
    run.log("{METRIC}", layers / 4 * (1 - 0.8 ** (step + 1)))
    run.log("loss", 1 / (step + 1))
    print("step", step, "x" * 200)
if layers == 2:
    sys.exit("CUDA out of memory: tried to allocate 2.00 GiB")
pathlib.Path("outputs").mkdir(exist_ok=True)
pathlib.Path("outputs/model.txt").write_text("weights")
"""
SPEC = {
    "name": LONG,
    "experiment": LONG[:60],
    "script": "train.py",
    "search_space": {
        "layers": "choice(1, 2, 3)",
        "a_hyperparameter_with_a_name_that_nobody_would_type": "loguniform(-9, -1)",
        "text": {"type": "choice", "values": ["a long choice that goes on and on", "short"]},
    },
    "sampling": {"type": "random", "seed": 3},
    "primary_metric": {"name": METRIC, "goal": "maximize"},
    "early_termination": {"type": "bandit", "slack_factor": 0.1, "delay_evaluation": 4},
    "max_total_runs": 8,
    "max_concurrent_runs": 2,
    "tags": {"a-tag-with-a-long-name": "and-with-a-value-that-is-longer-than-a-line-of-a-phone-is"},
    "description": "A description of some length. " * 8,
}
OF_A_SWEEP = (
    *("", "runs/", "charts/", "timeline/", "failures/"),
    *("configuration/", "logs/", "best/", "limits/", "outputs/"),
)
PAGES = (
    "/sweeps/",
    "/sweeps/?q=nothing+is+called+so",
    "/sweeps/new/",
    "/trash/",
    "/models/",
    "/compute/",
    "/compute/local/settings/",
    "/account/password/",
    "/api/v1/docs",
    "/admin/",
    "/admin/experiments/sweep/",
    "/admin/experiments/run/",
    "/admin/django_rq/dashboard/",
    "/admin/django_rq/dashboard/queues/0/finished/",
)
VIEWS = [("light", 1440), ("dark", 1440), ("light", 390)]


@pytest.fixture(scope="module")
def addresses(live_studio, tmp_path_factory):
    """Let a sweep of long names and a failing one end; return every address to look at."""
    folder = tmp_path_factory.mktemp("every-page")
    (folder / "train.py").write_text(SCRIPT)
    (folder / "fail.py").write_text("raise SystemExit('no data')\n")
    good = {**SPEC, "source_directory": str(folder)}
    bad = {**good, "name": "fails", "script": "fail.py", "max_total_runs": 2}
    sweeps = [live_studio.api("/sweeps", spec)["id"] for spec in (good, bad)]
    for sweep in sweeps:
        live_studio.wait_for_end(sweep)
    runs = json.loads(live_studio.download(f"/sweeps/{sweeps[0]}/runs"))["items"]
    shown = {run["status"]: run["id"] for run in runs}
    return [
        *PAGES,
        *(f"/sweeps/{sweeps[0]}/{part}" for part in OF_A_SWEEP),
        *(f"/sweeps/{sweeps[1]}/{part}" for part in ("", "runs/", "charts/", "best/")),
        *(f"/runs/{run}/" for run in shown.values()),
        f"/runs/{runs[0]['id']}/clone/",
        f"/sweeps/new/?from={sweeps[0]}",
    ]


@pytest.mark.parametrize(("theme", "width"), VIEWS)
def test_page_is_quiet_and_fits(chromium_page, addresses, theme, width):
    page = chromium_page
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 844 if width < 500 else 900})
    too_wide = {}
    for address in addresses:
        response = page.goto(address)
        assert response.status == 200, address
        see_all_of(page)
        taken = page.evaluate("document.scrollingElement.scrollWidth")
        if taken > width and not address.startswith("/admin/"):  # Django's own pages scroll
            too_wide[address] = taken
        keep_picture(page, f"{address}-{theme}-{width}")
    assert not too_wide


def see_all_of(page):
    """Scroll down once: charts are drawn when they come into view."""
    page.wait_for_load_state("networkidle")
    page.evaluate(
        """async () => {
            for (let y = 0; y < document.body.scrollHeight; y += 700) {
                scrollTo(0, y);
                await new Promise((done) => setTimeout(done, 50));
            }
            scrollTo(0, 0);
        }"""
    )
    page.wait_for_load_state("networkidle")


def keep_picture(page, name):
    """Keep what is seen where somebody asked for pictures."""
    folder = os.environ.get("STUDIO_TEST_SHOTS")
    if folder:
        name = re.sub(r"[^\w.=-]+", "_", name).strip("_")
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
