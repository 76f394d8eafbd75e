"""Registry of the charts: the name is what stands in addresses and in the chart picker."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from experiments.charts.base import Chart
    from experiments.charts.comparison import ComparisonChart

CHARTS: Final[dict[str, str]] = {
    "metrics": "experiments.charts.metrics:MetricsChart",
    "best_so_far": "experiments.charts.best_so_far:BestSoFarChart",
    "parallel_coordinates": "experiments.charts.parallel_coordinates:ParallelCoordinatesChart",
    "scatter_2d": "experiments.charts.scatter_2d:Scatter2DChart",
    "scatter_3d": "experiments.charts.scatter_3d:Scatter3DChart",
    "timeline": "experiments.charts.timeline:TimelineChart",
    "model_slice": "experiments.charts.model_slice:ModelSliceChart",
    "model_surface": "experiments.charts.model_surface:ModelSurfaceChart",
    "model_check": "experiments.charts.model_check:ModelCheckChart",
    "importance": "experiments.charts.relations:ImportanceChart",
    "correlation": "experiments.charts.relations:CorrelationChart",
    "matrix": "experiments.charts.matrix:MatrixChart",
}

# Charts of several sweeps; the page of the comparison shows them in this order.
COMPARISONS: Final[dict[str, str]] = {
    "compare_best": "experiments.charts.compare_best:CompareBestChart",
    "compare_values": "experiments.charts.compare_values:CompareValuesChart",
    "compare_coverage": "experiments.charts.compare_coverage:CompareCoverageChart",
}


def load_chart(name: str) -> Chart:
    """Return a chart, ready to build figures; charts keep nothing between two figures.

    Raises:
        KeyError: no chart has this name.
    """
    module, _, attribute = CHARTS[name].partition(":")
    chart: Chart = getattr(import_module(module), attribute)()
    return chart


def load_comparison(name: str) -> ComparisonChart:
    """Return a chart of several sweeps, ready to build figures.

    Raises:
        KeyError: no such chart has this name.
    """
    module, _, attribute = COMPARISONS[name].partition(":")
    chart: ComparisonChart = getattr(import_module(module), attribute)()
    return chart
