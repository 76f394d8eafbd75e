// The list of runs beside the charts: best first, follows the ranges, takes part in highlighting.
import { $, $$, html, icon, render } from "../lib/dom.js";

const NAME = "list";
// Only rows in sight are made, and so many above and below them: a thousand take a third of a second.
const AROUND = 25;
// Until a row has been measured.
const ROW = 30;
const LOOK_MS = 150;

/**
 * Mounts the list in `host`; `show(runs)` lists only these runs, null lists all, undefined keeps what
 * was asked for last. Rows do not move while somebody points at them.
 */
export function mountRunList(host, note, { selection, known, best, urlOf, metric }) {
  let only = null;
  let isWaiting = false;
  let runs = [];
  // The places of the rows that are made; room is left for the others.
  let [from, to] = [0, 0];
  let height = ROW;
  let looking = 0;

  function markup(run, place) {
    const isBest = run.number === best();
    const pin = selection.pinOf(run.number);
    const css = [isBest && "isbest", run.number === selection.run && "hl", pin >= 0 && `pin pin-${pin + 1}`];
    return html`<li tabindex="0" data-run="${run.number}" class="${css.filter(Boolean).join(" ")}"
      aria-posinset="${place + 1}" aria-setsize="${runs.length}">
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
    host.replaceChildren();
    [from, to] = [0, 0];
    lay(...wanted());
    const [first] = host.children;
    height = first?.getBoundingClientRect().height || height;
    lay(...wanted());
  }

  /** The places in sight. */
  function inSight() {
    const first = Math.min(Math.floor(host.scrollTop / height), Math.max(0, runs.length - 1));
    return [first, Math.min(runs.length, first + Math.ceil(host.clientHeight / height) + 1)];
  }

  function wanted() {
    const [first, last] = inSight();
    return [Math.max(0, first - AROUND), Math.min(runs.length, last + AROUND)];
  }

  function rowsOf(low, high) {
    const holder = document.createElement("template");
    return render(holder, html`${runs.slice(low, high).map((run, at) => markup(run, low + at))}`).content;
  }

  /** Makes the rows of these places, and leaves those that stay as they are. */
  function lay(low, high) {
    // Whoever is on a row stays there.
    const held = document.activeElement?.closest("[data-run]");
    if (held && host.contains(held)) {
      const place = from + [...host.children].indexOf(held);
      [low, high] = [Math.min(low, place), Math.max(high, place + 1)];
    }
    if (low >= to || high <= from) {
      host.replaceChildren(rowsOf(low, high));
    } else {
      for (; from < low; from += 1) host.firstElementChild.remove();
      for (; to > high; to -= 1) host.lastElementChild.remove();
      if (low < from) host.prepend(rowsOf(low, from));
      if (high > to) host.append(rowsOf(to, high));
    }
    [from, to] = [low, high];
    host.style.setProperty("--above", `${from * height}px`);
    host.style.setProperty("--below", `${(runs.length - to) * height}px`);
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

  function bring({ run, from: part }) {
    const place = runs.findIndex((other) => other.number === run);
    if (place < 0 || selection.run !== run || part === NAME) return;
    host.scrollTop = (place + 0.5) * height - host.clientHeight / 2;
    lay(...wanted());
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
    const [first, last] = inSight();
    if (first < from || last > to) lay(...wanted());
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
