"""Runs from a tracking server through MLflow's own client, which is imported only then."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from experiments.imports.mlflow_raw import RawRun, choose_experiment
from experiments.problems import Problem, ProblemsError
from experiments.space.literals import is_number

_PAGE: Final = 200
_NO_MLFLOW: Final = (
    "Reading from a tracking server needs MLflow's client: pip install 'sweep-studio[import]'. "
    "A folder of its file store needs nothing."
)


def read_server(uri: str, wanted: str) -> tuple[str, list[RawRun]]:
    """Return the name of an experiment and its runs.

    Raises:
        ProblemsError: MLflow's client is missing, or the server cannot be read.
    """
    if find_spec("mlflow") is None:
        raise ProblemsError([Problem("uri", _NO_MLFLOW)])
    client = import_module("mlflow").MlflowClient(tracking_uri=uri)
    shown = without_password(uri)
    try:
        found = {one.name: one for one in _pages(client.search_experiments)}
        name = choose_experiment(found, wanted, shown)
        ids = [found[name].experiment_id]
        return name, [
            _from_client(client, run) for run in _pages(client.search_runs, experiment_ids=ids)
        ]
    except ProblemsError:
        raise
    except Exception as error:  # whatever its transports raise
        text = f"{shown} cannot be read: {str(error).splitlines()[0][:300]}"
        raise ProblemsError([Problem("uri", text)]) from error


def _pages(search: Any, **query: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(**query, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _from_client(client: Any, run: Any) -> RawRun:
    run_id = run.info.run_id
    return RawRun(
        run_id=run_id,
        status=run.info.status,
        times=(run.info.start_time, run.info.end_time),
        params=run.data.params,
        tags=run.data.tags,
        metrics={
            name: [
                (int(point.timestamp), float(point.value), int(point.step))
                for point in client.get_metric_history(run_id, name)
            ]
            for name, last in run.data.metrics.items()
            if is_number(last) or isinstance(last, float)
        },
    )


def without_password(uri: str) -> str:
    """Return an address as it may be shown."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
