// Run: its metric against the best run, all other metrics small, the log as it is written.
import { onTheme } from "../charts/colours.js";
import { unpackCurves } from "../charts/curve_lines.js";
import { middleBand } from "../charts/middle_band.js";
import { drawRun, lineColour, runFigure } from "../charts/run_chart.js";
import { smallLine } from "../charts/small_line.js";
import { getJson } from "../lib/api.js";
import { startDialogs } from "../lib/dialogs.js";
import { $, html, readJson, render } from "../lib/dom.js";
import { formatCount, formatMetric } from "../lib/format.js";
import { startLive } from "../lib/live.js";
import { badge } from "../lib/marks.js";
import { createRefresher } from "../lib/parts.js";
import { startRegister } from "../lib/register.js";
import { mergeQuery } from "../lib/url_state.js";
import { startLog } from "./run_log.js";
import { otherLines, startOverlay } from "./run_overlay.js";
import { startWhatIf } from "./run_what_if.js";
import { startTicking } from "./sweep_head.js";

const page = readJson("page-data");
const { metric } = page.sweep;
const live = startLive(page);
const refresh = createRefresher({ done: startWhatIf });
const series = new Map(page.series.map((one) => [one.name, one]));
const chart = $("#main-chart");
let band = null;

function state() {
  return live.state.runs.get(page.run.number) ?? page.run;
}

function drawMain() {
  const own = series.get(metric);
  const hasValues = own?.y.some((value) => value !== null);
  const note = $("#main-note");
  note.hidden = Boolean(hasValues);
  if (!hasValues) {
    render(note, html`<p>This run has not reported <code>${metric}</code>${
      state().status === "Running" ? " yet" : ""}.</p>`);
    return undefined;
  }
  const { css } = badge(state().status, state().end_reason);
  const isBest = live.state.best?.number === page.run.number;
  $("[data-swatch]").className = `swatch ${isBest ? "best" : `own-${css}`}`;
  return drawRun(chart, runFigure({
    run: {
      ...own, number: page.run.number, colour: lineColour(css, isBest),
      mark: css === "failed" ? "x" : "circle",
      isStopped: css === "terminated",
    },
    best: isBest ? null : page.best,
    others: otherLines(),
    band,
    metric,
    digits: page.digits,
  }));
}

function drawSmall() {
  const others = [...series.values()].filter((one) => one.name !== metric);
  const host = $("#smalls");
  host.hidden = !others.length;
  render(host, html`${others.slice(0, page.small_charts).map(smallLine)}`);
}

function draw() {
  drawMain();
  drawSmall();
}

/** Adds the points of the feed that the page does not have yet. */
function takePoints(changes) {
  let isNew = false;
  for (const [name, numbers] of changes.metrics) {
    if (!numbers.has(page.run.number)) continue;
    const curve = live.state.curves.get(name)?.get(page.run.number);
    const own = series.get(name) ?? { name, x: [], y: [], count: 0, texts: 0 };
    for (let at = Math.max(0, own.count - (curve?.first ?? 0)); at < (curve?.values.length ?? 0); at += 1) {
      const value = curve.values[at];
      own.x.push(curve.first + at + 1);
      own.y.push(Number.isFinite(value) ? value : null);
      own.count = curve.first + at + 1;
      isNew = true;
    }
    series.set(name, own);
  }
  return isNew;
}

function showNumbers(run) {
  $('[data-live="best"]').textContent = formatMetric(run.best?.value ?? null, page.digits);
  if (run.best) $('[data-live="best-at"]').textContent = `at interval ${run.best.interval}`;
  $('[data-live="reports"]').textContent = formatCount(run.reports);
}

/** Puts the middle half of all runs behind the chart; the chart is whole without it. */
async function loadBand() {
  try {
    const answer = await getJson(page.urls.curves + mergeQuery("", { metric, x: "interval" }));
    band = middleBand([...unpackCurves(answer).lines.values()]);
  } catch {
    return;
  }
  $("[data-band]").hidden = !band;
  if (band) drawMain();
}

const log = startLog(page);
live.watchRun(page.run.number);
live.onText((changes) => {
  if (!changes.runs.has(page.run.number) && !changes.best) return;
  const run = live.state.runs.get(page.run.number);
  if (run) showNumbers(run);
  if (changes.moved.has(page.run.number) || changes.best) {
    const hasMoved = changes.moved.has(page.run.number);
    refresh({ isCalm: !hasMoved });
    if (hasMoved) log.wake();
    if (run && run.ended) page.run.done = true;
  }
});
live.onCharts((changes) => {
  if (takePoints(changes) || changes.moved.has(page.run.number) || changes.best) draw();
});

let size = 0;
new ResizeObserver(([entry]) => {
  if (Math.abs(entry.contentRect.width - size) < 1) return;
  size = entry.contentRect.width;
  drawMain();
}).observe(chart);
onTheme(drawMain);
startDialogs();
startRegister();
startOverlay(live, { refresh, draw: drawMain });
startWhatIf();
if (!page.run.done) startTicking(Date.now() - page.now * 1000);
drawSmall();
loadBand();
