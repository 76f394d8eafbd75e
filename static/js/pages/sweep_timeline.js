// Sweep, timeline: the slots and their figures. Bars of live runs grow without any message, so the page
// asks again now and then while the sweep goes on.
import { Board } from "../charts/board.js";
import { createPlotView } from "../charts/figure.js";
import { $ } from "../lib/dom.js";
import { startSweepPage } from "./sweep_head.js";

const GROWING_MS = 10000;
const ROW = 30;
const LEAST = 170;
const MOST = 900;
const AROUND = 74;
const ENDED = new Set(["Completed", "Failed", "Canceled"]);

const { page, live, refresh } = startSweepPage();
const board = new Board(page, live);
const section = $('[data-chart="timeline"]');
const host = $("[data-plot]", section);
const card = board.add(section, {
  makeView: (place) => createPlotView(place, board.selection, "timeline"),
  onFigure: ({ meta }) => {
    host.style.height = `${Math.min(MOST, Math.max(LEAST, meta.slots * ROW + AROUND))}px`;
  },
});

live.onCharts((changes) => {
  if (changes.moved.size || changes.best || changes.sweep) card.refresh();
});
setInterval(() => {
  if (document.hidden || ENDED.has(live.state.sweep.status)) return;
  card.refresh();
  refresh();
}, GROWING_MS);
