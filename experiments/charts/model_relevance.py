"""How much each parameter moves the metric, as the model sees it."""

from __future__ import annotations

from collections.abc import Mapping

from experiments.charts.base import Chart, Curve, Figure, SweepView
from experiments.charts.formats import numbers, plain, shorten
from experiments.charts.model_view import learned_runs, no_model, rows_table
from experiments.charts.styles import axis_layout, base_layout, highlight_point
from experiments.charts.texts import finish


class ModelRelevanceChart(Chart):
    """One bar per parameter, the largest on top."""

    name = "model_relevance"
    label = "What matters"
    help = "How much each parameter moves the metric in the model; all bars together are 100 %."
    needs_model = True

    def draw(
        self, view: SweepView, options: Mapping[str, str], curves: Mapping[int, Curve]
    ) -> Figure:
        """Draw the shares."""
        del options, curves
        model = view.model
        if model is None:
            return no_model(view, self.name)
        shares = list(model.relevance())
        # Plotly draws from below: the first bar is the lowest.
        drawn = shares[::-1]
        names = [plain(shorten(name)) for name, _ in drawn]
        data = [
            {
                "type": "bar",
                "name": "share",
                "orientation": "h",
                "x": numbers([100 * share for _, share in drawn]),
                "y": list(range(len(drawn))),
                "marker": {"color": "token:accent"},
                "text": [f"{100 * share:.0f} %" for _, share in drawn],
                "textposition": "auto",
                # Left to itself, Plotly takes a grey that is faint on the bars of the dark theme.
                "insidetextfont": {"color": "token:surface"},
                "hovertext": [
                    f"{n} {100 * s:.1f} %" for n, (_, s) in zip(names, drawn, strict=True)
                ],
                "hoverinfo": "text",
            },
            highlight_point(),
        ]
        layout = base_layout(
            "model_relevance",
            xaxis=axis_layout({"title": {"text": "share in %"}, "range": [0, 100]}),
            yaxis=axis_layout(
                {"tickvals": list(range(len(drawn))), "ticktext": names, "showgrid": False}
            ),
            bargap=0.35,
        )
        _, absent = learned_runs(view, model)
        rows = rows_table(["Parameter", "Share"], [[name, round(s, 4)] for name, s in shares])
        figure = finish(view, Figure(data, layout), absent, rows)
        figure.meta["is_empty"] = False
        if shares:
            name, share = shares[0]
            figure.meta["summary"] = f"{name} matters most, with {100 * share:.0f} %"
        return figure
