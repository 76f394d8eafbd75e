// A chart on its card: fetches the figure when it comes into view and keeps it fresh. Does not know
// how charts are drawn.
import { getJson } from "../lib/api.js";
import { $, $$, html, render } from "../lib/dom.js";
import { pauseAfter, pauseAfterFailures, whenRested } from "../lib/pace.js";
import { getParam, mergeQuery, replaceParams } from "../lib/url_state.js";
import { decodeTraces } from "./arrays.js";
import { bindMenu } from "./card_menu.js";
import { onTheme } from "./colours.js";
import { bestOf, isEmpty } from "./figure_facts.js";
import { watchMost } from "./in_sight.js";
import { tableOf } from "./table.js";
import { takeTurn } from "./turns.js";

const REFRESH_MS = 3000;
// What is hardly seen follows when nothing has changed for a while, but is never older than that.
const HARDLY_SEEN = { rest: 3000, most: 30000 };

/**
 * @typedef {object} Hooks
 * @property {(host: HTMLElement) => object} makeView gives {show, resize, redraw, png}
 * @property {(figure: object) => object} [prepare] gives what differs from the server's figure
 * @property {(options: object, signal: AbortSignal) => Promise} [load] fetches what else is needed
 * @property {(option: string) => boolean} [isLocal] whether the server need not know of an option
 * @property {boolean} [isQuick] whether it draws itself: Plotly's charts come after those
 * @property {boolean} [isAwaited] whether it gets ready while there is nothing to draw yet
 * @property {boolean} [isHeavy] whether drawing it holds up others: hardly seen, it waits until they rest
 * @property {boolean} [isBare] whether the rows of its table come only when somebody wants them
 * @property {number} [pause] milliseconds between two requests of the same chart
 * @property {() => object} [extra] gives what is asked for beside the pickers
 * @property {(figure: object) => void} [onFigure] is told of every answer
 * @property {(figure: object) => void} [afterDraw] is told when it is drawn, or that it is empty
 * @property {(rows: Array[]) => Array[]} [rows] gives those rows of the table that are meant
 */
export class ChartCard {
  /** @param {HTMLElement} section @param {Hooks} hooks */
  constructor(section, hooks) {
    this.section = section;
    this.hooks = hooks;
    this.host = $("[data-plot]", section);
    this.title = $("h2", section).textContent;
    this.pickers = $$("select[data-option]", section);
    this.controls = $$("[data-local]", section);
    Object.assign(this, { tableShown: null, view: null, readied: null, figure: null, loading: null });
    Object.assign(this, { isVisible: false, isStale: true, timer: 0, lastLoad: 0, cost: 0, failures: 0 });
    this.hasRows = !hooks.isBare;
    this.isHardlySeen = false;
    this.refreshRested = whenRested(() => this.isStale && this.isInView() && this.load(), HARDLY_SEEN);
    this.pickers.forEach((picker) => this.bindPicker(picker));
    this.controls.forEach((control) => this.bindControl(control));
    bindMenu(this);
    this.watch();
  }

  bindPicker(picker) {
    const key = `${this.section.dataset.chart}.${picker.dataset.option}`;
    const asked = getParam(key);
    if ([...picker.options].some((entry) => entry.value === asked)) picker.value = asked;
    picker.addEventListener("change", () => {
      replaceParams({ [key]: picker.value === picker.dataset.default ? "" : picker.value });
      if (this.hooks.isLocal?.(picker.dataset.option)) this.redraw();
      else this.load();
    });
  }

  /** A control that only changes how things are drawn; it stands in the address like a picker. */
  bindControl(control) {
    const key = `${this.section.dataset.chart}.${control.dataset.local}`;
    const usual = control.value;
    const asked = getParam(key);
    const isKnown = control.tagName !== "SELECT" || [...control.options].some((o) => o.value === asked);
    if (asked && isKnown) control.value = asked;
    control.addEventListener("input", () => {
      replaceParams({ [key]: control.value === usual ? "" : control.value });
      this.redraw();
    });
  }

  watch() {
    new IntersectionObserver((entries) => {
      this.isVisible = entries[entries.length - 1].isIntersecting;
      if (this.isVisible && this.isStale) this.refresh();
    }, { rootMargin: "200px" }).observe(this.section);
    if (this.hooks.isHeavy) {
      watchMost(this.section, (isSeen) => {
        this.isHardlySeen = !isSeen;
        if (isSeen && this.isStale) this.refresh();
      });
    }
    let size = "";
    new ResizeObserver(([entry]) => {
      const { width, height } = entry.contentRect;
      if (!width || size === `${width} ${height}`) return;
      size = `${width} ${height}`;
      this.view?.resize();
    }).observe(this.host);
    onTheme(() => this.view?.redraw());
    addEventListener("visibilitychange", () => this.isStale && this.refresh());
  }

  /** The chosen options by name. */
  options() {
    return Object.fromEntries(this.pickers.map((picker) => [picker.dataset.option, picker.value]));
  }

