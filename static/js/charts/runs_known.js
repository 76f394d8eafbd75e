// What a page knows about each run from the tables behind its charts: status, value, parameters.
import { html, icon, studioConfig } from "../lib/dom.js";
import { formatMetric, formatParam, toNumber } from "../lib/format.js";

/** The badge with this word; tables carry words, not states. */
function badgeOf(label) {
  return Object.values(studioConfig().badges ?? {}).find((badge) => badge.label === label)
    ?? { label, css: "", icon: "info" };
}

/** Makes the index; `take(meta)` reads a figure's table, `get(run)` gives what is known. */
export function createRunsKnown({ metric, goal, params, digits }) {
  const runs = new Map();
  let decimals = digits;
  let best = null;
  let stops = {};

  function take(meta) {
    const { columns, rows } = meta.table;
    if (meta.stops) stops = meta.stops;
    if (meta.best_run !== undefined) best = meta.best_run;
    if (Number.isInteger(meta.decimals)) decimals = Math.max(decimals, meta.decimals);
    const places = params.map((name) => columns.lastIndexOf(name));
    for (const row of rows) {
      runs.set(row[0], {
        number: row[0],
        badge: badgeOf(row[1]),
        value: toNumber(row[2]),
        params: places.map((place) => row[place]),
      });
    }
  }

  /** Runs by metric, best first; those without a finite value last, by number. */
  function ranked() {
    const sign = goal === "maximize" ? -1 : 1;
    const key = (run) => (Number.isFinite(run.value) ? sign * run.value : Infinity);
    return [...runs.values()].sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      return x === y ? a.number - b.number : x - y;
    });
  }

  /** Where and by which numbers a policy stopped the run; the page of the run has the receipt. */
  function stopOf(run) {
    const [interval, own, limit] = stops[run] ?? [];
    return interval && html`<span>stopped at ${interval} with <code>${formatParam(own)}</code>${
      limit !== null && html`, limit <code>${formatParam(limit)}</code>`}</span>`;
  }

  const valueText = (value) => formatMetric(value, decimals);

  function chipOf({ badge }) {
    return html`<span class="chip ${badge.css}">${icon(badge.icon)}${badge.label}</span>`;
  }

  return {
    take,
    ranked,
    get: (run) => runs.get(run) ?? null,
    get size() {
      return runs.size;
    },
    /** The best run under the reading of the page, as the last figure said. */
    get best() {
      return best;
    },
    valueText,
    /** The run beside the pointer. */
    tipOf(run) {
      const known = runs.get(run);
      if (!known) return html`<b>Run ${run}</b>`;
      return html`<b>Run ${run}</b> ${chipOf(known)}<dl class="kv">
        <dt>${metric}</dt><dd class="num strong">${valueText(known.value)}</dd>
        ${params.slice(0, 12).map((name, i) => html`<dt>${name}</dt><dd class="num">${
          formatParam(known.params[i])}</dd>`)}</dl>`;
    },
    /** The run on the line under a chart. */
    lineOf(run) {
      const known = runs.get(run);
      if (!known) return html`<b>Run ${run}</b>`;
      return html`<b>Run ${run}</b>${chipOf(known)}<span>${metric} <code>${valueText(known.value)}</code></span>${stopOf(run)}${params.map((name, i) => html`
        <span>${name} <code>${formatParam(known.params[i])}</code></span>`)}`;
    },
  };
}
