// The table of runs: sorted, in pages, steady under the pointer. Knows rows, not where they come from.
import { $, $$, focusedIn, html, icon, render } from "../lib/dom.js";
import { formatCount, formatDuration, formatMetric, formatParam } from "../lib/format.js";

const PAGE = 10;
const NAME = "table";

/** The runs in the order of a column; empty values last, ties by number. Pure. */
export function sortedRuns(runs, valueOf, isDown) {
  const sign = isDown ? -1 : 1;
  const isEmpty = (value) => value === null || value === undefined || Number.isNaN(value);
  return [...runs].sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (isEmpty(x) || isEmpty(y)) return Number(isEmpty(x)) - Number(isEmpty(y)) || a.number - b.number;
    if (x === y) return a.number - b.number;
    // Numbers before texts.
    const isLess = typeof x === typeof y ? x < y : typeof x === "number";
    return isLess ? -sign : sign;
  });
}

function lasted(run) {
  if (!run.started) return null;
  return (new Date(run.ended ?? Date.now()) - new Date(run.started)) / 1000;
}

/** The columns of a sweep: {key, title, isNumber, of(run), text(run)}. */
function columnsOf({ metric, params }, digits) {
  return [
    { key: "number", title: "Run", of: (run) => run.number },
    { key: "value", title: metric, isNumber: true, of: (run) => run.value, text: (run) => formatMetric(run.value, digits()) },
    { key: "status", title: "Status", of: (run) => run.label },
    { key: "lasted", title: "Duration", isNumber: true, of: lasted, text: (run) => formatDuration(lasted(run)) },
    ...params.map((name, place) => ({
      key: `param:${place}`, title: name, isNumber: true, isKey: true,
      of: (run) => run.params[place], text: (run) => formatParam(run.params[place]),
    })),
  ];
}

function cell(column, run, isPicked) {
  if (column.key === "number") {
    return html`<th scope="row"><button class="link" type="button" data-run="${run.number}" aria-pressed="${
      String(isPicked)}">Run ${run.number}</button></th>`;
  }
  if (column.key === "status") {
    return html`<td><span class="chip ${run.css}" title="${run.reason}">${icon(run.icon)}${run.label}</span></td>`;
  }
  return html`<td class="${column.isNumber ? "num" : ""}">${column.text(run)}</td>`;
}

/**
 * Mounts the table in `section`. `digits()` are the decimals of the metric, `pick(number)` is told
 * which run somebody asked for, `keep(state)` how the table is sorted.
 */
export function mountTable(section, { selection, digits, pick, keep, state }) {
  const [head, body] = [$("thead", section), $("tbody", section)];
  const view = { by: "value", isDown: null, page: 0, ...state };
  let columns = [];
  let key = "";
  let runs = [];
  let order = [];
  let inside = null;
  let picked = null;
  let best = null;
  let isUp = true;
  let isStale = false;

  const isDown = () => view.isDown ?? isUp;
  const isHeld = () => order.length && (body.matches(":hover") || focusedIn(body));
  const shown = () => order.slice(view.page * PAGE, (view.page + 1) * PAGE);

  function paintHead() {
    const made = JSON.stringify([columns.map((column) => column.title), view.by, isDown()]);
    if (made === key) return;
    key = made;
    const focused = focusedIn(head)?.dataset.sort;
    render(head, html`<tr>${columns.map(({ key: name, title, isNumber, isKey }) => html`<th scope="col" class="${
      isNumber ? "num" : ""}"${name === view.by ? html` aria-sort="${isDown() ? "descending" : "ascending"}"` : ""}>
      <button type="button" data-sort="${name}" class="${isKey ? "key" : ""}">${title}</button></th>`)}</tr>`);
    if (focused) $(`[data-sort="${CSS.escape(focused)}"]`, head)?.focus();
  }

  function paintBody() {
    const focused = focusedIn(body)?.dataset.run;
    const known = new Map(runs.map((run) => [run.number, run]));
    const rows = shown().map((number) => known.get(number)).filter(Boolean);
    render(body, html`${rows.map((run) => html`<tr data-row="${run.number}" class="${
      run.number === best ? "isbest" : ""}${run.number === selection.run ? " hl" : ""}${
      run.number === picked ? " picked" : ""}">${columns.map((column) => cell(column, run, run.number === picked))}</tr>`)}`);
    if (focused !== undefined) $(`button[data-run="${focused}"]`, body)?.focus({ preventScroll: true });
    const from = view.page * PAGE;
    const isNarrowed = inside !== null;
    $("[data-count]", section).textContent = isNarrowed
      ? `${formatCount(order.length)} of ${formatCount(runs.length)} in range` : "";
    $("[data-range]", section).textContent = order.length
      ? `${formatCount(from + 1)}–${formatCount(Math.min(order.length, from + PAGE))} of ${formatCount(order.length)}` : "none";
    $('[data-page="-1"]', section).disabled = view.page === 0;
    $('[data-page="1"]', section).disabled = from + PAGE >= order.length;
  }

  function paint() {
    paintHead();
    paintBody();
  }

  function sort() {
    const column = columns.find((each) => each.key === view.by) ?? columns[1];
    const among = inside ? runs.filter((run) => inside.has(run.number)) : runs;
    order = sortedRuns(among, column.of, isDown()).map((run) => run.number);
    view.page = Math.min(view.page, Math.max(0, Math.ceil(order.length / PAGE) - 1));
    paint();
  }

  head.addEventListener("click", (event) => {
    const name = event.target.closest("[data-sort]")?.dataset.sort;
    if (!name) return;
    view.isDown = name === view.by ? !isDown() : name === "value" ? null : false;
    Object.assign(view, { by: name, page: 0 });
    keep({ ...view });
    sort();
  });
  section.addEventListener("click", (event) => {
    const by = Number(event.target.closest("[data-page]")?.dataset.page ?? 0);
    if (!by) return;
    view.page += by;
    keep({ ...view });
    paint();
    // A button that has become useless loses the focus to the table.
    if (event.target.closest("[data-page]").disabled) $(".tablewrap", section).focus();
  });
  const runOf = (event) => {
    const row = event.target.closest("[data-row]");
    return row ? Number(row.dataset.row) : null;
  };
  body.addEventListener("click", (event) => runOf(event) !== null && pick(runOf(event)));
  body.addEventListener("mouseover", (event) => selection.hover(runOf(event), NAME));
  body.addEventListener("focusin", (event) => selection.hover(runOf(event), NAME));
  for (const name of ["mouseleave", "focusout"]) {
    body.addEventListener(name, () => {
      selection.hover(null, NAME);
      // What came meanwhile finds its place.
      if (isStale) setTimeout(() => !isHeld() && sort());
    });
  }
  selection.subscribe(({ kind, run }) => {
    if (kind !== "hover") return;
    for (const row of $$(".hl", body)) row.classList.remove("hl");
    if (run !== null) $(`[data-row="${run}"]`, body)?.classList.add("hl");
  });

  return {
    /** Shows other facts: {runs, params, metric, goal, best, picked}. */
    show(facts) {
      ({ runs, best, picked } = facts);
      isUp = facts.goal === "maximize";
      columns = columnsOf(facts, digits);
      // Rows stay where they are while somebody points at them.
      isStale = Boolean(isHeld());
      if (isStale) paint();
      else sort();
    },
    /** Lists only these runs; null lists all. */
    narrow(numbers) {
      inside = numbers && new Set(numbers);
      if (columns.length) sort();
    },
    mark(number) {
      picked = number;
      paintBody();
    },
  };
}
