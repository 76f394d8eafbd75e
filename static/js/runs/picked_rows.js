// Picking runs in the table: boxes, ranges with Shift, keys; the address and the bar follow.
import { $, $$ } from "../lib/dom.js";
import { moveFocus } from "../lib/rows.js";
import { createSelection } from "../lib/selection.js";
import { getParam, replaceParams } from "../lib/url_state.js";
import { createPicks, readPicks } from "./picks.js";
import { mountSelectionBar } from "./selection_bar.js";

/**
 * Mounts it on the table in `host`. Returns the picks with `paint()`, to be called after rows were
 * replaced.
 */
export function mountPickedRows(host, bar, { table, onDone }) {
  const picks = createPicks(readPicks(getParam("pick")), () => {
    replaceParams({ pick: picks.toParam() });
    paint();
  });
  const paintBar = mountSelectionBar(bar, picks, { table, onDone });
  const pointed = createSelection();
  const rows = () => $$("#rows tr", host);
  const numberOf = (row) => Number(row.dataset.run);
  const shown = () => rows().map(numberOf);

  function paint() {
    for (const row of rows()) {
      const isOn = picks.has(numberOf(row));
      $("input", row).checked = isOn;
      if (isOn) row.setAttribute("aria-selected", "true");
      else row.removeAttribute("aria-selected");
    }
    const page = $("[data-pick-page]", host);
    if (page) {
      const state = picks.ofPage(shown());
      page.checked = state === "all";
      page.indeterminate = state === "some";
    }
    paintBar();
  }

  host.addEventListener("click", (event) => {
    const box = event.target.closest(".pickcell input");
    const row = box?.closest("#rows tr");
    if (row) picks.toggle(numberOf(row), event.shiftKey ? shown() : null);
    else if (box) picks.togglePage(shown(), box.checked);
  });

  function onKey(event) {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest("input:not([type=checkbox]), textarea, select, dialog, details[open]")) return;
    const row = target.closest("#rows tr");
    const step = { j: 1, k: -1 }[key];
    if (step && rows().length) moveFocus($("#rows"), step);
    else if (row && (key === "x" || (key === " " && target.matches("a")))) {
      event.preventDefault();
      picks.toggle(numberOf(row), event.shiftKey ? shown() : null);
    }
  }

  addEventListener("keydown", onKey);
  host.addEventListener("mouseover", (event) => {
    const row = event.target.closest("#rows tr");
    pointed.hover(row ? numberOf(row) : null, "table");
  });
  host.addEventListener("mouseleave", () => pointed.hover(null, "table"));
  pointed.subscribe(({ run }) => {
    for (const row of rows()) row.classList.toggle("hl", numberOf(row) === run);
  });
  paint();
  return Object.assign(picks, { paint });
}
