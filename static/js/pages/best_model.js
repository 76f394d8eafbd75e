// Best model: follows the best run while the sweep runs.
import { Board } from "../charts/board.js";
import { smallLine } from "../charts/small_line.js";
import { $, readJson, render } from "../lib/dom.js";
import { startLive } from "../lib/live.js";
import { createRefresher } from "../lib/parts.js";
import { startRegister } from "../lib/register.js";

const page = readJson("page-data");
const live = startLive(page);
const refresh = createRefresher({ done: drawCurve });

function drawCurve() {
  const curve = readJson("curve-data");
  if (curve) render($("#curve"), smallLine(curve));
}

live.onText((changes) => {
  const best = live.state.best?.number;
  if (changes.sweep || changes.best || changes.moved.size || changes.runs.has(best)) refresh();
});
startRegister();
drawCurve();
new Board(page, live).addModel($('[data-chart="importance"]'));
