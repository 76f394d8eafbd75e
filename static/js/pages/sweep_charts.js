// Sweep, charts: every chart and the list of runs beside them, linked by one selection.
import { Board } from "../charts/board.js";
import { mountEqualBudget } from "../charts/equal_budget.js";
import { linkPairs } from "../charts/matrix_link.js";
import { addParallel } from "../charts/parallel_card.js";
import { mountRunList } from "../charts/run_list.js";
import { $, $$ } from "../lib/dom.js";
import { runUrl, startSweepPage } from "./sweep_head.js";

const { page, live } = startSweepPage();
const board = new Board(page, live);
const list = mountRunList($("#runlist"), $("#list-note"), {
  selection: board.selection, known: board.known, best: () => board.known.best,
  urlOf: (run) => runUrl(page, run), metric: `${page.sweep.metric}, ${page.reading.label}`,
});

addParallel(board, $('[data-chart="parallel_coordinates"]'), { page, live, list });
board.addMetrics($('[data-chart="metrics"]'));
for (const name of ["scatter_2d", "scatter_3d", "best_so_far"]) {
  // Of an ended sweep the two above have told everything about its runs.
  board.addPlot($(`[data-chart="${name}"]`), { isBare: !page.live });
}
$$("#relations [data-chart], #model [data-chart]").forEach((card) => board.addModel(card));
linkPairs($('[data-chart="matrix"]'), $('[data-chart="scatter_2d"]'));
mountEqualBudget($("#equal-budget"), board, (run) => runUrl(page, run));
