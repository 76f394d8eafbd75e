// The table behind a chart: the same rows, for people who cannot or do not want to see the picture.
import { html } from "../lib/dom.js";
import { formatMetric, formatParam } from "../lib/format.js";

const METRIC = 2;

function isNumeric(value) {
  return typeof value === "number" || ["NaN", "Infinity", "-Infinity"].includes(value);
}

/** The table of a figure's `meta` as markup. */
export function tableOf(meta, title) {
  const { columns, rows, total } = meta.table;
  const text = (value, column) =>
    (column === METRIC && Number.isInteger(meta.decimals) && isNumeric(value)
      ? formatMetric(value, meta.decimals) : formatParam(value));
  const left = total - rows.length;
  return html`<table><caption class="vh">${title}: ${meta.summary}</caption><thead><tr>${
    columns.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${
    rows.map((row) => html`<tr>${row.map((value, column) => html`<td class="${
      isNumeric(value) ? "num" : ""}">${text(value, column)}</td>`)}</tr>`)}</tbody></table>${
    left > 0 && html`<p class="hint">${left} more runs are in the Runs tab.</p>`}`;
}
