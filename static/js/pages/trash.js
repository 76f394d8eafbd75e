// Trash: asks before deleting for good; shows how far a deletion is.
import { startDialogs } from "../lib/dialogs.js";
import { $ } from "../lib/dom.js";
import { createRefresher } from "../lib/parts.js";

const LOOK_MS = 2000;

const refresh = createRefresher();

startDialogs();
setInterval(() => {
  if ($("[data-going-on]") && !document.hidden) refresh();
}, LOOK_MS);
