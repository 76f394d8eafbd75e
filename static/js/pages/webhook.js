// A webhook or the notifications of an account: follows what is on its way until it has arrived.
import { $ } from "../lib/dom.js";
import { createRefresher } from "../lib/parts.js";

const LOOK_MS = 1000;

const refresh = createRefresher();

setInterval(() => {
  if ($("[data-waiting]") && !document.hidden) refresh();
}, LOOK_MS);
