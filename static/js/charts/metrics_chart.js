// The metrics chart of a page: its figure, its curves, what the feed adds to them, and its controls.
import { getJson } from "../lib/api.js";
import { $, render } from "../lib/dom.js";
import { formatMetric, metricDigits } from "../lib/format.js";
import { dropPoints } from "../lib/store.js";
import { mergeQuery } from "../lib/url_state.js";
import { createChartPair } from "./chart_pair.js";
import { MANY_POINTS, unpackCurves } from "./curve_lines.js";
import { createPlotView } from "./figure.js";
import { extentOf } from "./line_domain.js";
import { colouring, groupOf, membersOf } from "./line_styles.js";
import { createLineView } from "./line_view.js";
import { captionOf, legendMarkup, limitWords, placeText, pointTip } from "./line_words.js";
import { hideTip, showTip } from "./tip.js";
import { createZoomAddress, fitsIn, widened } from "./zoom_address.js";

const NAME = "metrics";
const DETAIL_MS = 180;
// So many points stay in the feed's state for others on the page.
const KEPT_POINTS = 200;
const LIMIT_PAUSE = 5000;

/** The chart of `section` on a board. Everything about one sweep's lines is kept here. */
export class MetricsChart {
  constructor(board, section) {
    Object.assign(this, { board, section, page: board.page, live: board.live });
    this.curves = null;
    this.detail = null;
    this.isStale = false;
    this.groups = new Map();
    this.best = null;
    this.version = 0;
    this.zoom = createZoomAddress(`${NAME}.zoom`);
    this.card = board.add(section, {
      isQuick: true,
      pause: LIMIT_PAUSE,
      makeView: (host) => createChartPair(host, {
        lines: (place) => this.makeLines(place),
        plot: (place) => createPlotView(place, board.selection, NAME),
      }),
      isLocal: (option) => option === "range" && this.card.figure?.meta.x !== "run",
      load: (options, signal) => this.load(options, signal),
      onFigure: (figure) => this.take(figure),
      prepare: (figure) => this.prepare(figure),
    });
    this.live.onCharts((changes) => this.follow(changes));
  }

  makeLines(place) {
    // Not a picture any more: it takes the focus, and keys do something.
    this.card.host.setAttribute("role", "group");
    const view = createLineView(place, this.board.selection, {
      zoom: this.zoom.value,
      onZoom: (zoom, isMoving) => this.onZoom(zoom, isMoving),
      point: (point) => this.showPoint(point),
      leave: hideTip,
      words: ({ number, x, y }) => `Run ${number}, ${placeText(x, this.chart.x)}, ${
        this.metric()} ${formatMetric(y, this.digits())}`,
    });
    return { ...view, redraw: () => this.redrawLines() };
  }

  metric() {
    return this.card.options().metric || this.page.sweep.metric;
  }

  isPrimary() {
    return this.metric() === this.page.sweep.metric;
  }

  /** Reads the curves unless they are here; runs beside the request for the figure. */
  async load({ metric = this.page.sweep.metric, x = "interval" }, signal) {
    this.live.watch(metric);
    const isOther = this.curves?.metric !== metric || this.curves.x !== x;
    if (!isOther && !this.isStale) return;
    const answer = await getJson(this.page.urls.curves + mergeQuery("", { metric, x }), { signal });
    this.curves = unpackCurves(answer);
    if (isOther) this.detail = null;
    this.isStale = false;
    this.version += 1;
    this.absorb();
    if (this.zoom.value && !this.curves.isWhole) this.loadDetail(this.zoom.value);
  }

  /** Takes over what the server says about the runs. */
  take(figure) {
    const { runs, best } = figure.meta;
    this.best = best ?? null;
    this.groups = new Map(runs?.numbers.map((number, place) => [number, runs.groups[place]]) ?? []);
    this.version += 1;
  }

  /** Moves the points of the feed into the curves. */
  absorb() {
    const { metric } = this.curves;
    for (const [run, curve] of this.live.state.curves.get(metric) ?? []) {
      if (this.curves.append(run, curve) < 0) this.isStale = true;
      this.detail?.append(run, curve);
      dropPoints(this.live.state, metric, run, (this.curves.get(run)?.reports ?? 0) - KEPT_POINTS);
    }
    if (this.curves.added > MANY_POINTS) this.isStale = true;
  }

  follow(changes) {
    if (!this.curves) return;
    const { metric } = this.curves;
    for (const number of changes.moved) {
      this.groups.set(number, groupOf(this.live.state.runs.get(number)));
    }
    if (changes.best && (this.page.reading?.key ?? "best") === "best") this.best = this.live.state.best.number;
    const isStructure = changes.moved.size || changes.best;
    if (isStructure) this.version += 1;
    if (changes.gaps.has(metric)) this.isStale = true;
    if (changes.metrics.has(metric)) this.absorb();
    const hasLimits = this.card.figure?.meta.limits?.length && changes.metrics.has(metric);
    if (this.isStale || isStructure || hasLimits) this.card.refresh();
    if ((isStructure || changes.metrics.has(metric)) && this.card.isVisible) this.card.redraw();
  }

