// Draws a figure of the server with Plotly: theme colours, linked highlighting, size, picture.
import { resolveColours, token } from "./colours.js";
import { marksOf } from "./marks.js";
import { createOverlay, plotFrame } from "./overlay.js";
import { loadPlotly } from "./plotly.js";
import { wakeLoops, wakeOnTouch } from "./render_loop.js";
import { indexRuns, locateRun } from "./run_index.js";
import { takeFrame } from "./turns.js";

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "reset", showTips: false };
const PNG_SCALE = 2;
// A press that moves less than this, in pixels, is a click.
const STILL = 4;
// In three dimensions every mark is a redraw of all points: the pointer must have come to rest.
const REST_MS = 250;
const MOST_OF_IT = 0.6;
const NOTHING_MARKED = "[[]]";
// Plotly cannot place its parts in less.
const LEAST_WIDTH = 120;
// In place of runs that have no value yet.
const POINT = { x: [1], y: [1], z: [1] };

/** Axes stay where they are while somebody points at the chart. */
function holdRanges(plot, layout) {
  const shown = plot._fullLayout;
  if (!plot.matches(":hover") || plot.layout?.uirevision !== layout.uirevision) return;
  for (const axis of ["xaxis", "yaxis"]) {
    if (layout[axis] && shown?.[axis]?.range) layout[axis].range = [...shown[axis].range];
  }
}

/** What `createPlotView` makes. */
class PlotView {
  figure = null;
  index = new Map();
  best = null;
  isBound = false;
  hasReacted = false;
  // What stands in the trace of marks in three dimensions.
  shownKey = NOTHING_MARKED;
  resting = 0;
  isVisible = true;
  isBehind = false;

  constructor(host, selection, name) {
    Object.assign(this, { host, selection, name });
    this.plot = document.createElement("div");
    this.plot.className = "plot";
    host.append(this.plot);
    this.overlay = createOverlay(host);
  }

  is3d() {
    return this.figure.data.some((trace) => trace.type === "scatter3d");
  }

  marks() {
    const locate = (run) => locateRun(this.figure.data, this.index, run);
    return marksOf(this.selection, locate, this.best);
  }

  size() {
    return { width: this.host.clientWidth, height: this.host.clientHeight };
  }

  /** What nobody sees is marked when it comes into view: in three dimensions, most of it. */
  watch() {
    const part = this.is3d() ? MOST_OF_IT : 0;
    new IntersectionObserver((entries) => {
      const { isIntersecting, intersectionRatio } = entries.at(-1);
      this.isVisible = isIntersecting && intersectionRatio >= part;
      if (this.isVisible && this.isBehind) this.highlight();
    }, { threshold: [0, MOST_OF_IT] }).observe(this.host);
  }

  highlight(change = null) {
    clearTimeout(this.resting);
    this.isBehind = !this.isVisible;
    if (!this.figure || !this.isBound || this.isBehind) return;
    const mustRest = this.is3d() && change?.kind === "hover";
    if (mustRest) this.resting = setTimeout(() => this.mark(change), REST_MS);
    else this.mark(change);
  }

  async mark(change = null) {
    const marks = this.marks();
    if (!this.is3d()) {
      this.host.classList.toggle("is-dim", marks.some((mark) => mark.css.includes("hl")));
      this.overlay.draw(plotFrame(this.plot), marks);
      return;
    }
    // A redraw under the pointer makes Plotly report it gone and back: that must not redraw again.
    if (change?.kind === "hover" && change.from === this.name) return;
    const pieces = marks.filter((m) => m.css !== "best").flatMap((mark) => mark.points);
    const join = (key) => [pieces.flatMap((piece) => [...piece[key]])];
    const values = { x: join("x"), y: join("y"), z: join("z") };
    const key = JSON.stringify(values.x);
    if (key === this.shownKey) return;
    this.shownKey = key;
    wakeLoops();
    await (await loadPlotly()).restyle(this.plot, values, [this.figure.data.length - 1]);
    wakeLoops();
  }

