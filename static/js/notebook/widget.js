// The notebook's widget: what the kernel sends, on one card. Everything comes and goes through the
// kernel; nothing is asked of the studio or of another host. Lives in a shadow root, so that neither
// the notebook's style nor the widget's reaches the other.
import { forgetColours, usePaletteOf } from "../charts/colours.js";
import { $, html, icon } from "../lib/dom.js";
import { formatMetric, formatParam } from "../lib/format.js";
import { createSelection } from "../lib/selection.js";
import { paintBar, paintFoot, paintHead } from "./head.js";
import { keepKeys } from "./keys.js";
import { buildLayout } from "./layout.js";
import { mountLog } from "./log.js";
import { mountMetrics } from "./metrics.js";
import { mountParallel } from "./parallel.js";
import { mountTable } from "./table.js";
import { onNotebookTheme } from "./theme.js";
import { createTip } from "./tip.js";

const FIELDS = [
  "number", "status", "label", "css", "icon", "reason", "end_reason", "value", "last", "reports",
  "started", "ended",
];
const NAME = "widget";
let count = 0;

/** The runs of the kernel's rows, each with its parameters in order. */
function runsOf({ rows }) {
  return rows.map((row) => ({
    ...Object.fromEntries(FIELDS.map((name, place) => [name, row[place]])),
    params: row.slice(FIELDS.length),
  }));
}

/** The numbers of runs by value, best first; those without one last. */
function rankedOf(runs, goal) {
  const sign = goal === "maximize" ? -1 : 1;
  const key = (run) => (Number.isFinite(run.value) ? sign * run.value : Infinity);
  return [...runs].sort((a, b) => (key(a) === key(b) ? a.number - b.number : key(a) - key(b)))
    .map((run) => run.number);
}

function shadowOf(el, model) {
  const host = document.createElement("div");
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(model.get("styles"));
  shadow.adoptedStyleSheets = [sheet];
  const root = buildLayout();
  shadow.append(root);
  $('[data-part="icons"]', root).append(
    document.importNode(new DOMParser().parseFromString(model.get("icons"), "image/svg+xml").documentElement, true),
  );
  keepKeys(host);
  el.append(host);
  return root;
}

/** One view of the widget; a notebook may show several of one model. */
class View {
  constructor(model, el) {
    this.model = model;
    this.root = shadowOf(el, model);
    this.part = (name) => $(`[data-part="${name}"]`, this.root);
    this.tip = createTip(this.root);
    this.selection = createSelection();
    this.stops = [];
    this.digits = 4;
    this.isPlaced = false;
    this.read();
    const { selection, tip } = this;
    const ui = model.get("ui");
    this.table = mountTable(this.part("runs"), {
      selection, digits: () => this.digits, pick: (number) => this.pick(number),
      keep: (table) => this.keep({ table }), state: ui.table,
    });
    this.metrics = mountMetrics(this.part("metrics"), {
      selection, tip, ask: (wanted) => this.ask(wanted), keep: (isLog) => this.keep({ isLog }),
      isLog: ui.isLog ?? false,
    });
    this.parallel = mountParallel(this.part("parallel"), {
      selection, tip, tipOf: (run) => this.tipOf(run), narrow: (numbers) => this.table.narrow(numbers),
      keep: (parallel) => this.keep({ parallel }), state: ui.parallel ?? {},
    });
    this.log = mountLog(this.part("log"));
    selection.subscribe(({ kind, run }) => {
      if (kind === "pin" && selection.pinOf(run) >= 0) this.pick(run);
    });
    this.follow();
    this.paint();
    if (ui.run !== undefined) this.pick(ui.run);
  }

  read() {
    const { model } = this;
    this.sweep = model.get("sweep");
    this.data = model.get("runs");
    this.runs = runsOf(this.data);
    this.byNumber = new Map(this.runs.map((run) => [run.number, run]));
    this.ranked = rankedOf(this.runs, this.sweep.goal);
    this.best = this.sweep.best_run?.number ?? null;
    const decimals = [model.get("figure")?.decimals, model.get("parallel")?.decimals].find(Number.isInteger);
    this.digits = decimals ?? this.digits;
  }

  /** Sends a wish to the kernel: other curves, or the log of another run. */
  ask(wanted) {
    this.model.set("wanted", { ...this.model.get("wanted"), ...wanted });
    this.model.save_changes();
  }

