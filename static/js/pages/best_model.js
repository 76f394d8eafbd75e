// Best model: follows the best run while the sweep runs.
import { readJson } from "../lib/dom.js";
import { startLive } from "../lib/live.js";
import { createRefresher } from "../lib/parts.js";
import { startRegister } from "../lib/register.js";

const live = startLive(readJson("page-data"));
const refresh = createRefresher();

live.onText((changes) => {
  const best = live.state.best?.number;
  if (changes.sweep || changes.best || changes.moved.size || changes.runs.has(best)) refresh();
});
startRegister();
