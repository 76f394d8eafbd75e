// The top of the widget: the sweep, how it stands, and how many of its runs are in which state.
import { html, icon, render } from "../lib/dom.js";
import { formatCount, formatDuration, formatMetric } from "../lib/format.js";

// In the order of a run's life; what is first is done.
const GROUPS = [
  ["completed", "Completed", ["Completed"]],
  ["terminated", "Stopped early", []],
  ["canceled", "Canceled", ["Canceled"]],
  ["failed", "Failed", ["Failed"]],
  ["running", "Running", ["Running", "Finalizing", "CancelRequested", "NotResponding"]],
  ["queued", "Waiting", ["NotStarted", "Queued", "Starting"]],
];

/** How many runs are in each group of the bar: [css, label, count], without those that are empty. */
export function groupsOf({ counts, stopped_early: stopped }) {
  return GROUPS.map(([css, label, states]) => {
    let count = states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
    if (css === "terminated") count = stopped;
    if (css === "canceled") count -= stopped;
    return [css, label, count];
  }).filter(([, , count]) => count > 0);
}

function chip({ css, icon: name, label }) {
  return html`<span class="chip ${css}">${icon(name)}${label}</span>`;
}

function elapsed({ started, ended }) {
  return started ? formatDuration((new Date(ended ?? Date.now()) - new Date(started)) / 1000) : "–";
}

function fact(name, value) {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

/** Shows name, state and key figures; `digits` are the decimals of the metric. */
export function paintHead(host, sweep, digits) {
  const { best_run: best } = sweep;
  render(host, html`<h3><a href="${sweep.url}" target="_blank" rel="noopener"><bdi>${sweep.name}</bdi></a></h3>
    ${chip(sweep)}${sweep.reason && html`<span class="muted small reason">${sweep.reason}</span>`}
    <dl class="facts">
    ${fact(`Best ${sweep.metric}`, best ? html`<b class="best">${formatMetric(best.value, digits)}</b> run ${best.number}` : "–")}
    ${fact("Goal", sweep.goal)}${fact("Elapsed", elapsed(sweep))}
    ${fact("Runs", `${formatCount(sweep.limits.max_total_runs)} at most, ${
      formatCount(sweep.limits.max_concurrent_runs)} at once`)}</dl>`);
}

/** Shows the bar of states: widths for the eye, words for everybody. */
export function paintBar(host, sweep) {
  const groups = groupsOf(sweep);
  if (!groups.length) {
    render(host, html`<span class="muted small">No runs yet.</span>`);
    return;
  }
  const words = groups.map(([, label, count]) => `${formatCount(count)} ${label.toLowerCase()}`).join(", ");
  render(host, html`<div class="track" role="img" aria-label="Runs: ${words}">${
    groups.map(([css]) => html`<i class="is-${css}"></i>`)}</div>
    <div class="legend" aria-hidden="true">${groups.map(([css, label, count]) => html`<span><i
      class="dot is-${css}"></i>${label} <b class="num">${formatCount(count)}</b></span>`)}</div>`);
  const bars = host.querySelectorAll(".track i");
  groups.forEach(([, , count], place) => {
    bars[place].style.flexGrow = count;
  });
}

/** Shows the way to the studio and how old all this is. */
export function paintFoot(host, sweep) {
  render(host, html`<a href="${sweep.url}" target="_blank" rel="noopener">Open in the studio</a>
    <span class="muted small">${sweep.experiment} · <code>${sweep.id}</code></span>`);
}
