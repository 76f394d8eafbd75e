// The picture of a replayed policy as SVG and as a table. Pure: markup from data.
import { html } from "../lib/dom.js";
import { formatMetric } from "../lib/format.js";

const WIDTH = 440;
const HEIGHT = 220;
const LEFT = 46;
const RIGHT = 8;
const TOP = 8;
const FLOOR = HEIGHT - 22;
const CROSS = 3;

/** About five round numbers within [low, high]. */
export function ticks(low, high, most = 5) {
  const rough = (high - low) / most;
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
  const found = [];
  for (let n = Math.ceil(low / step); n * step <= high; n += 1) {
    found.push(Number((n * step).toPrecision(12)));
  }
  return found;
}

function scales({ longest, low, high }) {
  const span = Math.max(1, longest - 1);
  const x = (n) => LEFT + ((n - 1) / span) * (WIDTH - LEFT - RIGHT);
  const y = (v) => TOP + (1 - (Math.min(high, Math.max(low, v)) - low) / (high - low)) * (FLOOR - TOP);
  return { x, y };
}

/** A path through the points; a value that is no number leaves a gap. */
export function pathOf(points, { x, y }) {
  let isOpen = false;
  return points.map(([n, value]) => {
    if (value === null) {
      isOpen = false;
      return "";
    }
    const sign = isOpen ? "L" : "M";
    isOpen = true;
    return `${sign}${x(n).toFixed(1)},${y(value).toFixed(1)}`;
  }).join("");
}

function limitPath(limits, longest, { x, y }) {
  const steps = limits.map(([n, value], index) => {
    const [at, height] = [x(n).toFixed(1), y(value).toFixed(1)];
    return index ? `H${at}V${height}` : `M${at},${height}`;
  });
  return steps.length ? `${steps.join("")}H${x(longest).toFixed(1)}` : "";
}

function axes(data, { x, y }) {
  const values = ticks(data.low, data.high);
  const rounds = ticks(1, data.longest).filter((n) => Number.isInteger(n) && n >= 1);
  return html`${values.map((v) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}"
    y1="${y(v).toFixed(1)}" y2="${y(v).toFixed(1)}"></line><text x="${LEFT - 5}"
    y="${(y(v) + 3.5).toFixed(1)}" text-anchor="end">${v}</text>`)}${rounds.map((n) => html`<text
    x="${x(n).toFixed(1)}" y="${HEIGHT - 7}" text-anchor="middle">${n}</text>`)}`;
}

function spared(data, { x }) {
  if (data.spared < 1) return html``;
  const width = Math.min(x(data.spared + 1), WIDTH - RIGHT) - LEFT;
  return html`<rect class="spared" x="${LEFT}" y="${TOP}" width="${width.toFixed(1)}"
    height="${FLOOR - TOP}"></rect>${width > 44 && html`<text x="${LEFT + 5}"
    y="${TOP + 11}">spared</text>`}`;
}

function cross(run, { x, y }) {
  const [n, value] = run.kept[run.kept.length - 1];
  if (value === null) return html``;
  const [at, height] = [x(n), y(value)];
  return html`<path class="stop" d="M${(at - CROSS).toFixed(1)},${(height - CROSS).toFixed(1)}l6,6m0,-6l-6,6">
    <title>Run ${run.number} stops at report ${run.stop}</title></path>`;
}

function cssOf(run, best) {
  if (run.number === best) return "line best";
  return run.stop === null ? "line" : "line stopped";
}

/** The picture as SVG markup. */
export function chartMarkup(data) {
  const scale = scales(data);
  // The best run is drawn last, over all others.
  const runs = [...data.runs].sort((a, b) => (a.number === data.best) - (b.number === data.best));
  const stopped = runs.filter((run) => run.stop !== null);
  const limit = limitPath(data.limits, data.longest, scale);
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"
    aria-label="${stopped.length} of ${runs.length} curves end where the policy stops their run">
    ${spared(data, scale)}${axes(data, scale)}
    ${stopped.map((run) => html`<path
    class="${run.number === data.best ? "rest best" : "rest"}" d="${pathOf(run.cut, scale)}"></path>`)}
    ${runs.map((run) => html`<path class="${cssOf(run, data.best)}"
    d="${pathOf(run.kept, scale)}"></path>`)}
    ${limit && html`<path class="limit" d="${limit}"><title>The policy's limit</title></path>`}
    ${stopped.map((run) => cross(run, scale))}</svg>`;
}

/** The same as a table, the best run first. */
export function tableMarkup(data) {
  const sign = data.goal === "minimize" ? 1 : -1;
  const worth = (run) => (run.best === null ? Infinity : sign * run.best);
  const rows = [...data.runs].sort((a, b) => worth(a) - worth(b) || a.number - b.number);
  return html`<table><thead><tr><th scope="col" class="num">Run</th><th scope="col"
    class="num">Reports</th><th scope="col">Stopped at</th><th scope="col" class="num">Best</th><th
    scope="col" class="num">Best kept</th></tr></thead><tbody>${rows.map((run) => html`<tr
    title="${run.reason}"><td class="num">${run.number}</td><td class="num">${run.reports}</td><td>${
    run.stop ?? "–"}</td><td class="num">${formatMetric(run.best)}</td><td
    class="num">${formatMetric(run.best_kept)}</td></tr>`)}</tbody></table>`;
}