  /** In three dimensions Plotly tells of a click with every frame while the button is down. */
  bindPress() {
    const { plot, selection } = this;
    let start = null;
    wakeOnTouch(plot);
    plot.addEventListener("pointerdown", (event) => {
      start = [event.clientX, event.clientY];
    }, { capture: true });
    plot.addEventListener("pointerup", (event) => {
      const isStill = start && Math.hypot(event.clientX - start[0], event.clientY - start[1]) < STILL;
      start = null;
      if (isStill && selection.run !== null) selection.pin(selection.run, this.name);
    }, { capture: true });
  }

  bind() {
    if (this.isBound) return;
    this.isBound = true;
    const { plot, selection, name } = this;
    const onRun = (event, act) => {
      const run = event.points?.[0]?.customdata;
      if (Number.isInteger(run)) act(run);
    };
    plot.on("plotly_hover", (event) => onRun(event, (run) => selection.hover(run, name)));
    plot.on("plotly_unhover", () => selection.hover(null, name));
    if (this.is3d()) this.bindPress();
    else plot.on("plotly_click", (event) => onRun(event, (run) => selection.pin(run, name)));
    for (const event of ["plotly_afterplot", "plotly_relayouting"]) {
      plot.on(event, () => {
        if (!this.is3d()) this.overlay.draw(plotFrame(plot), this.marks());
      });
    }
    selection.subscribe((change) => this.highlight(change));
    this.watch();
  }

  /** Gives what Plotly shows to it; false where there is no room. */
  async react(data) {
    const Plotly = await loadPlotly();
    if (!this.hasReacted) await takeFrame();
    if (!this.host.isConnected || this.host.clientWidth < LEAST_WIDTH) return false;
    this.hasReacted = true;
    const layout = { ...resolveColours(this.figure.layout), ...this.size() };
    layout.font = { ...layout.font, family: getComputedStyle(this.host).fontFamily };
    holdRanges(this.plot, layout);
    wakeLoops();
    await Plotly.react(this.plot, resolveColours(data()), layout, CONFIG);
    wakeLoops();
    return true;
  }

  /**
   * Draws a point out of sight while no run has a value. The first picture takes the library seconds
   * in which nothing else moves: they are over when the first values come.
   */
  async getReady(figure) {
    this.figure = figure;
    await this.react(() => figure.data.map((trace) => ({ ...trace, ...POINT })));
  }

  async show(figure, best = null) {
    Object.assign(this, { figure, best, index: indexRuns(figure.data) });
    if (!await this.react(() => this.figure.data)) return;
    this.shownKey = NOTHING_MARKED;
    this.bind();
    await this.mark();
  }

  async resize() {
    if (this.host.clientWidth < LEAST_WIDTH) return;
    wakeLoops();
    if (this.isBound) await (await loadPlotly()).relayout(this.plot, this.size());
    else await this.redraw();
  }

  async redraw() {
    if (this.figure) await this.show(this.figure, this.best);
  }

  async png() {
    const Plotly = await loadPlotly();
    wakeLoops();
    const size = this.size();
    const layout = { ...this.plot.layout, ...size, paper_bgcolor: token("surface") };
    const picture = { data: this.plot.data, layout, config: CONFIG };
    const url = await Plotly.toImage(picture, { format: "png", scale: PNG_SCALE, ...size });
    const bytes = Uint8Array.from(atob(url.split(",")[1]), (char) => char.charCodeAt(0));
    return new Blob([bytes], { type: "image/png" });
  }
}

/**
 * A view of one chart. `show(figure, best)` draws a decoded figure, `png()` resolves to a blob.
 *
 * @param {HTMLElement} host
 * @param {ReturnType<import("../lib/selection.js").createSelection>} selection
 * @param {string} name what the selection is told when this chart causes a change
 */
export function createPlotView(host, selection, name) {
  return new PlotView(host, selection, name);
}
