// Pictures of the search space beside its rows; row fixes and draws come with the same answer.
import { postForm } from "../lib/api.js";
import { $, $$, html, render } from "../lib/dom.js";
import { drawPage, showDraws } from "./draws.js";
import { showRowFixes } from "./row_fixes.js";
import { whenReleased } from "./settle.js";

const WIDTH = 132;
const HEIGHT = 44;
const FLOOR = HEIGHT - 12;
const TOP = 4;

const y = (height) => (FLOOR - height * (FLOOR - TOP)).toFixed(1);
const x = (place) => (place * WIDTH).toFixed(1);

function shorten(text, room) {
  const most = Math.max(2, Math.floor(room / 5.4));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** An area under steps: continuous values in a histogram. */
function areaMarkup({ bars, low, high }) {
  const steps = bars.flatMap((bar) => [
    `${x(bar.x)},${y(bar.height)}`, `${x(bar.x + bar.width)},${y(bar.height)}`,
  ]).join(" ");
  return html`<polygon class="area" points="0,${FLOOR} ${steps} ${WIDTH},${FLOOR}"></polygon>
    <polyline class="edge" points="${steps}"></polyline>
    <text x="0" y="${HEIGHT - 1}">${low}</text>
    <text x="${WIDTH}" y="${HEIGHT - 1}" text-anchor="end">${high}</text>`;
}

/** One bar per value. */
function barsMarkup({ bars }) {
  const few = bars.length <= 6;
  const ends = [0, bars.length - 1];
  return bars.map((bar, index) => {
    const width = Math.min(26, Math.max(1, bar.width * WIDTH - 3));
    const middle = (bar.x + bar.width / 2) * WIDTH;
    const isNamed = few || ends.includes(index);
    const anchor = few ? "middle" : index ? "end" : "start";
    const place = few ? middle : index ? WIDTH : 0;
    const room = few ? WIDTH / bars.length : WIDTH / 2;
    return html`<rect class="bar" x="${(middle - width / 2).toFixed(1)}" y="${y(bar.height)}"
      width="${width.toFixed(1)}" height="${(FLOOR - y(bar.height)).toFixed(1)}" rx="2"></rect>
      ${isNamed && html`<text x="${place.toFixed(1)}" y="${HEIGHT - 1}"
      text-anchor="${anchor}">${shorten(bar.label, room)}</text>`}`;
  });
}

/** The picture of one row as SVG markup. */
function previewMarkup(row) {
  if (!row.bars.length) return html``;
  const title = row.is_continuous ? `From ${row.low} to ${row.high}` : `${row.bars.length} values`;
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
    ${row.is_continuous ? areaMarkup(row) : barsMarkup(row)}
    <line class="base" x1="0" x2="${WIDTH}" y1="${FLOOR}" y2="${FLOOR}"></line></svg>`;
}

function show(preview) {
  $$("#rows .sprow").forEach((row, index) => {
    const own = preview.rows[index];
    if (!own) return;
    render($("[data-preview]", row), previewMarkup(own));
    $("[data-meaning]", row).textContent = own.meaning;
    const count = $("[data-count]", row);
    count.textContent = own.count;
    count.title = own.count_title;
    render($("[data-warnings]", row), html`${own.warnings.map((text) => html`<li>${text}</li>`)}`);
  });
  $("#space-count").textContent = preview.summary;
  showRowFixes(preview.fixes);
  showDraws(preview.draws);
}

// What of the form the pictures, the draws and their command lines depend on.
const NAMES = /^(search_space-|sampling$|seed$|resume_|entry$|script$|command$|arguments$|python$)/;

let asked = "";
let asking = null;

/** Asks for the pictures when the search space, the method or what is run changed. */
export async function refreshPreviews(form, data) {
  const sent = new FormData();
  for (const [name, value] of data) if (NAMES.test(name)) sent.set(name, value);
  sent.set("draw_page", drawPage());
  const text = [...sent].join("\n");
  if (text === asked) return;
  asked = text;
  asking?.abort();
  asking = new AbortController();
  try {
    const preview = await postForm(form.dataset.preview, sent, { signal: asking.signal });
    whenReleased("previews", () => show(preview));
  } catch (error) {
    if (error.name !== "AbortError") asked = "";
  }
}