  groupOf(number) {
    return this.groups.get(number) ?? "running";
  }

  lineOf(number) {
    const isDetailed = this.detail && this.zoom.value && this.groupOf(number) !== "running"
      && fitsIn(this.zoom.value.x, this.detail);
    return (isDetailed && this.detail.get(number)) || this.curves.get(number);
  }

  /** The figure with everything that the view draws. */
  prepare(figure) {
    if (figure.meta.x === "run" || !this.curves) return { data: this.board.filtered(figure.data) };
    const { page, board, curves } = this;
    const { known } = board;
    const local = this.card.locals();
    const colours = colouring(local.colour ?? "", {
      known, goal: page.sweep.goal, space: page.space, names: Object.keys(page.space),
    });
    const hasLine = (number) => (curves.get(number)?.end() ?? -1) >= 0;
    const drawn = [...curves.lines.keys()].filter(hasLine);
    const numbers = board.inside ? drawn.filter((number) => board.inside.has(number)) : drawn;
    const members = membersOf({
      numbers, lineOf: (number) => this.lineOf(number), groupOfRun: (number) => this.groupOf(number),
      best: this.best, styles: figure.meta.styles, colours, isPrimary: this.isPrimary(),
    });
    const isLog = local.scale === "log";
    const isFull = this.card.options().range === "full";
    this.showLegend(colours?.legend ?? null);
    this.chart = {
      members, all: drawn.map((number) => curves.get(number)), isLog, isFull, x: curves.x, goal: figure.meta.goal, best: this.best,
      smooth: Number(local.smooth) || 0,
      isLive: drawn.some((number) => this.groupOf(number) === "running"),
      domainKey: `${curves.serial} ${curves.added}`,
      key: JSON.stringify([curves.metric, curves.x, isLog, isFull]),
      stillKey: JSON.stringify([this.version, local, figure.cursor, board.insideVersion, isFull]),
      limits: figure.meta.limits ?? [],
      limitTexts: {
        rule: figure.meta.limit_label,
        words: (limit) => limitWords(limit, { goal: figure.meta.goal, digits: this.digits() }),
      },
      texts: { x: figure.meta.x_label, y: figure.meta.label },
      ranked: known.ranked().map((run) => run.number),
    };
    const all = [...new Set([...this.groups.keys(), ...curves.lines.keys()])];
    const facts = {
      x: curves.x, groupOfRun: (number) => this.groupOf(number),
      hasValue: (number) => this.isPrimary() && Number.isFinite(known.get(number)?.value),
    };
    const caption = captionOf(all, hasLine, facts);
    const isEmpty = !members.length;
    return { chart: this.chart, meta: { ...figure.meta, caption, is_empty: isEmpty } };
  }

  digits() {
    if (this.isPrimary()) return this.card.figure.meta.decimals ?? this.page.digits;
    return metricDigits(extentOf(this.chart.members.map((member) => member.line)) ?? []);
  }

  showPoint({ number, x, y, event, place, box }) {
    const rect = box.getBoundingClientRect();
    const at = event ?? { clientX: rect.left + place[0], clientY: rect.top + place[1] };
    showTip(at, pointTip({ number, x, y }, {
      chart: this.chart, badge: this.board.known.get(number)?.badge, metric: this.metric(),
      digits: this.digits(),
    }));
  }

  showLegend(legend) {
    const own = $("[data-colour-legend]", this.section);
    if (!own) return;
    own.hidden = !legend;
    $(".legend:not([data-colour-legend])", this.section).hidden = Boolean(legend);
    if (legend) render(own, legendMarkup(legend));
  }

  /** Remembers the zoom, and asks for the points between those of the cut curves once it stands. */
  onZoom(zoom, isMoving) {
    hideTip();
    this.zoom.set(zoom);
    clearTimeout(this.detailing);
    this.asking?.abort();
    if (!zoom || this.curves.isWhole || (this.detail && fitsIn(zoom.x, this.detail))) {
      if (this.detail) this.redrawLines();
      return;
    }
    if (isMoving) this.detailing = setTimeout(() => this.loadDetail(zoom), DETAIL_MS);
    else this.loadDetail(zoom);
  }

  async loadDetail(zoom) {
    const { metric, x } = this.curves;
    const [low, high] = widened(zoom.x);
    const query = mergeQuery("", { metric, x, low: String(low), high: String(high) });
    this.asking = new AbortController();
    try {
      const answer = await getJson(this.page.urls.curves + query, { signal: this.asking.signal });
      if (this.curves.metric !== metric || this.curves.x !== x) return;
      this.detail = unpackCurves(answer);
      this.redrawLines();
    } catch {
      // The coarser lines stay; the next zoom asks again.
    }
  }

  redrawLines() {
    this.version += 1;
    this.card.redraw();
  }
}
