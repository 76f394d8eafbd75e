// All charts of a page together: one selection, one knowledge of the runs, one feed of changes.
import { $ } from "../lib/dom.js";
import { createSelection } from "../lib/selection.js";
import { toast } from "../lib/shell.js";
import { getList, replaceParams } from "../lib/url_state.js";
import { ChartCard } from "./card.js";
import { createPlotView } from "./figure.js";
import { mountInspector } from "./inspector.js";
import { MetricsChart } from "./metrics_chart.js";
import { createFlatView, hasWebGl } from "./plotly.js";
import { keepRuns } from "./run_index.js";
import { createRunsKnown } from "./runs_known.js";

/** The board of a page; `page` is its JSON block, `live` what `startLive` gave. */
export class Board {
  constructor(page, live) {
    this.page = page;
    this.live = live;
    this.selection = createSelection(getList("pins").map(Number).filter(Number.isInteger));
    this.known = createRunsKnown({
      metric: page.reading ? `${page.sweep.metric}, ${page.reading.label}` : page.sweep.metric,
      goal: page.sweep.goal, digits: page.digits,
      params: Object.keys(page.space),
    });
    this.cards = [];
    this.inspectors = [];
    this.inside = null;
    this.insideVersion = 0;
    this.selection.subscribe((change) => {
      if (change.kind === "pin") replaceParams({ pins: this.selection.pins });
      if (change.kind === "full") toast("Up to 8 runs can be pinned. Unpin one first.");
    });
  }

  /** Takes over what a figure says about runs. */
  learn(figure) {
    this.known.take(figure.meta);
    this.inspectors.forEach((inspector) => inspector.paint());
  }

  add(section, hooks) {
    const card = new ChartCard(section, {
      ...hooks,
      onFigure: (figure) => {
        this.learn(figure);
        hooks.onFigure?.(figure);
      },
    });
    this.cards.push(card);
    const line = $("[data-inspector]", section);
    if (line) this.inspectors.push(mountInspector(line, this.selection, this.known));
    return card;
  }

  /** A chart of runs as points: fetched again when values or statuses change. */
  addPlot(section, { isBare = false } = {}) {
    const { chart } = section.dataset;
    const card = this.add(section, {
      isBare,
      isHeavy: true,
      isAwaited: this.page.live,
      makeView: (host) => (chart === "scatter_3d" && !hasWebGl()
        ? createFlatView(host) : createPlotView(host, this.selection, chart)),
      prepare: (figure) => ({ data: this.filtered(figure.data) }),
    });
    this.live.onCharts((changes) => {
      // The last value of a run changes with every report.
      const isRead = this.page.reading?.key === "last" && changes.metrics.size;
      if (changes.scored.size || changes.moved.size || changes.best || isRead) card.refresh();
    });
    return card;
  }

  /** A chart of the model: it learns when runs end, and the ranges on the axes leave it alone. */
  addModel(section) {
    const card = new ChartCard(section, {
      makeView: (host) => createPlotView(host, this.selection, section.dataset.chart),
    });
    this.live.onCharts((changes) => {
      if (changes.moved.size) card.refresh();
    });
    return card;
  }

  /** The metrics chart: its lines grow here, everything else is the server's. */
  addMetrics(section) {
    return new MetricsChart(this, section).card;
  }

  filtered(traces) {
    return this.inside ? keepRuns(traces, this.inside) : traces;
  }

  /** Shows only these runs in all charts but `except`; null shows all again. */
  filter(runs, except) {
    this.inside = runs && new Set(runs);
    this.insideVersion += 1;
    clearTimeout(this.filtering);
    this.filtering = setTimeout(() => {
      this.cards.filter((card) => card !== except && card.isVisible).forEach((card) => card.redraw());
    }, 120);
  }
}
