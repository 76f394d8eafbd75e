// Sweep, overview: best so far, metric lines, running runs with their last values.
import { Board } from "../charts/board.js";
import { $, $$, render } from "../lib/dom.js";
import { formatMetric } from "../lib/format.js";
import { sparkline } from "../lib/marks.js";
import { startSweepPage } from "./sweep_head.js";

const SPARK_POINTS = 80;

const { page, live } = startSweepPage();
const board = new Board(page, live);
board.addPlot($('[data-chart="best_so_far"]'));
board.addMetrics($('[data-chart="metrics"]'));
board.addModel($('[data-chart="importance"]'));

/** The values of a running run: those of the server, then the points of the feed. */
function valuesOf(card, curve) {
  const values = JSON.parse(card.dataset.values);
  const fresh = curve.values.slice(Math.max(0, Number(card.dataset.count) - curve.first));
  const all = [...values, ...fresh.map((value) => value ?? NaN)];
  const every = Math.ceil(all.length / SPARK_POINTS);
  return all.filter((_, i) => (all.length - 1 - i) % every === 0);
}

function updateRunning(changes) {
  const curves = live.state.curves.get(page.sweep.metric);
  for (const card of $$(".runcard")) {
    const number = Number(card.dataset.run);
    const curve = curves?.get(number);
    const run = live.state.runs.get(number);
    if (!changes.metrics.get(page.sweep.metric)?.has(number) || !curve?.values.length) continue;
    render($('[data-live="spark"]', card), sparkline(valuesOf(card, curve), {
      state: "Running", label: "Values so far",
    }));
    $('[data-live="last"]', card).textContent = formatMetric(curve.values.at(-1), page.digits);
    if (run) showReports(card, run.reports);
  }
}

function showReports(card, count) {
  const place = $('[data-live="reports"]', card);
  const usual = Number(place.dataset.usual);
  place.textContent = usual ? `${count} of about ${usual}` : `${count} report${count === 1 ? "" : "s"}`;
  const meter = $("progress", card);
  if (meter) meter.value = count;
}

live.onText(updateRunning);
