// Sweep, runs: cells change as they happen, rows stay where they are until somebody sorts again.
import { getFragment } from "../lib/api.js";
import { $, $$, build, html, icon, readJson, render } from "../lib/dom.js";
import { formatCount, formatDuration, formatMetric } from "../lib/format.js";
import { chip } from "../lib/marks.js";
import { moveFocus } from "../lib/rows.js";
import { countMoved, sortedNumbers } from "../lib/run_order.js";
import { createSelection } from "../lib/selection.js";
import { announce, refreshTimes, toast } from "../lib/shell.js";
import { mergeQuery } from "../lib/url_state.js";
import { startSweepPage } from "./sweep_head.js";

const { page, live } = startSweepPage({
  // The table is ours: rows must not move under the pointer.
  filter: (fragment) => $('[data-part="table"]', fragment)?.remove(),
});
const selection = createSelection();
const host = $('[data-part="table"]');
const note = $("[data-moved]");
const form = $("#filters");
// What the server said of a row is only known as text; what the feed says later is kept here.
const known = new Map();
const fresh = new Set();
let loading = null;

const rows = () => $$("#rows tr");
const table = () => readJson("table-data");
const numberOf = (row) => Number(row.dataset.run);

function setCell(row, name, markup) {
  const cell = $(`.c-${name}`, row);
  const before = cell.innerHTML;
  render(cell, markup);
  if (cell.innerHTML === before) return;
  cell.classList.remove("flash");
  // Reading a layout value between the two makes the animation start again.
  void cell.offsetWidth;
  cell.classList.add("flash");
}

function updateRow(row, run) {
  row.dataset.status = run.status;
  setCell(row, "state", chip(run.status, run.end_reason));
  setCell(row, "best", run.best
    ? html`<span class="metricval">${formatMetric(run.best.value, page.digits)}</span>
      <span class="faint xs">at ${run.best.interval}</span>`
    : html`<span class="faint">–</span>`);
  $(".c-reports", row).textContent = formatCount(run.reports);
  const reason = run.reason.charAt(0).toUpperCase() + run.reason.slice(1);
  setCell(row, "reason", html`<span class="reason" title="${reason}">${reason}</span>`);
  const duration = $(".c-duration", row);
  if (run.started && !run.ended) duration.dataset.since = run.started;
  else {
    delete duration.dataset.since;
    $("span", duration).textContent = formatDuration(run.duration);
  }
}

/** Rows that would stand elsewhere now, among those whose values are known. */
function movedRows() {
  const { sort, direction } = table();
  const shown = rows().map(numberOf);
  const runs = shown.map((number) => known.get(number));
  if (runs.some((run) => run === undefined)) return 0;
  return countMoved(shown, sortedNumbers(runs, sort, direction === "desc"));
}

function showNote(fresh) {
  const moved = movedRows();
  const words = [
    moved && `${moved} row${moved === 1 ? "" : "s"} moved`,
    fresh && `${fresh} new run${fresh === 1 ? "" : "s"}`,
  ].filter(Boolean);
  note.hidden = !words.length;
  if (words.length) {
    render(note, html`${words.join(", ")}. <button class="link" type="button">${
      moved ? "Sort again" : "Show"}</button>`);
  }
}

/** How many runs came while the page was open and are not on it; none while filters may hide them. */
function freshRuns() {
  const { group, text } = table();
  return group || text ? 0 : [...fresh].filter((number) => !known.has(number)).length;
}

async function load(query, { isNew = false } = {}) {
  loading?.abort();
  loading = new AbortController();
  const scroll = $(".tablewrap", host)?.scrollTop ?? 0;
  try {
    const fragment = await getFragment(location.pathname + query, { signal: loading.signal });
    for (const part of ["table", "pills"]) {
      const next = $(`[data-part="${part}"]`, fragment);
      $(`[data-part="${part}"]`).replaceChildren(...next.childNodes);
    }
    refreshTimes(host);
    learn();
    if (!isNew && $(".tablewrap", host)) $(".tablewrap", host).scrollTop = scroll;
    fresh.clear();
    note.hidden = true;
    $("[data-csv]").href = `${mergeQuery(query, { offset: "", format: "csv" })}`;
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message);
  }
}

/** What can be sorted by is in the JSON block of the table. */
function learn() {
  known.clear();
  for (const run of table().runs) known.set(run.number, run);
}

function onText(changes) {
  for (const row of rows()) {
    const run = live.state.runs.get(numberOf(row));
    if (run && changes.runs.has(run.number)) {
      known.set(run.number, run);
      updateRow(row, run);
    }
  }
  for (const number of changes.moved) if (!known.has(number)) fresh.add(number);
  const isEmpty = !rows().length;
  if (changes.best) markBest();
  const { sort, direction, shown, size } = table();
  const isAppending = sort === "number" && direction === "asc" && shown < size;
  // In the order of their numbers new runs stand at the end: nothing moves when they are shown.
  if (freshRuns() && (isEmpty || isAppending)) load(location.search);
  else showNote(freshRuns());
}

function markBest() {
  for (const row of rows()) {
    const isBest = numberOf(row) === live.state.best.number;
    row.classList.toggle("isbest", isBest);
    $(".beststar", row)?.remove();
    if (isBest) {
      $(".name", row).after(build(html`<span class="beststar" title="Best run">${icon("star", "s")}</span>`));
    }
  }
}

function go(query) {
  history.pushState({}, "", location.pathname + query);
  return load(query, { isNew: true });
}

host.addEventListener("click", (event) => {
  const link = event.target.closest("th a, .pager a, .empty a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const column = [...(link.closest("tr")?.children ?? [])].indexOf(link.closest("th"));
  go(new URL(link.href).search).then(() => {
    $$("th a", host)[column]?.focus();
    announce(`${rows().length} runs shown`);
  });
});
form.addEventListener("click", (event) => {
  const pill = event.target.closest(".filter");
  if (!pill || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(new URL(pill.href).search);
});
let typing = 0;
form.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const query = mergeQuery(location.search, { q: $("#q").value.trim(), offset: "" });
    history.replaceState(history.state, "", location.pathname + query);
    load(query, { isNew: true });
  }, 250);
});
form.addEventListener("submit", (event) => event.preventDefault());
note.addEventListener("click", (event) => {
  if (event.target.closest("button")) load(location.search, { isNew: true });
});
addEventListener("popstate", () => {
  $("#q").value = new URLSearchParams(location.search).get("q") ?? "";
  load(location.search, { isNew: true });
});

host.addEventListener("mouseover", (event) => {
  const row = event.target.closest("#rows tr");
  selection.hover(row ? numberOf(row) : null, "table");
});
host.addEventListener("mouseleave", () => selection.hover(null, "table"));
selection.subscribe(({ run }) => {
  for (const row of rows()) row.classList.toggle("hl", numberOf(row) === run);
});
addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.metaKey) return;
  const step = { j: 1, k: -1 }[event.key];
  if (step && $("#rows")) moveFocus($("#rows"), step);
});

learn();
live.onText(onText);
