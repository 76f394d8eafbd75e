// Sweep, charts: every chart and the list of runs beside them, linked by one selection.
import { Board } from "../charts/board.js";
import { mountEqualBudget } from "../charts/equal_budget.js";
import { linkPairs } from "../charts/matrix_link.js";
import { createParallelView } from "../charts/parallel_coordinates.js";
import { mountRunList } from "../charts/run_list.js";
import { hideTip, showTip } from "../charts/tip.js";
import { $, $$ } from "../lib/dom.js";
import { getParam, replaceParams } from "../lib/url_state.js";
import { runUrl, startSweepPage } from "./sweep_head.js";

const { page, live } = startSweepPage();
const board = new Board(page, live);
const section = $('[data-chart="parallel_coordinates"]');
const hint = $("[data-sub]", section).textContent;
const clear = $("[data-clear]", section);
const list = mountRunList($("#runlist"), $("#list-note"), {
  selection: board.selection, known: board.known, best: () => board.known.best,
  urlOf: (run) => runUrl(page, run), metric: `${page.sweep.metric}, ${page.reading.label}`,
});

function onInside(runs) {
  clear.hidden = runs === null;
  list.show(runs);
  const best = runs?.length ? board.known.get(runs.at(-1))?.value : null;
  $("[data-sub]", section).textContent = runs === null
    ? hint
    : `${runs.length} run${runs.length === 1 ? "" : "s"} inside the ranges${
      runs.length ? `, best ${board.known.valueText(best)}` : ""}`;
  board.filter(runs, parallel);
}

/** What is said below the name of an axis: the distribution, and a log scale. */
function noteOf(text) {
  const [name] = text.split("(");
  return /log/.test(name) ? `${name} · log axis` : name;
}

const parallel = board.add(section, {
  makeView: (host) => createParallelView(host, board.selection, {
    goal: page.sweep.goal,
    notes: Object.fromEntries(Object.entries(page.space).map(([name, text]) => [name, noteOf(text)])),
    onInside,
    tip: { show: (event, run) => showTip(event, board.known.tipOf(run)), hide: hideTip },
    address: {
      read: () => ({ axes: getParam("axes"), ranges: getParam("ranges") }),
      write: replaceParams,
    },
  }),
  onFigure: () => list.show(undefined),
});
clear.addEventListener("click", () => parallel.view.clear());
live.onCharts((changes) => {
  if (changes.scored.size || changes.moved.size || changes.best) parallel.refresh();
});

board.addMetrics($('[data-chart="metrics"]'));
for (const name of ["scatter_2d", "scatter_3d", "best_so_far"]) {
  board.addPlot($(`[data-chart="${name}"]`));
}
$$("#relations [data-chart], #model [data-chart]").forEach((card) => board.addModel(card));
linkPairs($('[data-chart="matrix"]'), $('[data-chart="scatter_2d"]'));
mountEqualBudget($("#equal-budget"), board, (run) => runUrl(page, run));