  /** Keeps how things stand, for the next view of the same model. */
  keep(parts) {
    this.model.set("ui", { ...this.model.get("ui"), ...parts });
    this.model.save_changes();
  }

  pick(number) {
    if (!this.byNumber.has(number)) return;
    const { selection } = this;
    for (const other of selection.pins) if (other !== number) selection.pin(other, NAME);
    if (selection.pinOf(number) < 0) selection.pin(number, NAME);
    if (this.picked === number) return;
    this.picked = number;
    this.table.mark(number);
    if (this.model.get("wanted").run !== number) this.ask({ run: number });
    if (this.model.get("ui").run !== number) this.keep({ run: number });
    this.paintLog();
  }

  tipOf(number) {
    const run = this.byNumber.get(number);
    if (!run) return html`<b>Run ${number}</b>`;
    return html`<b>Run ${number}</b> <span class="chip ${run.css}">${icon(run.icon)}${run.label}</span><dl class="kv">
      <dt>${this.sweep.metric}</dt><dd class="num strong">${formatMetric(run.value, this.digits)}</dd>
      ${this.data.params.slice(0, 12).map((name, place) => html`<dt>${name}</dt><dd class="num">${
        formatParam(run.params[place])}</dd>`)}</dl>`;
  }

  paint() {
    const { sweep } = this;
    this.root.setAttribute("aria-label", `Sweep ${sweep.name}`);
    paintHead(this.part("head"), sweep, this.digits);
    paintBar(this.part("bar"), sweep);
    paintFoot(this.part("foot"), sweep);
    this.paintConnection();
    this.table.show({
      runs: this.runs, params: this.data.params, metric: sweep.metric, goal: sweep.goal,
      best: this.best, picked: this.picked ?? null,
    });
    this.paintCharts();
    this.paintLog();
  }

  /** Draws the charts; a notebook puts the widget in its place some time after it was made. */
  paintCharts() {
    if (!this.isPlaced) return;
    const { model, sweep, runs, byNumber, best, ranked } = this;
    usePaletteOf(this.root);
    this.parallel.show({ sweep, figure: model.get("parallel"), notes: this.data.notes });
    this.metrics.show({
      sweep, runs, byNumber, best, ranked, figure: model.get("figure"), curves: model.get("curves"),
    });
  }

  paintLog() {
    const log = this.model.get("log");
    if (this.picked !== undefined && log.run !== this.picked) this.log.wait(this.picked);
    else this.log.show(log);
  }

  paintConnection() {
    const { state, text } = this.model.get("connection");
    const place = this.part("connection");
    place.parentElement.className = `connection is-${state}`;
    if (place.textContent !== text) place.textContent = text;
    const button = $("[data-again]", this.root);
    button.hidden = state !== "stopped";
  }

  follow() {
    const { model, root } = this;
    let isAsked = 0;
    const repaint = () => {
      // Several parts come in one message.
      isAsked ||= requestAnimationFrame(() => {
        isAsked = 0;
        this.read();
        this.paint();
      });
    };
    const events = ["sweep", "runs", "figure", "curves", "parallel"].map((name) => [`change:${name}`, repaint]);
    events.push(["change:log", () => this.paintLog()], ["change:connection", () => this.paintConnection()]);
    for (const [name, listener] of events) model.on(name, listener);
    const sizes = new ResizeObserver(() => {
      if (!root.clientWidth) return;
      if (this.isPlaced) {
        this.metrics.resize();
        this.parallel.resize();
      } else {
        this.isPlaced = true;
        this.paintCharts();
      }
    });
    sizes.observe(root);
    this.stops.push(
      () => events.forEach(([name, listener]) => model.off(name, listener)),
      () => sizes.disconnect(),
      () => cancelAnimationFrame(isAsked),
      onNotebookTheme((isDark) => {
        root.dataset.theme = isDark ? "dark" : "light";
        forgetColours();
        if (!this.isPlaced) return;
        this.metrics.redraw();
        this.parallel.redraw();
      }),
    );
    $("[data-again]", root).addEventListener("click", () => model.send({ kind: "follow" }));
  }
}

/** Shows the widget of `model` in `el`; returns what ends that. */
export function render({ model, el }) {
  count += 1;
  const id = `${count}-${Math.random().toString(36).slice(2)}`;
  const view = new View(model, el);
  model.send({ kind: "shown", view: id });
  return () => {
    view.stops.forEach((stop) => stop());
    model.send({ kind: "hidden", view: id });
  };
}

export default { render };
