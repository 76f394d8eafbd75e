// Chips, progress bars and sparklines as markup: what templatetags/studio.py draws on the server.
import { html, icon, studioConfig } from "./dom.js";

const LIVE = ["Starting", "Running", "Finalizing", "CancelRequested", "NotResponding"];
const WIDTH = 92;
const HEIGHT = 28;

/** The badge {label, css, icon} of a run or sweep state. */
export function badge(state, endReason = "") {
  const table = studioConfig().badges ?? {};
  return table[`${state}/${endReason}`] ?? table[state] ?? { label: state, css: "", icon: "info" };
}

/** A state as icon, word and colour. */
export function chip(state, endReason = "") {
  const shown = badge(state, endReason);
  return html`<span class="chip ${shown.css}">${icon(shown.icon)}${shown.label}</span>`;
}

/** [css, word, count] in the fixed order of the progress bar. */
export function progressParts(counts) {
  const count = (state) => counts[state] ?? 0;
  const early = count("stopped_early");
  return [
    ["completed", "completed", count("Completed")],
    ["terminated", "stopped early", early],
    ["failed", "failed", count("Failed")],
    ["canceled", "canceled", count("Canceled") - early],
    ["running", "running", LIVE.reduce((sum, state) => sum + count(state), 0)],
  ].filter(([, , n]) => n > 0);
}

function segment(css, start, width) {
  // Running is a dashed line: a pattern that shows without colour.
  return css === "running"
    ? html`<line class="running" x1="${start}" x2="${start + width}" y1="4" y2="4"></line>`
    : html`<rect class="${css}" x="${start}" width="${width}" height="8"></rect>`;
}

/** Run counts as segments; the rest of `total` is track. */
export function progress(counts, total, css = "") {
  const parts = progressParts(counts);
  const whole = Math.max(total, parts.reduce((sum, [, , n]) => sum + n, 0), 1);
  let start = 0;
  const shapes = parts.map(([name, , n]) => {
    const width = (100 * n) / whole;
    start += width;
    return segment(name, start - width, width);
  });
  const said = parts.map(([, word, n]) => `${n} ${word}`).join(", ") || "none finished";
  return html`<svg class="progress ${css}" viewBox="0 0 100 8" preserveAspectRatio="none"
    role="img" aria-label="${said} of ${total} runs">${shapes}</svg>`;
}

/** Points of a sparkline: {points, area, end}, or null without finite values. */
export function sparkPath(values, width = WIDTH, height = HEIGHT) {
  const finite = values.map((v, i) => [i, v]).filter(([, v]) => Number.isFinite(v));
  if (!finite.length) return null;
  const low = finite.reduce((a, [, v]) => Math.min(a, v), Infinity);
  const spread = finite.reduce((a, [, v]) => Math.max(a, v), -Infinity) - low;
  const last = Math.max(1, values.length - 1);
  const points = finite.map(([i, v]) => [
    (2 + (i / last) * (width - 6)).toFixed(1),
    // A flat line runs in the middle.
    (height - 3 - (spread ? (v - low) / spread : 0.5) * (height - 6)).toFixed(1),
  ]);
  const line = points.map(([x, y]) => `${x},${y}`).join(" ");
  const end = points[points.length - 1];
  const floor = height - 2;
  return { points: line, area: `${points[0][0]},${floor} ${line} ${end[0]},${floor}`, end };
}

/** A small line with a dot at its end; blue while `state` is Running. */
export function sparkline(values, { state = "", label = "Best so far" } = {}) {
  const path = sparkPath(values);
  if (!path) {
    return html`<svg class="spark" width="92" height="28" role="img" aria-label="No values yet"><line
      class="none" x1="0" x2="92" y1="14" y2="14"></line></svg>`;
  }
  const css = state === "Running" ? "running" : "";
  return html`<svg class="spark ${css}" width="92" height="28" role="img" aria-label="${label}">
    <polygon class="area" points="${path.area}"></polygon>
    <polyline class="line" points="${path.points}"></polyline>
    <circle class="end" cx="${path.end[0]}" cy="${path.end[1]}" r="2.2"></circle></svg>`;
}
