// What stands around the lines: where the plot is, its axes with ticks, the limit of the policy.
import { svgElement } from "./overlay.js";
import { makeScale } from "./scale.js";

const TOP = 10;
const RIGHT = 16;
const BOTTOM = 42;
const LEAST_LEFT = 48;
const LETTER = 6.3;
const TITLE = 22;

/** Cuts the middle out of a text that is longer than its axis. */
function shortened(text, most) {
  const half = Math.max(2, (most - 1) >> 1);
  return text.length > most ? `${text.slice(0, half)}…${text.slice(-half)}` : text;
}

/**
 * The frame of a chart: {width, height, plot, x, y, xTicks, yTicks}. `view` is {x: [low, high],
 * y: [low, high], isLog}; `isWhole`: between two whole x there is nothing.
 */
export function frameOf({ width, height, view, isWhole }) {
  const tall = height - TOP - BOTTOM;
  const y = makeScale({
    low: view.y[0], high: view.y[1], from: TOP + tall, to: TOP, isLog: view.isLog,
  });
  const yTicks = y.ticks(Math.max(2, Math.floor(tall / 46)))
    .map((tick) => ({ ...tick, at: y.place(tick.value) }));
  const widest = Math.max(0, ...yTicks.map(({ text }) => text.length)) * LETTER;
  const left = Math.round(Math.max(LEAST_LEFT, TITLE + 12 + widest));
  const wide = Math.max(1, width - left - RIGHT);
  const x = makeScale({ low: view.x[0], high: view.x[1], from: left, to: left + wide, isWhole });
  const xTicks = x.ticks(Math.max(2, Math.floor(wide / 90)))
    .map((tick) => ({ ...tick, at: x.place(tick.value) }));
  return { width, height, plot: { left, top: TOP, width: wide, height: tall }, x, y, xTicks, yTicks };
}

/** The policy's limit as a path of steps; each value holds until the next evaluation. */
export function limitPath(limits, { x, y }) {
  let path = "";
  let before = NaN;
  for (const [interval, limit] of limits) {
    const [px, py] = [x.place(interval), y.place(limit)];
    if (Number.isNaN(py)) continue;
    path += path ? `H${px.toFixed(1)}V${py.toFixed(1)}` : `M${px.toFixed(1)},${py.toFixed(1)}`;
    before = px;
  }
  return Number.isNaN(before) ? "" : path;
}

/** The limit at an x: that of the last evaluation up to it; null before the first one. */
export function limitAt(limits, x) {
  let found = null;
  for (const [interval, limit] of limits) {
    if (interval > x) break;
    found = limit;
  }
  return found;
}

/**
 * Where the label of the limit stands, {at, anchor, text}: at its last value inside of the plot, on
 * the side where it fits; nothing but the number where neither has room.
 */
export function limitLabel(limits, { x, y, plot }, { rule, words }) {
  const inside = limits.filter(([interval, limit]) => {
    const py = y.place(limit);
    return interval >= x.low && interval <= x.high && py >= plot.top + 8 && py <= plot.top + plot.height;
  });
  if (!inside.length) return null;
  const [interval, limit] = inside.at(-1);
  const px = x.place(interval);
  const [before, after] = [px - plot.left, plot.left + plot.width - px];
  const said = words(limit);
  const whole = `${rule}: ${said}`;
  const text = whole.length * LETTER < Math.max(before, after) ? whole : said;
  const isBefore = text.length * LETTER < before || before > after;
  // A limit that falls has its earlier steps above the last one.
  const isFalling = limits[0][1] > limit;
  const at = [px + (isBefore ? -4 : 4), y.place(limit) + (isFalling ? 14 : -6)];
  return { at, anchor: isBefore ? "end" : "start", text };
}

/** Makes the layer of texts and of the limit; `draw(frame, texts)` shows them. */
export function createAxesLayer(host, id) {
  const svg = svgElement("svg", { class: "line-axes", "aria-hidden": "true" }, host);
  const clip = svgElement("rect", {}, svgElement("clipPath", { id }, svgElement("defs", {}, svg)));
  const group = svgElement("g", {}, svg);

  function text(css, x, y, content, more = {}) {
    svgElement("text", { class: css, x, y, ...more }, group).textContent = content;
  }

  function drawLimit(frame, { limits, limitTexts }) {
    const d = limitPath(limits, frame);
    if (!d) return;
    svgElement("path", { class: "limit-line", d, "clip-path": `url(#${id})` }, group);
    const label = limitLabel(limits, frame, limitTexts);
    if (label) text("limit-label", ...label.at, label.text, { "text-anchor": label.anchor });
  }

  function draw(frame, texts) {
    const { plot, xTicks, yTicks } = frame;
    const [right, bottom] = [plot.left + plot.width, plot.top + plot.height];
    svg.setAttribute("width", frame.width);
    svg.setAttribute("height", frame.height);
    for (const [name, value] of Object.entries({ x: plot.left, y: plot.top, width: plot.width, height: plot.height })) {
      clip.setAttribute(name, value);
    }
    group.replaceChildren();
    let d = `M${plot.left},${plot.top}V${bottom}H${right}`;
    for (const { at } of xTicks) d += `M${at.toFixed(1)},${bottom}v4`;
    for (const { at } of yTicks) d += `M${plot.left},${at.toFixed(1)}h-4`;
    svgElement("path", { class: "axis-line", d }, group);
    for (const tick of xTicks) text("tick", tick.at, bottom + 17, tick.text, { "text-anchor": "middle" });
    for (const tick of yTicks) text("tick", plot.left - 8, tick.at + 4, tick.text, { "text-anchor": "end" });
    text("axis-title", plot.left + plot.width / 2, bottom + 35, texts.x, { "text-anchor": "middle" });
    const [tx, ty] = [15, plot.top + plot.height / 2];
    text("axis-title", tx, ty, shortened(texts.y, Math.floor(plot.height / LETTER)), {
      "text-anchor": "middle", transform: `rotate(-90 ${tx} ${ty})`,
    });
    drawLimit(frame, texts);
  }

  return { draw, svg };
}
