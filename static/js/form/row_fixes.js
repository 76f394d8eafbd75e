// Buttons below a row that change its distribution into one that fits, or read its bounds as meant.
import { $, $$, html, render } from "../lib/dom.js";
import { writeRow } from "./rows.js";

let known = [];

const rowsOf = () => $$("#rows .sprow");

/** Shows the buttons of every row: [[{label, type, texts, posted}]]. */
export function showRowFixes(fixes) {
  known = fixes;
  rowsOf().forEach((row, number) => {
    const place = $("[data-row-fixes]", row);
    const own = fixes[number] ?? [];
    const shown = $$("button", place).map((button) => button.textContent).join("|");
    if (shown === own.map(({ label }) => label).join("|")) return;
    render(place, html`${own.map(({ label, posted }) => html`<button class="btn s" type="submit"
      name="fix" value="${posted}">${label}</button>`)}`);
  });
}

/** Lets the buttons change their row in place; `onChange()` is called afterwards. */
export function mountRowFixes(onChange) {
  $("#rows").addEventListener("click", (event) => {
    const button = event.target.closest("[data-row-fixes] button");
    if (!button) return;
    // Those that the server wrote would send the form; before the first answer they still do.
    const row = button.closest(".sprow");
    const fix = known[rowsOf().indexOf(row)]?.find(({ label }) => label === button.textContent);
    if (!fix) return;
    event.preventDefault();
    writeRow(row, fix);
    $('[data-key="type"]', row).focus();
    onChange();
  });
}
