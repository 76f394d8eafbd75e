// Sweep, runs: filter, columns, views and picked runs; cells change as they happen, rows stay where
// they are until somebody sorts again. The address holds all of it.
import { createAhead, watchLinks } from "../lib/ahead.js";
import { getFragment, postForm } from "../lib/api.js";
import { $, $$, html, render } from "../lib/dom.js";
import { compareOrder } from "../lib/run_order.js";
import { announce, refreshTimes, toast } from "../lib/shell.js";
import { mergeQuery, replaceParams } from "../lib/url_state.js";
import { mountColumnMenu } from "../runs/column_menu.js";
import { mountFilterBox } from "../runs/filter_box.js";
import { mountPickedRows } from "../runs/picked_rows.js";
import { patchCells, rememberRows } from "../runs/steady_rows.js";
import { startSweepPage } from "./sweep_head.js";

const PARTS = ["pills", "views", "columns", "export", "problems", "table"];
const HELD_MS = 1200;
const LINKS = "th a, .pager a, .empty a, .filter, a[data-view]";

const host = $('[data-part="table"]');
const note = $("[data-moved]");
const input = $("#q");
const part = (name, root = document) => $(`[data-part="${name}"]`, root);
const rows = (root = host) => $$("#rows tr", root);
const table = (root = document) => JSON.parse($("#table-data", root).textContent);
let loading = null;
let held = 0;
let isTyping = false;

// What is picked is nothing that the server need know.
const asked = (query) => location.pathname + mergeQuery(query, { pick: "" });
const ahead = createAhead((address, signal) => getFragment(address, { signal }));
const { live, refresh } = startSweepPage({ filter: takeNews });
const picks = mountPickedRows(host, $("#selection"), {
  table,
  onDone() {
    ahead.forget();
    refresh();
  },
});

/* ---- what happens meanwhile ---- */
function takeNews(fragment) {
  const next = part("table", fragment);
  next.remove();
  // Somebody asked for something else while this was on its way, or a wrong filter is being mended.
  if (loading || table(next).query !== table().query || $(".err", part("problems", fragment))) {
    for (const name of PARTS) part(name, fragment)?.remove();
    return;
  }
  const order = compareOrder(rows().map((row) => row.dataset.id), rows(next).map((row) => row.dataset.id));
  const hasOtherColumns = table(next).joined !== table().joined;
  if (hasOtherColumns || (!rows().length && rows(next).length)) {
    host.replaceChildren(...next.childNodes);
    settle();
    picks.paint();
    return;
  }
  patchCells(rows(), rows(next));
  $("#table-data").textContent = $("#table-data", next).textContent;
  if (order.isLonger && order.added.length) {
    // In this order new runs stand at the end: nothing moves when they are shown.
    const wanted = new Set(order.added);
    const added = rows(next).filter((row) => wanted.has(row.dataset.id));
    $("#rows", host).append(...added);
    $(".pager", host)?.replaceWith($(".pager", next) ?? "");
    settle();
  } else showNote(order);
  picks.paint();
}

function showNote({ moved, added, gone }) {
  const words = [
    moved && `${moved} row${moved === 1 ? "" : "s"} moved`,
    added.length && `${added.length} new here`,
    gone && `${gone} no longer here`,
  ].filter(Boolean);
  // Said once: the same sentence is not written again.
  if (!note.hidden && note.dataset.words === words.join()) return;
  note.dataset.words = words.join();
  note.hidden = !words.length;
  if (words.length) {
    render(note, html`${words.join(", ")}. <button class="link" type="button">${
      moved ? "Sort again" : "Show"}</button>`);
  }
}

function settle() {
  refreshTimes(host);
  remember();
  note.hidden = true;
}

/** Once the rows are seen: they are compared when something changes, not before. */
function remember() {
  const soon = window.requestIdleCallback ?? setTimeout;
  soon(() => rememberRows(rows()));
}

/* ---- another view ---- */
/** Shows what `query` asks for; a wrong filter is said at once or, while typing, a moment later. */
async function load(query, { isDone = true } = {}) {
  loading?.abort();
  clearTimeout(held);
  const address = asked(query);
  const known = ahead.take(address);
  const mine = known?.control ?? new AbortController();
  loading = mine;
  try {
    const fragment = await (known?.answer ?? getFragment(address, { signal: mine.signal }));
    const isWrong = $(".err", part("problems", fragment)) !== null;
    if (isWrong && !isDone) {
      held = setTimeout(() => load(query), HELD_MS);
      return;
    }
    if (isWrong) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    host.classList.toggle("is-old", isWrong);
    // With a wrong filter the rows of the last right one stay.
    show(fragment, isWrong ? ["problems"] : PARTS);
    if (!isWrong) announce(`${table().total} runs`);
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message);
  } finally {
    if (loading === mine) loading = null;
  }
}

