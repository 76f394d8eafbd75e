// Picking runs in the table: boxes, ranges with Shift; the address and the bar follow.
import { $, $$ } from "../lib/dom.js";
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
