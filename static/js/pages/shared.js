// Pages behind a link to share: the same charts, followed by asking every few seconds.
import { Board } from "../charts/board.js";
import { addParallel } from "../charts/parallel_card.js";
import { $ } from "../lib/dom.js";
import { startSweepPage } from "./sweep_head.js";

const { page, live, refresh } = startSweepPage();
if ($("[data-chart]")) {
  const board = new Board(page, live);
  const parallel = $('[data-chart="parallel_coordinates"]');
  // There is no list of runs beside the charts here.
  if (parallel) addParallel(board, parallel, { page, live, list: { show() {} } });
  for (const name of ["best_so_far", "scatter_2d", "scatter_3d"]) {
    const card = $(`[data-chart="${name}"]`);
    if (card) board.addPlot(card);
  }
  board.addMetrics($('[data-chart="metrics"]'));
}
// The log is not for guests, so that changes of values are what brings the pages up to date.
live.onText((changes) => {
  if (changes.scored.size) refresh();
});