  /** The values of the local controls by name. */
  locals() {
    return Object.fromEntries(this.controls.map((control) => [control.dataset.local, control.value]));
  }

  isInView() {
    return this.isVisible && !document.hidden;
  }

  /** Fetches again soon: not while out of sight, and with pauses that grow with the effort. */
  refresh() {
    this.isStale = true;
    if (!this.isInView() || this.timer) return;
    if (this.figure && this.isHardlySeen) {
      this.refreshRested();
      return;
    }
    const least = this.hooks.pause ?? REFRESH_MS;
    const pause = this.figure ? pauseAfter(least, this.cost) : 0;
    const wait = Math.max(0, this.lastLoad + pause - performance.now());
    this.timer = setTimeout(() => this.load(), wait);
  }

  /** Fetches the figure now and draws it. */
  async load() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.isStale = false;
    this.loading?.abort();
    const mine = new AbortController();
    this.loading = mine;
    const leave = this.figure ? null : await takeTurn(this.hooks.isQuick);
    const start = performance.now();
    try {
      const address = this.section.dataset.url + mergeQuery("", {
        ...this.options(), ...this.hooks.extra?.(), reading: getParam("reading"), step: getParam("step"),
        rows: this.hasRows ? "" : "0",
      });
      const [answer] = await Promise.all([
        getJson(address, { signal: mine.signal }), this.hooks.load?.(this.options(), mine.signal),
      ]);
      this.figure = { ...answer, data: decodeTraces(answer.data) };
      this.hooks.onFigure?.(this.figure);
      this.addChoices();
      await this.redraw();
      this.failures = 0;
    } catch (error) {
      if (error.name === "AbortError") return;
      this.note(html`<p>This chart could not be loaded. ${error.message}</p><button class="btn s"
        type="button" data-do="again">Try again</button>`);
      this.retryLater(error.status);
    } finally {
      leave?.();
      // The first time counts what is loaded once: Plotly.
      this.cost = leave ? 0 : performance.now() - start;
      this.lastLoad = performance.now();
    }
  }

  /** What the server could not answer, this time, is asked for again when it is in sight. */
  retryLater(status) {
    if (!(status === 0 || status === 429 || status >= 500)) return;
    this.failures += 1;
    this.isStale = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.refresh();
    }, pauseAfterFailures(this.failures));
  }

  /** Metrics that were first logged after the page was made appear in their picker. */
  addChoices() {
    for (const option of this.figure.meta.options ?? []) {
      const picker = this.pickers.find((other) => other.dataset.option === option.name);
      const known = new Set([...(picker?.options ?? [])].map((entry) => entry.value));
      const missing = option.choices.filter(([value]) => picker && !known.has(value));
      for (const [value, label] of missing) picker.add(new Option(label, value));
    }
  }

  /** Draws what is known, after the hooks had a look at it. */
  async redraw() {
    if (!this.figure) return;
    const { prepare, makeView } = this.hooks;
    const shown = prepare ? { ...this.figure, ...prepare(this.figure) } : this.figure;
    const nothing = isEmpty(shown);
    this.note(nothing && html`<p>${this.figure.meta.note || "No run with a value to draw."}</p>`);
    this.host.classList.toggle("is-empty", nothing);
    $("[data-caption]", this.section).textContent = shown.meta.caption ?? "";
    this.host.setAttribute("aria-label", `${this.title}. ${this.figure.meta.summary}. `
      + "The menu of the card shows the same as a table.");
    this.showTable();
    if (nothing) await this.getReady(shown);
    else {
      this.view ??= this.readied ?? makeView(this.host);
      await this.view.show(shown, shown.meta.best ?? bestOf(shown));
    }
    this.hooks.afterDraw?.(this.figure);
  }

  async getReady(shown) {
    if (this.view || this.readied || !this.hooks.isAwaited) return;
    this.readied = this.hooks.makeView(this.host);
    await this.readied.getReady?.(shown);
  }

  note(markup) {
    const place = $("[data-note]", this.section);
    place.hidden = !markup;
    if (markup) render(place, markup);
  }

  /** The rows behind the chart; a hook may narrow them. */
  table() {
    const { table } = this.figure.meta;
    if (!this.hooks.rows) return table;
    const rows = this.hooks.rows(table.rows);
    return rows === table.rows ? table : { ...table, rows, total: rows.length };
  }

  /** Fetches the rows of the table, where the figure came without. */
  async needRows() {
    if (this.hasRows) return;
    this.hasRows = true;
    await this.load();
  }

  showTable() {
    const place = $("[data-table]", this.section);
    if (place.hidden || !this.figure) return;
    const table = this.table();
    // Lines grow several times a second, the rows do not.
    if (table === this.tableShown) return;
    this.tableShown = table;
    render(place, tableOf({ ...this.figure.meta, table }, this.title));
  }
}
