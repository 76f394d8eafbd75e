// The list of runs beside the charts: best first, follows the ranges, takes part in highlighting.
import { $, $$, build, html, icon, render } from "../lib/dom.js";

const NAME = "list";
// Rows of a thousand runs come as they are scrolled to.
const PIECE = 120;
const LOOK_MS = 150;

/**
 * Mounts the list in `host`; `show(runs)` lists only these runs, null lists all, undefined keeps what
 * was asked for last. Rows do not move while somebody points at them.
 */
export function mountRunList(host, note, { selection, known, best, urlOf, metric }) {
  let only = null;
  let isWaiting = false;
  let runs = [];
  let length = PIECE;
  let looking = 0;

  function markup(run, place) {
    const isBest = run.number === best();
    const pin = selection.pinOf(run.number);
    const css = [isBest && "isbest", run.number === selection.run && "hl", pin >= 0 && `pin pin-${pin + 1}`];
    return html`<li tabindex="0" data-run="${run.number}" class="${css.filter(Boolean).join(" ")}">
      <span class="rank">${place + 1}</span><span class="who">
      <span class="status ${run.badge.css}" title="${run.badge.label}">${icon(isBest ? "star" : run.badge.icon, "s")}
      </span><a href="${urlOf(run.number)}" tabindex="-1">Run ${run.number}</a></span>
      <span class="num">${Number.isFinite(run.value) ? known.valueText(run.value) : "–"}</span></li>`;
  }

  function paint() {
    if (host.matches(":hover, :focus-within") && host.children.length) {
      isWaiting = true;
      return;
    }
    isWaiting = false;
    const inside = only && new Set(only);
    runs = known.ranked().filter((run) => !inside || inside.has(run.number));
    note.textContent = inside ? `${runs.length} of ${known.size} in range` : `by ${metric}`;
    render(host, html`${runs.slice(0, length).map(markup)}`);
  }

  /** Adds rows up to the place of a run in the list. */
  function reach(place) {
    if (place < length || place >= runs.length) return;
    const from = length;
    length = Math.ceil((place + 1) / PIECE) * PIECE;
    runs.slice(from, length).forEach((run, at) => host.append(build(markup(run, from + at))));
  }

  function mark(change) {
    if (change.kind === "hover") {
      $(".hl", host)?.classList.remove("hl");
      clearTimeout(looking);
      const row = change.run === null ? null : $(`[data-run="${change.run}"]`, host);
      row?.classList.add("hl");
      if (row && change.from !== NAME) scrollTo(row);
      // A run far down: its row is made when the pointer rests on it.
      if (!row && change.run !== null) looking = setTimeout(() => bring(change), LOOK_MS);
    } else {
      for (const row of $$("li", host)) {
        const pin = selection.pinOf(Number(row.dataset.run));
        row.className = row.className.replace(/\s*\bpin(-\d)?\b/g, "");
        if (pin >= 0) row.classList.add("pin", `pin-${pin + 1}`);
      }
    }
  }

  function bring(change) {
    reach(runs.findIndex((run) => run.number === change.run));
    if (selection.run === change.run && $(`[data-run="${change.run}"]`, host)) mark(change);
  }

  /** Scrolls the list alone: scrollIntoView would move the page under the pointer. */
  function scrollTo(row) {
    const above = row.offsetTop - host.scrollTop;
    if (above < 0) host.scrollTop = row.offsetTop;
    else if (above + row.offsetHeight > host.clientHeight) {
      host.scrollTop = row.offsetTop + row.offsetHeight - host.clientHeight;
    }
  }

  const runOf = (event) => {
    const row = event.target.closest("[data-run]");
    return row ? Number(row.dataset.run) : null;
  };

  host.addEventListener("scroll", () => {
    if (host.scrollTop + host.clientHeight > host.scrollHeight - 400) reach(length);
  }, { passive: true });
  host.addEventListener("mouseover", (event) => selection.hover(runOf(event), NAME));
  host.addEventListener("focusin", (event) => selection.hover(runOf(event), NAME));
  host.addEventListener("mouseleave", () => {
    selection.hover(null, NAME);
    if (isWaiting) paint();
  });
  host.addEventListener("focusout", () => selection.hover(null, NAME));
  host.addEventListener("click", (event) => {
    if (!event.target.closest("a") && runOf(event) !== null) selection.pin(runOf(event), NAME);
  });
  host.addEventListener("keydown", (event) => {
    const row = event.target.closest("li");
    const next = { ArrowDown: row?.nextElementSibling, ArrowUp: row?.previousElementSibling }[event.key];
    if (event.key === "Enter" && row) location.assign($("a", row).href);
    else if (event.key === " " && row) selection.pin(runOf(event), NAME);
    else if (next) next.focus();
    else return;
    event.preventDefault();
  });
  selection.subscribe(mark);
  return {
    show(runs) {
      if (runs !== undefined) only = runs;
      paint();
    },
  };
}
