// Rows of the search space: add, remove, move by button or drag, and keep their numbers in order.
import { $, $$ } from "../lib/dom.js";
import { mountTokens } from "./tokens.js";

const host = () => $("#rows");
const rowsOf = () => $$(".sprow", host());

/** Rewrites the numbers in ids and names after rows were moved, so that order is what is sent. */
function renumber() {
  rowsOf().forEach((row, number) => {
    if (row.dataset.row === String(number)) return;
    const from = `search_space-${row.dataset.row}`;
    const to = `search_space-${number}`;
    for (const element of [row, ...$$("[id], [name]", row)]) {
      if (element.id.startsWith(from)) element.id = to + element.id.slice(from.length);
      if (element.name?.startsWith(from)) element.name = to + element.name.slice(from.length);
    }
    for (const button of $$("button[value]", row)) button.value = number;
    row.dataset.row = number;
    row.dataset.field = to;
  });
}

function makeRow({ name = "", type = "uniform", texts = {} } = {}) {
  const row = $("#row-template").content.firstElementChild.cloneNode(true);
  $('[data-key="name"]', row).value = name;
  writeRow(row, { type, texts });
  return row;
}

/** Writes a distribution and texts of its fields into a row; other fields stay. */
export function writeRow(row, { type, texts }) {
  const select = $('[data-key="type"]', row);
  if (![...select.options].some((option) => option.value === type)) select.add(new Option(type, type));
  select.value = type;
  for (const [key, text] of Object.entries(texts)) {
    const field = $(`[data-key="${CSS.escape(key)}"]`, row);
    if (!field || key === "name" || key === "type") continue;
    if (field.type === "checkbox") field.checked = field.value === text;
    else field.value = text;
    field.dispatchEvent(new Event("refill"));
  }
}

/** What a row says now: {name, type, texts}. */
function readRow(row) {
  const texts = {};
  for (const field of $$("[data-key]", row)) {
    const isOff = field.type === "checkbox" && !field.checked;
    texts[field.dataset.key] = isOff ? "" : field.value;
  }
  const { name, type, ...others } = texts;
  return { name, type, texts: others };
}

function moveRow(row, step, onChange) {
  const rows = rowsOf();
  const target = rows[rows.indexOf(row) + step];
  if (!target) return;
  if (step < 0) target.before(row);
  else target.after(row);
  renumber();
  $(`[data-move="${step}"]`, row).focus();
  onChange();
}

function removeRow(row, onChange) {
  const rows = rowsOf();
  const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
  row.remove();
  renumber();
  ($('[data-key="name"]', next ?? document) ?? $("#add-row")).focus();
  onChange();
}

function mountDrag(onChange) {
  let dragged = null;
  host().addEventListener("pointerdown", (event) => {
    const grip = event.target.closest(".grip");
    if (grip) grip.closest(".sprow").draggable = true;
  });
  host().addEventListener("dragstart", (event) => {
    dragged = event.target.closest(".sprow");
    if (!dragged?.draggable) return;
    event.dataTransfer.effectAllowed = "move";
    dragged.classList.add("is-dragged");
  });
  host().addEventListener("dragover", (event) => {
    const over = event.target.closest(".sprow");
    if (!dragged || !over) return;
    event.preventDefault();
    $$(".is-target", host()).forEach((row) => row.classList.remove("is-target"));
    over.classList.add("is-target");
  });
  host().addEventListener("drop", (event) => {
    const over = event.target.closest(".sprow");
    if (!dragged || !over) return;
    event.preventDefault();
    const rows = rowsOf();
    if (rows.indexOf(over) > rows.indexOf(dragged)) over.after(dragged);
    else over.before(dragged);
    renumber();
    onChange();
  });
  host().addEventListener("dragend", () => {
    $$(".is-target", host()).forEach((row) => row.classList.remove("is-target"));
    dragged?.classList.remove("is-dragged");
    dragged?.removeAttribute("draggable");
    dragged = null;
  });
}

/** Replaces all rows, keeping those that say the same, so that the focus is not lost. */
export function setRows(wanted, onChange) {
  const present = rowsOf();
  wanted.forEach((values, index) => {
    const row = present[index];
    const current = row && readRow(row);
    const isSame = current && current.name === values.name && current.type === values.type
      && Object.entries(values.texts).every(([key, text]) => current.texts[key] === text);
    if (isSame) return;
    const fresh = makeRow(values);
    if (row) row.replaceWith(fresh);
    else host().append(fresh);
    mountTokens(fresh, onChange);
  });
  present.slice(wanted.length).forEach((row) => row.remove());
  // Fresh rows carry the placeholder of the template as their number.
  renumber();
}

/** Adds a row {name, type, texts}; an empty row gives its place. */
export function addRow(values, onChange) {
  const row = makeRow(values);
  const empty = rowsOf().find((other) => !$('[data-key="name"]', other).value.trim());
  if (empty) empty.replaceWith(row);
  else host().append(row);
  mountTokens(row, onChange);
  renumber();
  $('[data-key="type"]', row).focus();
  onChange();
}

/** Makes the rows work; `onChange` is called after each structural change. */
export function mountRows(onChange) {
  rowsOf().forEach((row) => mountTokens(row, onChange));
  $("#add-row").addEventListener("click", (event) => {
    event.preventDefault();
    const row = makeRow();
    host().append(row);
    mountTokens(row, onChange);
    renumber();
    $('[data-key="name"]', row).focus();
    onChange();
  });
  host().addEventListener("click", (event) => {
    const button = event.target.closest("[data-remove], [data-move]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest(".sprow");
    if ("remove" in button.dataset) removeRow(row, onChange);
    else moveRow(row, Number(button.dataset.move), onChange);
  });
  mountDrag(onChange);
}
