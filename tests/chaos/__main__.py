"""`make chaos`: torment a studio with faults from a seed, then see what must hold in any case.

Exit code 1 and the evidence when something does not; the folder of the studio is kept then.
"""

from __future__ import annotations

import argparse
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos import plan
from tests.chaos.world import World
from tests.hosts import can_make_hosts
from tests.servers import Postgres


def main() -> int:
    """Read the arguments, prepare Django, run the campaign."""
    options = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="studio-chaos-", dir=options.folder))
    kinds = _kinds(options)
    cards = plan.deal(options.faults, kinds, options.seed, is_short=options.short)
    print(f"seed {options.seed}, {len(cards)} faults of {', '.join(kinds)}; {folder}", flush=True)
    world = World(folder, database=options.database, hosts=options.hosts, workers=options.workers)
    world.prepare()
    logging.getLogger().setLevel(logging.ERROR)
    # Its modules read the database that has been chosen just now.
    from tests.chaos.campaign import Campaign

    outcome = Campaign(world, cards, seed=options.seed, options=options).run()
    if outcome.is_good:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"Seed {options.seed}. Everything is kept in {folder}", flush=True)
    return 0 if outcome.is_good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=200, help="how many; 200")
    parser.add_argument("--seed", type=int, help="for the same faults again")
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--hosts", type=int, help="other machines, 0 to 3; needs postgres and root")
    parser.add_argument("--workers", type=int, default=4, help="local workers; 4")
    parser.add_argument("--short", action="store_true", help="no state that takes half a minute")
    parser.add_argument("--folder", type=Path, help="where the studio's folder is made")
    parser.add_argument("--report", type=Path, help="file for the report in Markdown")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.randrange(1_000_000)
    if options.database == "postgres" and Postgres.binaries() is None:
        parser.error("--database postgres: the server programs of PostgreSQL are not installed.")
    if options.hosts is None:
        options.hosts = 2 if options.database == "postgres" and can_make_hosts() else 0
    if options.hosts and options.database != "postgres":
        parser.error(f"--hosts {options.hosts}: other machines need --database postgres.")
    if not 0 <= options.hosts <= 3:
        parser.error(f"--hosts {options.hosts}: use a number from 0 to 3.")
    if options.faults < 1:
        parser.error(f"--faults {options.faults}: use 1 or more.")
    return options


def _kinds(options: argparse.Namespace) -> tuple[str, ...]:
    if options.hosts:
        return plan.WITH_HOSTS
    return plan.ON_POSTGRES if options.database == "postgres" else plan.ON_SQLITE


if __name__ == "__main__":
    begun = time.monotonic()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell told it to ignore them
        signal.signal(number, signal.default_int_handler)
    code = main()
    print(f"{time.monotonic() - begun:.0f} s", flush=True)
    sys.exit(code)
