// Models: stars at once, and the filters without a press of Search.
import { $$ } from "../lib/dom.js";
import { startStars } from "../lib/stars.js";

startStars();
for (const filter of $$("[data-submits]")) {
  filter.addEventListener("change", () => filter.form.requestSubmit());
}
