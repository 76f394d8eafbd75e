"""Reports that reach the database each second, from one and four writers; bytes that a point takes.

On SQLite and, where it is installed, PostgreSQL. Ours go the whole way from the file that a script
writes to the chunks of the database; MLflow's are batches of 1000 over HTTP, Optuna's one by one,
as their clients write them. Never part of the suite.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench_peer_pages import served
from tests.bench_setting import Setting
from tests.bench_table import Figure, failed, summed_up
from tests.bench_worker import Worker, WorkerError, script
from tests.servers import LiveStudio, Postgres, free_port, studio_on

WRITERS = 4
# Must and aim in thousands of points a second, for one writer on SQLite.
MUST, AIM = 100, 170


@dataclass(slots=True)
class Store:
    """One studio with its writers; `each` points at a time and writer."""

    who: str
    each: int
    start: Callable[[], Worker]
    size: Callable[[], int]
    writers: list[Worker] = field(default_factory=list)
    rates: dict[int, list[float]] = field(default_factory=lambda: {1: [], WRITERS: []})
    points: int = 0
    problem: Exception | None = None


def bench_store(setting: Setting) -> Iterator[Figure]:
    """Yield the rates on each database that there is, then the sizes."""
    databases = ["sqlite", *(["postgres"] if Postgres.binaries() else [])]
    for database in databases:
        with ExitStack() as stack:
            studio = stack.enter_context(studio_on(database))
            stores = [own_store(studio, setting), *peer_stores(setting, stack, database)]
            for store in stores:
                prepare(store, stack)
            before = {store.who: _try(store, store.size) for store in stores}
            for _ in range(setting.few(3, 1)):
                for count in (1, WRITERS):
                    for store in stores:
                        store_once(store, count)
            yield from rates(stores, database)
            yield from sizes(stores, before, database)


def own_store(studio: LiveStudio, setting: Setting) -> Store:
    """Return what writes to the studio."""
    environment = studio.environment | {"DJANGO_SETTINGS_MODULE": "studio.settings"}

    def start() -> Worker:
        words = ["--steps", "--number", str(len(store.writers))]
        return Worker([sys.executable, "-m", "tests.bench_own", *words], environment=environment)

    store = Store("", setting.few(100_000, 2000), start, lambda: 0)
    store.size = lambda: int(store.writers[0].ask("size 0"))
    return store


def peer_stores(setting: Setting, stack: ExitStack, database: str) -> Iterator[Store]:
    """Yield the peers that are installed and can use this database."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="store-")))
    if database == "postgres" and setting.version("psycopg2-binary") is None:
        return
    addresses = {name: f"sqlite:///{folder}/{name}.db" for name in ("optuna", "mlflow")}
    sizes_of = {name: _file_size(folder / f"{name}.db") for name in addresses}
    if database == "postgres":
        for name in addresses:
            server = Postgres()
            server.start()
            stack.callback(server.stop)
            addresses[name] = f"postgresql+psycopg2://studio@/studio?host={server.folder}"
            sizes_of[name] = _server_size(server)
    version = setting.version("optuna")
    if version:

        def optuna() -> Worker:
            return script(setting.peers, "log_optuna", folder, addresses["optuna"])

        few = setting.few(200, 10)
        yield Store(f"Optuna RDB {version}", few, optuna, sizes_of["optuna"])
    version = setting.version("mlflow")
    if version:
        port = free_port()
        words = ["-m", "mlflow", "server", "--port", str(port)]
        words += ["--backend-store-uri", addresses["mlflow"]]
        words += ["--uvicorn-opts", "--timeout-worker-healthcheck 120"]
        stack.enter_context(served([setting.peers, *words], port, folder))

        def mlflow() -> Worker:
            return script(setting.peers, "store_mlflow", folder, f"http://127.0.0.1:{port}")

        each = setting.few(4000, 1000)
        yield Store(f"MLflow log_batch {version}", each, mlflow, sizes_of["mlflow"])


def prepare(store: Store, stack: ExitStack) -> None:
    """Start the writers of a store, and let each write a little."""
    try:
        for _ in range(WRITERS):
            writer = store.start()
            stack.callback(writer.close)
            store.writers.append(writer)
            for act in ("prepare", "store"):
                writer.ask(f"{act} {max(10, store.each // 20)}")
    except (WorkerError, OSError) as error:
        store.problem = error


def store_once(store: Store, count: int) -> None:
    """Let so many writers of a store write at the same time."""
    if store.problem is not None:
        return
    try:
        writers = store.writers[:count]
        _tell_all(writers, f"prepare {store.each}")
        begun = time.perf_counter()
        _tell_all(writers, f"store {store.each}")
        seconds = time.perf_counter() - begun
        store.rates[count].append(count * store.each / seconds / 1000)
        store.points += count * store.each
    except WorkerError as error:
        store.problem = error


def _tell_all(writers: list[Worker], line: str) -> None:
    for writer in writers:
        writer.tell(line)
    for writer in writers:
        writer.hear()


def rates(stores: list[Store], database: str) -> Iterator[Figure]:
    """Yield how many points a second each store took."""
    name = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database]
    for store in stores:
        for count, values in store.rates.items():
            what = f"file to database, {name}, {count} writer{'s' * (count > 1)}"
            if store.problem is not None:
                yield failed(what, store.problem, store.who)
                continue
            is_judged = not store.who and count == 1
            yield summed_up(
                what,
                values,
                "k points/s",
                must=MUST if is_judged and database == "sqlite" else None,
                aim=AIM if is_judged and database == "sqlite" else None,
                is_more_better=True,
                who=store.who,
            )


def sizes(stores: list[Store], before: dict[str, int | None], database: str) -> Iterator[Figure]:
    """Yield how many bytes a point takes; our runs end first, which packs their chunks."""
    name = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[database]
    what = f"bytes per point in the database, {name}"
    for store in stores:
        if store.problem is None and not store.who:
            for writer in store.writers:
                _try(store, lambda writer=writer: writer.ask("end 0"))  # type: ignore[misc]
        after, first = _try(store, store.size), before[store.who]
        if store.problem is not None or after is None or first is None or not store.points:
            yield failed(what, store.problem or WorkerError("no size"), store.who)
            continue
        targets = {} if store.who else {"must": 24, "aim": 16}
        note = "value, time and step of each" if not store.who else ""
        yield Figure(
            what,
            (after - first) / store.points,
            "bytes",
            note=note,
            who=store.who,
            **targets,  # type: ignore[arg-type]
        )


def _file_size(path: Path) -> Callable[[], int]:
    def size() -> int:
        parts = (path, path.with_name(path.name + "-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    return size


def _server_size(server: Postgres) -> Callable[[], int]:
    def size() -> int:
        import psycopg

        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("VACUUM FULL")
            found = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            return int(found[0]) if found else 0

    return size


def _try(store: Store, act: Callable[[], int]) -> int | None:
    if store.problem is not None:
        return None
    try:
        return act()
    except Exception as error:  # noqa: BLE001 - the others are still to be measured
        store.problem = error
        return None
