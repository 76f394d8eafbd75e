// Where the focus goes on a page that a form has loaded again: to the first field with a problem, or
// to the row after the one that is gone.
import { $, $$ } from "./dom.js";
import { rowAfter } from "./run_order.js";

const STORED = "studio-next-row";

function firstError() {
  return $('main form[method="post"] [aria-invalid="true"]');
}

/** Notes the next row when a button of a row sends a form; its page may come back without the row. */
function noteRow(event) {
  const row = event.submitter?.closest("tr[data-id]");
  // Where a script takes the form over the page stays.
  if (!row || event.defaultPrevented) return;
  const next = rowAfter($$("tr[data-id]").map((each) => each.dataset.id), [row.dataset.id]);
  try {
    const value = { path: location.pathname, gone: row.dataset.id, next };
    sessionStorage.setItem(STORED, JSON.stringify(value));
  } catch {
    // Storage may be off; the page then begins at its top.
  }
}

function takeNoted() {
  try {
    const noted = JSON.parse(sessionStorage.getItem(STORED) ?? "null");
    sessionStorage.removeItem(STORED);
    return noted?.path === location.pathname ? noted : null;
  } catch {
    return null;
  }
}

function rowToGoOn() {
  const noted = takeNoted();
  const rowOf = (id) => $(`tr[data-id="${CSS.escape(id ?? "")}"]`);
  // A row that is still there was changed, not removed: one goes on with it.
  const row = noted && (rowOf(noted.gone) ?? rowOf(noted.next));
  return row && $("a[href], button, input", row);
}

/** Moves the focus once; an address that names a place has its own. */
export function focusAfterLoad() {
  addEventListener("submit", noteRow);
  if (!location.hash) (firstError() ?? rowToGoOn())?.focus();
}
