// Rows of the table that the server rendered again: cells change in place, rows stay where they are.
import { refreshTimes } from "../lib/shell.js";

const sources = new WeakMap();
const QUIET = /\bc-(reports|curve|duration|waited|time)\b/;

/** What the server sent, without the words that change by themselves. */
function sourceOf(cell) {
  return cell.outerHTML.replace(/<time[^>]*>[^<]*<\/time>/g, "");
}

function patchCell(cell, fresh) {
  const source = sourceOf(fresh);
  const before = sources.get(cell);
  sources.set(cell, source);
  if (before === source || cell.contains(document.activeElement)) return;
  for (const name of ["title", "data-since"]) {
    if (fresh.hasAttribute(name)) cell.setAttribute(name, fresh.getAttribute(name));
    else cell.removeAttribute(name);
  }
  cell.replaceChildren(...fresh.childNodes);
  refreshTimes(cell);
  if (before === undefined || QUIET.test(cell.className)) return;
  cell.classList.remove("flash");
  // Reading a layout value between the two makes the animation start again.
  void cell.offsetWidth;
  cell.classList.add("flash");
}

function patchRow(row, fresh) {
  row.dataset.status = fresh.dataset.status;
  row.classList.toggle("isbest", fresh.classList.contains("isbest"));
  if (row.cells.length !== fresh.cells.length) return;
  // The first cell is the reader's own: whether the run is picked.
  [...fresh.cells].slice(1).forEach((cell, at) => patchCell(row.cells[at + 1], cell));
}

/** Notes what the server sent, so that the first newer row is compared with it. */
export function rememberRows(rows) {
  for (const row of rows) {
    for (const cell of row.cells) if (!sources.has(cell)) sources.set(cell, sourceOf(cell));
  }
}

/** Brings the cells of `rows` up to date with the fresh rows of the same runs. */
export function patchCells(rows, freshRows) {
  const fresh = new Map(freshRows.map((row) => [row.dataset.id, row]));
  for (const row of rows) {
    const newer = fresh.get(row.dataset.id);
    if (newer) patchRow(row, newer);
  }
}
