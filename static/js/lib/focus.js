// Where the focus goes when what had it is not there any more. On a page that a form has loaded again:
// to the first field with a problem, or to the row after the one that is gone. In a list that follows
// what happens: to what stands in that place now, so that no key is pressed in vain.
import { $, $$, focusedIn } from "./dom.js";
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

/**
 * Call it before the rows of `body` change, and what it returns once they have: what had the focus has
 * it again, also where its row was moved; of a row that is gone the next one takes over.
 */
export function focusGoesOn(body) {
  const focused = focusedIn(body);
  const shown = [...body.children].map((row) => row.dataset.id);
  const at = [...body.children].findIndex((row) => row.contains(focused));
  return () => {
    if (!focused || document.activeElement === focused) return;
    const here = new Map([...body.children].map((row) => [row.dataset.id, row]));
    const next = [...shown.slice(at), ...shown.slice(0, at).reverse()].find((id) => here.has(id));
    const goal = focused.isConnected ? focused : next && $("a.name, a[href]", here.get(next));
    goal?.focus({ preventScroll: true });
  };
}

/** Replaces the content of `part`; what stands in the place of what had the focus has it then. */
export function replaceIn(part, nodes) {
  const stops = () => $$("a[href], button, input, select, summary", part);
  const at = stops().indexOf(focusedIn(part));
  part.replaceChildren(...nodes);
  if (at >= 0) (stops()[at] ?? stops().at(-1))?.focus({ preventScroll: true });
}
