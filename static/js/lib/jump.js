// The search box of the top bar: a combobox with the first results while somebody types.
import { getJson } from "./api.js";
import { $, $$, html, icon, render } from "./dom.js";
import { formatCount } from "./format.js";
import { badge } from "./marks.js";

const TYPING_MS = 180;
const LEAST = 2;

function options(found, text, more) {
  const groups = [
    ["Sweeps", found.sweeps.map((one) => ({
      url: one.url, name: one.name, chip: badge(one.status, one.end_reason),
      note: [
        one.matching_runs ? `${formatCount(one.matching_runs)} such runs` : one.where,
        one.experiment, one.owner,
      ].filter(Boolean).join(" · "),
    }))],
    ["Runs", found.runs.map((one) => ({
      url: one.url, name: `Run ${one.number}`, chip: badge(one.status, one.end_reason),
      note: [one.sweep_name, one.where].filter(Boolean).join(" · "),
    }))],
    ["Models", found.models.map((one) => ({
      url: one.url, name: one.name, chip: null, note: `${one.workspace} · ${one.versions} versions`,
    }))],
  ].filter(([, rows]) => rows.length);
  let at = -1;
  const line = (url, inner) => {
    at += 1;
    return html`<a role="option" id="jump-${at}" aria-selected="false" tabindex="-1" href="${url}">${
      inner}</a>`;
  };
  return html`${groups.map(([label, rows], place) => html`<div role="group"
    aria-labelledby="jump-group-${place}"><span class="menutitle" id="jump-group-${place}">${label}</span>${
    rows.map((row) => line(row.url, html`<span class="status ${row.chip?.css ?? ""}">${
      icon(row.chip?.icon ?? "folder", "s")}</span><span class="clip">${row.name}</span><span
      class="xs faint clip">${row.note}</span>`))}</div>`)}${
    !groups.length && html`<span class="menutitle">Nothing found</span>`}${
    line(more, html`${icon("search", "s")}<span class="clip">All results for “${text}”</span>`)}`;
}

function problemOf(message) {
  return html`<span class="problem">${message}</span>`;
}

/** Mounts the box; `form` has `data-quick`, the address of the first results. */
export function startJump(form) {
  if (!form) return;
  const input = $("input[type=search]", form);
  const list = $("[role=listbox]", form);
  let active = -1;
  let timer = 0;
  let loading = null;

  const rows = () => $$("[role=option]", list);
  const isOpen = () => !list.hidden;

  function close() {
    clearTimeout(timer);
    loading?.abort();
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function open(markup) {
    render(list, markup);
    list.hidden = false;
    active = -1;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(next) {
    const all = rows();
    active = (next + all.length) % all.length;
    all.forEach((row, at) => row.setAttribute("aria-selected", String(at === active)));
    all[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", all[active].id);
  }

  async function ask() {
    const text = input.value.trim();
    loading?.abort();
    if (text.length < LEAST) return close();
    const mine = new AbortController();
    loading = mine;
    const query = new URLSearchParams({ q: text });
    const more = `${form.action}?${query}`;
    try {
      const found = await getJson(`${form.dataset.quick}?${query}`, { signal: mine.signal });
      open(found.problem ? problemOf(found.problem) : options(found, text, more));
    } catch (error) {
      if (error.name !== "AbortError") open(problemOf(error.message));
    }
    return undefined;
  }

  function onKey(event) {
    const { key } = event;
    if (key === "ArrowDown" && isOpen() && rows().length) mark(active + 1);
    else if (key === "ArrowDown") ask();
    else if (key === "ArrowUp" && isOpen() && rows().length) mark(active < 0 ? -1 : active - 1);
    else if (key === "Enter" && isOpen() && active >= 0) rows()[active].click();
    else if (key === "Escape" && isOpen()) event.stopPropagation();
    else return;
    event.preventDefault();
    if (key === "Escape") close();
  }

  input.addEventListener("keydown", onKey);
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, TYPING_MS);
  });
  input.addEventListener("focus", () => input.value.trim() && ask());
  form.addEventListener("focusout", (event) => !form.contains(event.relatedTarget) && close());
  // The field keeps the focus: its loss would close the list before the click arrives.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  addEventListener("keydown", (event) => onGlobalKey(event, input));
}

/** Ctrl + K from anywhere; `/` again in a field of the page that is still empty. */
function onGlobalKey(event, input) {
  const isCommand = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey);
  const isAgain = event.key === "/" && event.target.matches?.("main [data-search]") && !event.target.value;
  if (!(isCommand || isAgain) || event.altKey || event.shiftKey || !input.checkVisibility()) return;
  event.preventDefault();
  input.focus();
  input.select();
}