function show(fragment, names) {
  for (const name of names) {
    // A menu that somebody uses stays open.
    if ($("details[open]", part(name))) continue;
    part(name).replaceChildren(...part(name, fragment).childNodes);
  }
  settle();
  const { query, joined } = table();
  for (const field of $$("[data-query]")) field.value = query;
  $("[data-joined]").value = joined;
  $("[data-bare]").value = mergeQuery(query, { columns: "" });
  picks.paint();
}

function go(query, { isAdjusting = false, isDone = true } = {}) {
  const address = mergeQuery(query, { pick: picks.toParam() });
  if (isAdjusting) history.replaceState(history.state, "", location.pathname + address);
  else history.pushState({}, "", location.pathname + address);
  return load(address, { isDone });
}

/** What is shown now, changed; the offset belongs to the rows that were shown. */
const changed = (values) => mergeQuery(table().query, { offset: "", ...values });

/* ---- filter ---- */
const box = mountFilterBox(input, $("#q-list"), (text, isDone) => {
  picks.onFilter();
  go(changed({ q: text }), { isAdjusting: isTyping, isDone });
  isTyping = !isDone;
});
$("#filters").addEventListener("submit", (event) => event.preventDefault());
$("#filters").addEventListener("click", (event) => {
  const example = event.target.closest("[data-example]");
  if (example) {
    const text = `${input.value.trim()} ${example.dataset.example}`.trim();
    box.show(text);
    example.closest("details").open = false;
    input.focus();
    go(changed({ q: text }));
  }
  const link = event.target.closest(".filter, a[data-view]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  picks.onFilter();
  link.closest("details")?.removeAttribute("open");
  go(new URL(link.href).search).then(showFilter);
});

/** The field says what the table shows, also when a view or the address said it. */
function showFilter() {
  if (document.activeElement !== input) box.show(new URLSearchParams(table().query).get("q") ?? "");
}

/* ---- columns ---- */
/** Commas part the keys in the address. */
const escapeKey = (key) => key.replace(/[%,]/g, encodeURIComponent);

mountColumnMenu(part("columns"), (keys) => {
  const all = ["number", ...keys.filter((key) => key !== "number")];
  go(changed({ columns: all.map(escapeKey) }), { isAdjusting: true });
  const form = new FormData();
  for (const key of all) form.append("column", key);
  postForm($("#columns-form").action, form).catch((error) => toast(error.message));
});
part("columns").addEventListener("click", async (event) => {
  if (!event.target.closest("[data-reset-columns]")) return;
  event.preventDefault();
  $("#columns-menu").open = false;
  const form = new FormData();
  form.set("reset", "1");
  await postForm($("#columns-form").action, form).catch((error) => toast(error.message));
  go(changed({ columns: "" }), { isAdjusting: true });
});

/* ---- everything else ---- */
host.addEventListener("click", (event) => {
  const link = event.target.closest("th a, .pager a, .empty a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const column = [...(link.closest("tr")?.children ?? [])].indexOf(link.closest("th"));
  go(new URL(link.href).search).then(() => {
    $("a", $$("th", host)[column] ?? host)?.focus();
    if (column < 0) $(".tablewrap", host)?.scrollTo(0, 0);
    showFilter();
  });
});
note.addEventListener("click", (event) => {
  if (event.target.closest("button")) load(location.search);
});
addEventListener("popstate", () => {
  isTyping = false;
  // What is picked is not part of the history.
  replaceParams({ pick: picks.toParam() });
  const text = new URLSearchParams(location.search).get("q");
  const before = input.value;
  load(location.search).then(() => {
    // What somebody has typed since then is newer than the answer.
    if (input.value !== before) return;
    box.show(text ?? new URLSearchParams(table().query).get("q") ?? "");
  });
});
live.onText((changes) => {
  ahead.forget();
  if (changes.runs.size || changes.metrics.size) refresh({ isCalm: true });
});
for (const root of [host, $("#filters")]) {
  watchLinks(root, LINKS, ahead, (link) => asked(new URL(link.href).search));
}

remember();
