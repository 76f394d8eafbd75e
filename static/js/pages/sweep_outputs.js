// Keeping outputs of the best runs: shows what another number would do while it is typed.
import { $ } from "../lib/dom.js";
import { createRefresher } from "../lib/parts.js";

const field = $("#best");
const refresh = createRefresher({
  address: () => `${location.pathname}?best=${encodeURIComponent(field.value)}`,
});

field.addEventListener("input", () => refresh());
