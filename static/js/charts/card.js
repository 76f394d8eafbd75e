// A chart on its card: fetches the figure when it comes into view, keeps it fresh, and offers table,
// CSV, picture and full screen. Does not know how charts are drawn.
import { getJson } from "../lib/api.js";
import { $, $$, html, render } from "../lib/dom.js";
import { save, fileName, toCsv } from "../lib/csv.js";
import { toast } from "../lib/shell.js";
import { getParam, mergeQuery, replaceParams } from "../lib/url_state.js";
import { decodeTraces } from "./arrays.js";
import { onTheme } from "./colours.js";
import { tableOf } from "./table.js";

const REFRESH_MS = 2000;
const SHARE = 4;

/** Whether anything is drawn besides lines of reference. */
function isEmpty(figure) {
  if (figure.meta.lines?.numbers) return !figure.meta.lines.numbers.length;
  return !figure.data.some((trace) => trace.customdata?.length);
}

/**
 * Mounts the card `section`. `makeView(host)` gives {show, resize, redraw, png}; `prepare(figure)`
 * may give other traces than the server's; `onFigure(figure)` is told of every answer.
 *
 * @returns {{refresh: Function, redraw: Function, load: Function, figure: Function}}
 */
export function mountCard(section, { makeView, prepare, onFigure, beforeLoad, title }) {
  const { chart: name, url } = section.dataset;
  const host = $("[data-plot]", section);
  const pickers = $$("select[data-option]", section);
  let view = null;
  let figure = null;
  let isVisible = false;
  let isStale = true;
  let timer = 0;
  let lastLoad = 0;
  let cost = 0;
  let loading = null;

  function note(markup) {
    const place = $("[data-note]", section);
    place.hidden = !markup;
    if (markup) render(place, markup);
  }

  function options() {
    return Object.fromEntries(pickers.map((picker) => [picker.dataset.option, picker.value]));
  }

  async function load() {
    clearTimeout(timer);
    timer = 0;
    isStale = false;
    loading?.abort();
    loading = new AbortController();
    const { signal } = loading;
    const start = performance.now();
    beforeLoad?.(options());
    try {
      const answer = await getJson(url + mergeQuery("", options()), { signal });
      figure = { ...answer, data: decodeTraces(answer.data) };
      onFigure?.(figure);
      syncPickers();
      await redraw();
    } catch (error) {
      if (error.name === "AbortError") return;
      note(html`<p>This chart could not be loaded. ${error.message}</p><button class="btn s"
        type="button" data-do="again">Try again</button>`);
    } finally {
      cost = performance.now() - start;
      lastLoad = performance.now();
      section.removeAttribute("aria-busy");
    }
  }

  /** Metrics that were first logged after the page was made appear in the picker. */
  function syncPickers() {
    for (const option of figure.meta.options ?? []) {
      const picker = pickers.find((other) => other.dataset.option === option.name);
      if (!picker) continue;
      const known = new Set([...picker.options].map((entry) => entry.value));
      for (const [value, label] of option.choices) {
        if (!known.has(value)) picker.add(new Option(label, value));
      }
    }
  }

  async function redraw() {
    if (!figure) return;
    const { caption, summary } = figure.meta;
    const shown = prepare ? { ...figure, data: prepare(figure) } : figure;
    const nothing = isEmpty(shown);
    note(nothing && html`<p>${caption ? "No run to draw yet." : "No run has a value yet."}</p>`);
    $("[data-caption]", section).textContent = caption ?? "";
    host.setAttribute("aria-label", `${title}. ${summary}. The card's menu shows the same as a table.`);
    if (nothing) return;
    view ??= makeView(host);
    await view.show(shown, figure.meta.best ?? bestOf(shown));
    showTable();
  }

  /** Fetches again soon: not while out of sight, and with pauses that grow with the effort. */
  function refresh() {
    isStale = true;
    if (!isVisible || document.hidden || timer) return;
    const wait = lastLoad + Math.max(REFRESH_MS, SHARE * cost) - performance.now();
    timer = setTimeout(load, Math.max(0, wait));
  }

  function showTable() {
    const place = $("[data-table]", section);
    if (!place.hidden) render(place, tableOf(figure.meta, title));
  }

  const actions = {
    again: load,
    table(button) {
      const place = $("[data-table]", section);
      place.hidden = !place.hidden;
      host.hidden = !place.hidden;
      button.lastElementChild.textContent = place.hidden ? "Show as table" : "Show as chart";
      if (figure) showTable();
      if (place.hidden) view?.resize();
    },
    csv() {
      const text = toCsv(figure.meta.table.columns, figure.meta.table.rows);
      save(new Blob([text], { type: "text/csv;charset=utf-8" }), `${fileName(title)}.csv`);
    },
    async png() {
      save(await view.png(), `${fileName(title)}.png`);
    },
    full() {
      if (document.fullscreenElement) document.exitFullscreen();
      else section.requestFullscreen();
    },
  };

  section.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    button.closest("details")?.removeAttribute("open");
    const needs = { csv: figure, png: view }[button.dataset.do];
    try {
      if (needs === null) toast("There is nothing to save yet.");
      else await actions[button.dataset.do]?.(button);
    } catch (error) {
      toast(error.message);
    }
  });

  for (const picker of pickers) {
    const key = `${name}.${picker.dataset.option}`;
    const asked = getParam(key);
    if (asked && [...picker.options].some((entry) => entry.value === asked)) picker.value = asked;
    picker.addEventListener("change", () => {
      replaceParams({ [key]: picker.value === picker.dataset.default ? "" : picker.value });
      load();
    });
  }

  new IntersectionObserver((entries) => {
    isVisible = entries[entries.length - 1].isIntersecting;
    if (isVisible && isStale) (figure ? refresh : load)();
  }, { rootMargin: "200px" }).observe(section);
  let width = 0;
  let height = 0;
  new ResizeObserver(([entry]) => {
    const box = entry.contentRect;
    if ((box.width === width && box.height === height) || !box.width) return;
    [width, height] = [box.width, box.height];
    view?.resize();
  }).observe(host);
  onTheme(() => view?.redraw());
  addEventListener("visibilitychange", () => isStale && refresh());
  $("[data-menu]", section).hidden = false;
  return { load, refresh, redraw, options, figure: () => figure, view: () => view };
}

/** The best run of a figure: the one in the trace called "best". */
function bestOf(figure) {
  const star = figure.data.find((trace) => trace.name === "best" && trace.customdata?.length);
  return star ? star.customdata[0] : null;
}
