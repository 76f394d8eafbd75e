// Models: stars at once, and the filter by them without a press of Search.
import { $ } from "../lib/dom.js";
import { startStars } from "../lib/stars.js";

startStars();
$("[data-submits]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
