// The words beside the chart of lines: what is not drawn, and the place that is pointed at.
import { html } from "../lib/dom.js";
import { formatDuration, formatMetric } from "../lib/format.js";
import { limitAt } from "./line_frame.js";

const REASONS = ["failed", "canceled", "no metric", "waiting"];

function reasonOf(number, { groupOfRun, hasValue, x }) {
  const group = groupOfRun(number);
  if (x === "step" && hasValue(number)) return "without a step";
  return ["failed", "canceled", "waiting"].includes(group) ? group : "no metric";
}

/** "12 of 80 not drawn: 9 failed, 3 no metric"; empty when every run has a line. */
export function captionOf(numbers, isDrawn, facts) {
  const absent = numbers.filter((number) => !isDrawn(number));
  if (!absent.length) return "";
  const counts = new Map();
  for (const number of absent) {
    const reason = reasonOf(number, facts);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const place = (reason) => (REASONS.includes(reason) ? REASONS.indexOf(reason) : REASONS.length);
  const parts = [...counts].sort(([a], [b]) => place(a) - place(b))
    .map(([reason, count]) => `${count} ${reason}`);
  return `${absent.length} of ${numbers.length} not drawn: ${parts.join(", ")}`;
}

/** "interval 30", "step 1200", "after 2 min 3 s". */
export function placeText(x, name) {
  return name === "time" ? `after ${formatDuration(x)}` : `${name} ${x}`;
}

/** What the limit does: "stop below 0.83". */
export function limitWords(limit, { goal, digits }) {
  return `stop ${goal === "minimize" ? "above" : "below"} ${formatMetric(limit, digits)}`;
}

/** The place beside the pointer. */
export function pointTip({ number, x, y }, { chart, badge, metric, digits }) {
  const limit = limitAt(chart.limits, x);
  return html`<b>Run ${number}</b>${badge && html` <span class="chip ${badge.css}">${badge.label}</span>`}
    <dl class="kv"><dt>${placeText(x, chart.x)}</dt><dd class="num strong">${formatMetric(y, digits)}</dd>
    ${limit !== null && html`<dt>${chart.limitTexts.rule}, now</dt><dd class="num">${limitWords(limit, { goal: chart.goal, digits })}</dd>`}
    </dl><span class="vh">${metric}</span>`;
}

/** The legend of a colouring; nothing for colours of statuses. */
export function legendMarkup(legend) {
  if (legend.kind === "scale") {
    return html`<span class="scale">${legend.from} <i></i> ${legend.to}</span>`;
  }
  return html`${legend.words.slice(0, 9).map(([word, place]) => html`<span><i class="swatch ${
    place ? `cat-${place}` : "cat-more"}"></i>${word}</span>`)}`;
}
