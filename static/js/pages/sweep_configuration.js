// Sweep, configuration: nothing here changes but the header; the format that is shown is in the address.
import { $, $$ } from "../lib/dom.js";
import { replaceParams } from "../lib/url_state.js";
import { startSweepPage } from "./sweep_head.js";

startSweepPage();

const formats = $$('.exports input[name="format"]');
$(".exports").addEventListener("change", (event) => {
  if (!formats.includes(event.target)) return;
  replaceParams({ format: event.target === formats[0] ? "" : event.target.value });
});
