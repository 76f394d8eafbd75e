// All charts of a page together: one selection, one knowledge of the runs, one feed of changes.
import { $ } from "../lib/dom.js";
import { createSelection } from "../lib/selection.js";
import { toast } from "../lib/shell.js";
import { dropPoints } from "../lib/store.js";
import { getList, replaceParams } from "../lib/url_state.js";
import { ChartCard } from "./card.js";
import { createPlotView } from "./figure.js";
import { mountInspector } from "./inspector.js";
import { growLines, MANY_POINTS } from "./metrics.js";
import { createFlatView, hasWebGl } from "./plotly.js";
import { colourByValue } from "./recolour.js";
import { keepRuns } from "./run_index.js";
import { createRunsKnown } from "./runs_known.js";

/** The board of a page; `page` is its JSON block, `live` what `startLive` gave. */
export class Board {
  constructor(page, live) {
    this.page = page;
    this.live = live;
    this.selection = createSelection(getList("pins").map(Number).filter(Number.isInteger));
    this.known = createRunsKnown({
      metric: page.sweep.metric, goal: page.sweep.goal, digits: page.digits,
      params: Object.keys(page.space),
    });
    this.cards = [];
    this.inspectors = [];
    this.inside = null;
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
  addPlot(section) {
    const { chart } = section.dataset;
    const card = this.add(section, {
      makeView: (host) => (chart === "scatter_3d" && !hasWebGl()
        ? createFlatView(host) : createPlotView(host, this.selection, chart)),
      prepare: (figure) => this.filtered(figure.data),
    });
    this.live.onCharts((changes) => {
      if (changes.scored.size || changes.moved.size || changes.best) card.refresh();
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

  /** The metrics chart: new points are added here, everything else is the server's. */
  addMetrics(section) {
    const colour = $("[data-colour]", section);
    const metricOf = () => card.options().metric || this.page.sweep.metric;
    const curves = () => this.live.state.curves.get(metricOf()) ?? new Map();
    const card = this.add(section, {
      makeView: (host) => createPlotView(host, this.selection, "metrics"),
      beforeLoad: (options) => this.live.watch(options.metric || this.page.sweep.metric),
      onFigure: (figure) => this.forgetPoints(figure),
      prepare: (figure) => {
        const isPrimary = metricOf() === this.page.sweep.metric;
        const grown = growLines(figure, curves(), isPrimary ? this.page.sweep.goal : "");
        if (grown.isStale || grown.added > MANY_POINTS) card.refresh();
        const data = this.filtered(grown.data);
        if (!colour?.value) return data;
        const valueOf = (run) => this.known.get(run)?.value ?? NaN;
        return colourByValue(data, valueOf, this.page.sweep.goal);
      },
    });
    colour?.addEventListener("change", () => card.redraw());
    this.live.onCharts((changes) => {
      const isStructure = changes.moved.size || changes.best || changes.gaps.has(metricOf());
      if (isStructure) card.refresh();
      if (changes.metrics.has(metricOf()) && card.isVisible) card.redraw();
    });
    return card;
  }

  /** The server's figure has these points now; what came before need not be kept. */
  forgetPoints(figure) {
    const { metric } = figure.meta;
    if (figure.meta.x === "run") this.live.state.curves.get(metric)?.clear();
    for (const [run, line] of Object.entries(figure.meta.lines ?? {})) {
      dropPoints(this.live.state, metric, Number(run), line.n);
    }
  }

  filtered(traces) {
    return this.inside ? keepRuns(traces, this.inside) : traces;
  }

  /** Shows only these runs in all charts but `except`; null shows all again. */
  filter(runs, except) {
    this.inside = runs && new Set(runs);
    clearTimeout(this.filtering);
    this.filtering = setTimeout(() => {
      this.cards.filter((card) => card !== except && card.isVisible).forEach((card) => card.redraw());
    }, 120);
  }
}
