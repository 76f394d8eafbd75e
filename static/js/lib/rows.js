// Table rows that the server renders again: only cells that changed are touched, so that focus, ticks,
// open menus and the scroll position survive.
import { focusGoesOn } from "./focus.js";
import { refreshTimes } from "./shell.js";

const sources = new WeakMap();

/** What the server sent, without the words that change by themselves. */
function sourceOf(cell) {
  return cell.innerHTML.replace(/<time[^>]*>[^<]*<\/time>/g, "");
}

function isBusy(cell) {
  return cell.contains(document.activeElement) || cell.querySelector("details[open]") !== null;
}

/** What somebody has ticked is their own: no answer of the server knows of it. */
function keepTicks(cell, fresh) {
  for (const box of cell.querySelectorAll("input:checked")) {
    const same = fresh.querySelector(`input[name="${CSS.escape(box.name)}"]`);
    if (same) same.checked = true;
  }
}

function patchCell(cell, fresh) {
  const source = sourceOf(fresh);
  // The page came with cells as the server made them.
  const before = sources.get(cell) ?? sourceOf(cell);
  // A menu or the focus is not taken away; the next change brings the cell up to date.
  if (before === source || isBusy(cell)) return;
  sources.set(cell, source);
  keepTicks(cell, fresh);
  cell.replaceChildren(...fresh.childNodes);
  refreshTimes(cell);
  if (cell.hasAttribute("data-quiet")) return;
  cell.classList.remove("flash");
  // Reading a layout value between the two makes the animation start again.
  void cell.offsetWidth;
  cell.classList.add("flash");
}

function patchRow(row, fresh) {
  const cells = [...fresh.cells];
  for (const name of fresh.getAttributeNames()) row.setAttribute(name, fresh.getAttribute(name));
  cells.forEach((cell, index) => patchCell(row.cells[index], cell));
}

function remember(row) {
  for (const cell of row.cells) sources.set(cell, sourceOf(cell));
}

/** Makes the rows of `body` those of `freshBody`, matched by data-id and in its order. */
export function patchRows(body, freshBody) {
  const keepFocus = focusGoesOn(body);
  const present = new Map([...body.children].map((row) => [row.dataset.id, row]));
  const wanted = [...freshBody.children];
  wanted.forEach((fresh, index) => {
    const row = present.get(fresh.dataset.id);
    present.delete(fresh.dataset.id);
    if (!row) {
      remember(fresh);
      body.insertBefore(fresh, body.children[index] ?? null);
      refreshTimes(fresh);
      return;
    }
    patchRow(row, fresh);
    if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
  });
  for (const gone of present.values()) gone.remove();
  keepFocus();
}
