// Draws a figure of the server with Plotly: theme colours, linked highlighting, size, picture.
import { resolveColours, token } from "./colours.js";
import { marksOf } from "./marks.js";
import { createOverlay, plotFrame } from "./overlay.js";
import { loadPlotly } from "./plotly.js";
import { indexRuns, locateRun } from "./run_index.js";

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "reset", showTips: false };
const PNG_SCALE = 2;
// A press that moves less than this, in pixels, is a click.
const STILL = 4;
// In three dimensions every mark is a redraw of all points: the pointer must have come to rest.
const REST_MS = 250;
// Plotly cannot place its parts in less.
const LEAST_WIDTH = 120;

/** Axes stay where they are while somebody points at the chart. */
function holdRanges(plot, layout) {
  const shown = plot._fullLayout;
  if (!plot.matches(":hover") || plot.layout?.uirevision !== layout.uirevision) return;
  for (const axis of ["xaxis", "yaxis"]) {
    if (layout[axis] && shown?.[axis]?.range) layout[axis].range = [...shown[axis].range];
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
  const plot = document.createElement("div");
  plot.className = "plot";
  host.append(plot);
  const overlay = createOverlay(host);
  let figure = null;
  let index = new Map();
  let bestRun = null;
  let isBound = false;

  const is3d = () => figure.data.some((trace) => trace.type === "scatter3d");
  const locate = (run) => locateRun(figure.data, index, run);
  const size = () => ({ width: host.clientWidth, height: host.clientHeight });

  let shownKey = "[[]]";
  let resting = 0;
  let isVisible = true;
  let isBehind = false;

  /** What nobody sees is marked when it comes into view. */
  function watch() {
    new IntersectionObserver((entries) => {
      isVisible = entries.at(-1).isIntersecting;
      if (isVisible && isBehind) highlight();
    }).observe(host);
  }

  function highlight(change = null) {
    clearTimeout(resting);
    isBehind = !isVisible;
    if (!figure || !isBound || isBehind) return;
    if (is3d() && change?.kind === "hover") resting = setTimeout(() => mark(change), REST_MS);
    else mark(change);
  }

  async function mark(change) {
    const marks = marksOf(selection, locate, bestRun);
    if (!is3d()) {
      host.classList.toggle("is-dim", marks.some((mark) => mark.css.includes("hl")));
      overlay.draw(plotFrame(plot), marks);
      return;
    }
    // A redraw under the pointer makes Plotly report it gone and back: that must not redraw again.
    if (change?.kind === "hover" && change.from === name) return;
    const pieces = marks.filter((m) => m.css !== "best").flatMap((mark) => mark.points);
    const join = (key) => [pieces.flatMap((piece) => [...piece[key]])];
    const values = { x: join("x"), y: join("y"), z: join("z") };
    const key = JSON.stringify(values.x);
    if (key === shownKey) return;
    shownKey = key;
    await (await loadPlotly()).restyle(plot, values, [figure.data.length - 1]);
  }

  /** In three dimensions Plotly tells of a click with every frame while the button is down. */
  function bindPress() {
    let start = null;
    plot.addEventListener("pointerdown", (event) => {
      start = [event.clientX, event.clientY];
    }, { capture: true });
    plot.addEventListener("pointerup", (event) => {
      const isStill = start && Math.hypot(event.clientX - start[0], event.clientY - start[1]) < STILL;
      start = null;
      if (isStill && selection.run !== null) selection.pin(selection.run, name);
    }, { capture: true });
  }

  function bind() {
    if (isBound) return;
    isBound = true;
    const runOf = (event) => event.points?.[0]?.customdata;
    plot.on("plotly_hover", (event) => {
      if (Number.isInteger(runOf(event))) selection.hover(runOf(event), name);
    });
    plot.on("plotly_unhover", () => selection.hover(null, name));
    if (is3d()) bindPress();
    else {
      plot.on("plotly_click", (event) => {
        if (Number.isInteger(runOf(event))) selection.pin(runOf(event), name);
      });
    }
    for (const event of ["plotly_afterplot", "plotly_relayouting"]) {
      plot.on(event, () => {
        if (!is3d()) overlay.draw(plotFrame(plot), marksOf(selection, locate, bestRun));
      });
    }
    selection.subscribe(highlight);
    watch();
  }

  async function show(next, best = null) {
    figure = next;
    bestRun = best;
    index = indexRuns(figure.data);
    const Plotly = await loadPlotly();
    if (!host.isConnected || host.clientWidth < LEAST_WIDTH) return;
    const layout = { ...resolveColours(figure.layout), ...size() };
    layout.font = { ...layout.font, family: getComputedStyle(host).fontFamily };
    holdRanges(plot, layout);
    await Plotly.react(plot, resolveColours(figure.data), layout, CONFIG);
    shownKey = "[[]]";
    bind();
    await mark(null);
  }

  async function resize() {
    if (host.clientWidth < LEAST_WIDTH) return;
    if (!isBound) {
      if (figure) await show(figure, bestRun);
      return;
    }
    await (await loadPlotly()).relayout(plot, size());
  }

  async function png() {
    const Plotly = await loadPlotly();
    const layout = { ...plot.layout, ...size(), paper_bgcolor: token("surface") };
    const picture = { data: plot.data, layout, config: CONFIG };
    const url = await Plotly.toImage(picture, { format: "png", scale: PNG_SCALE, ...size() });
    const bytes = Uint8Array.from(atob(url.split(",")[1]), (char) => char.charCodeAt(0));
    return new Blob([bytes], { type: "image/png" });
  }

  return { show, resize, png, redraw: () => figure && show(figure, bestRun) };
}
