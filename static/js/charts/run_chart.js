// The metric of one run against the best run's. The data of both is on the page already; new points
// come from the feed.
import { resolveColours } from "./colours.js";
import { loadPlotly } from "./plotly.js";

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: "reset", showTips: false };
const AXIS = {
  gridcolor: "token:grid", linecolor: "token:line-strong", tickcolor: "token:line-strong",
  zeroline: false, ticks: "outside", ticklen: 4, tickfont: { size: 11, color: "token:text-2" },
  exponentformat: "power", automargin: true,
};

/** The colour of a run's line: amber for the best, else that of its status. */
export function lineColour(css, isBest) {
  if (isBest) return "token:best-line";
  return { running: "token:running", terminated: "token:terminated", failed: "token:failed" }[css]
    ?? "token:accent";
}

function trace(name, points, colour, width, digits) {
  return {
    type: "scatter", mode: points.y.filter((y) => y !== null).length > 1 ? "lines" : "markers", name,
    x: points.x, y: points.y, connectgaps: false,
    line: { color: colour, width }, marker: { color: colour, size: 6 },
    hovertemplate: `${name} · interval %{x}<br><b>%{y:.${digits}f}</b><extra></extra>`,
  };
}

// As in the comparison of sweeps (experiments/charts/comparison.py).
const DASHES = ["solid", "7px,4px", "2px,3px", "10px,3px,2px,3px", "4px,2px", "12px,5px", "1px,4px"];
const MARKS = [
  "circle", "square", "diamond", "triangle-up", "triangle-down", "pentagon", "hexagon2",
];

/** The line of another run and the marker at its end, in the look of its place. */
function otherTraces(other, digits) {
  const colour = `token:cat-${other.place + 1}`;
  const line = trace(`Run ${other.number}`, other, colour, 1.9, digits);
  line.line.dash = DASHES[other.place];
  const end = lastPoint(other);
  return [line, ...(end ? [{
    type: "scatter", mode: "markers", name: "", x: [end[0]], y: [end[1]], hoverinfo: "skip",
    marker: { size: 8, color: colour, symbol: MARKS[other.place] },
  }] : [])];
}

function bandTraces({ x, low, high }) {
  const edge = { type: "scatter", mode: "lines", x, line: { width: 0 }, hoverinfo: "skip", name: "" };
  return [{ ...edge, y: low }, { ...edge, y: high, fill: "tonexty", fillcolor: "token:line" }];
}

/** Cuts the middle out of a name that is longer than the axis. */
function shorten(name, most = 34) {
  const half = (most - 1) >> 1;
  return name.length > most ? `${name.slice(0, half)}…${name.slice(-half)}` : name;
}

function lastPoint({ x, y }) {
  const at = y.findLastIndex((value) => value !== null);
  return at < 0 ? null : [x[at], y[at]];
}

/**
 * The figure of a run. `run` is {number, x, y, colour, mark, isStopped}, `best` {number, x, y} or null,
 * `others` are runs that lie over it: {number, place, x, y}; `band` is the middle half of all runs.
 */
export function runFigure({ run, best, others = [], band = null, metric, digits }) {
  const data = band ? bandTraces(band) : [];
  data.push(...others.filter((other) => other.number !== best?.number)
    .flatMap((other) => otherTraces(other, digits)));
  if (best) data.push(trace(`Run ${best.number}, best`, best, "token:best-line", 1.7, digits));
  data.push(trace(`Run ${run.number}`, run, run.colour, 2.6, digits));
  const end = lastPoint(run);
  if (end) {
    data.push({
      type: "scatter", mode: "markers", x: [end[0]], y: [end[1]], hoverinfo: "skip",
      marker: { size: 8, color: run.colour, symbol: run.mark },
    });
  }
  const title = (text) => ({ text, standoff: 8, font: { size: 12, color: "token:text-2" } });
  const plain = shorten(metric).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const layout = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    margin: { l: 54, r: 14, t: 8, b: 40 }, hovermode: "closest", uirevision: "run",
    font: { size: 12, color: "token:text-2" },
    hoverlabel: {
      bgcolor: "token:surface", bordercolor: "token:line-strong",
      font: { size: 12, color: "token:text" }, align: "left",
    },
    xaxis: {
      ...AXIS, title: title("interval"), rangemode: "tozero",
      // Few intervals would get ticks between them.
      ...(Math.max(0, ...[run, best, ...others].map((line) => line?.x.at(-1) ?? 0)) <= 6 && { dtick: 1 }),
    },
    yaxis: { ...AXIS, title: title(plain) },
    shapes: run.isStopped && end ? [{
      type: "line", x0: end[0], x1: end[0], y0: 0, y1: 1, yref: "paper", layer: "below",
      line: { color: run.colour, width: 1.5, dash: "dot" },
    }] : [],
  };
  return { data, layout };
}

/** Draws the figure in `host`. */
export async function drawRun(host, figure) {
  const Plotly = await loadPlotly();
  if (!host.clientWidth) return;
  const layout = {
    ...resolveColours(figure.layout), width: host.clientWidth, height: host.clientHeight,
  };
  layout.font.family = getComputedStyle(host).fontFamily;
  await Plotly.react(host, resolveColours(figure.data), layout, CONFIG);
}
