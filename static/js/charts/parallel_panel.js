// The list of axes of parallel coordinates: which are shown, in which order, direction and scale.
// Everything that dragging does, for keys and fingers.
import { $, focusedIn, html, icon, render } from "../lib/dom.js";
import { moved } from "./parallel_geometry.js";
import { canBeLog, METRIC } from "./parallel_scales.js";

function toggle(name, text, isOn, label, isOff = false) {
  return html`<button class="btn s ghost" type="button" data-axis-do="${name}" aria-pressed="${
    String(isOn)}" aria-label="${label}" title="${label}"${isOff ? html` disabled` : ""}>${text}</button>`;
}

function rowMarkup(axis, { isShown, isOnly, setting, place, count }) {
  const isMetric = axis.name === METRIC;
  const isLog = (setting.scale ?? axis.scale) === "log";
  const what = axis.label;
  const logText = canBeLog(axis, setting) ? `Log scale for ${what}` : `${what} has values of 0 or below: no log scale`;
  return html`<li data-column="${axis.column}">
    <label class="check"><input type="checkbox" data-axis-show${isShown ? html` checked` : ""}${
      isMetric || isOnly ? html` disabled` : ""}><span class="key clip" title="${what}">${what}</span></label>
    ${isMetric && axis.full && toggle("full", "full range", setting.isFull === true,
      `${what} from its worst to its best value`)}
    ${axis.scale !== "category" && toggle("log", "log", isLog, logText, !canBeLog(axis, setting) && !isLog)}
    ${toggle("flip", "flip", setting.isFlipped === true, `Turn ${what} round`)}
    ${!isMetric && html`<button class="btn s ghost icon" type="button" data-axis-do="up" aria-label="Move ${
      what} to the left"${isShown && place > 0 ? "" : html` disabled`}>${icon("left")}</button>
    <button class="btn s ghost icon" type="button" data-axis-do="down" aria-label="Move ${
      what} to the right"${isShown && place < count - 1 ? "" : html` disabled`}>${icon("right")}</button>`}</li>`;
}

/** Where a hidden axis goes when it is shown again: behind those that the sweep has before it. */
function withColumn(order, column) {
  const params = order.slice(0, -1);
  let at = 0;
  params.forEach((other, place) => {
    if (other < column) at = place + 1;
  });
  return [...params.slice(0, at), column, ...params.slice(at), order.at(-1)];
}

/**
 * Mounts the list in `details`. `view()` gives the chart's view, null before there is one. Returns
 * {paint, open(column)}.
 */
export function mountAxisPanel(details, view) {
  const host = $("[data-axis-list]", details);

  function paint() {
    const { chart, state } = view() ?? {};
    if (!details.open || !chart) return;
    const focused = focusedIn(host);
    const column = focused?.closest("[data-column]")?.dataset.column;
    const key = focused?.dataset.axisDo ? `[data-axis-do="${focused.dataset.axisDo}"]` : "input";
    const shown = state.order.slice(0, -1);
    const hidden = chart.axes.slice(0, -1).map((axis) => axis.column).filter((c) => !shown.includes(c));
    render(host, html`${[...shown, ...hidden, chart.last].map((c) => rowMarkup(chart.axes[c], {
      isShown: state.order.includes(c), isOnly: shown.length === 1 && shown[0] === c,
      setting: state.settings.get(c) ?? {}, place: shown.indexOf(c), count: shown.length,
    }))}`);
    $("[data-axes-all]", details).disabled = !hidden.length;
    if (column !== undefined) focusRow(column, key);
  }

  function focusRow(column, key) {
    const row = $(`[data-column="${column}"]`, host);
    const wanted = $(`${key}:not([disabled])`, row) ?? $("input:not([disabled]), button:not([disabled])", row);
    wanted?.focus();
    row?.scrollIntoView({ block: "nearest" });
  }

  function set(column, parts) {
    const { state } = view();
    const settings = new Map(state.settings);
    settings.set(column, { ...settings.get(column), ...parts });
    view().change({ settings });
  }

  function act(name, column) {
    const { chart, state } = view();
    const axis = chart.axes[column];
    const setting = state.settings.get(column) ?? {};
    const from = state.order.indexOf(column);
    if (name === "flip") set(column, { isFlipped: !setting.isFlipped });
    if (name === "full") set(column, { isFull: !setting.isFull });
    if (name === "log") {
      const isLog = (setting.scale ?? axis.scale) === "log";
      const scale = isLog ? "linear" : "log";
      set(column, { scale: scale === axis.scale ? undefined : scale });
    }
    if (name === "up") view().change({ order: moved(state.order, from, from - 1) });
    if (name === "down") view().change({ order: moved(state.order, from, from + 1) });
    paint();
  }

  details.addEventListener("toggle", paint);
  details.addEventListener("click", (event) => {
    if (!view()) return;
    // The rows are made anew: to the page the click would be one beside the menu, which closes it.
    if (host.contains(event.target)) event.stopPropagation();
    const button = event.target.closest("button");
    const all = view().chart?.axes.map((axis) => axis.column);
    if (button?.dataset.axisDo) act(button.dataset.axisDo, Number(button.closest("li").dataset.column));
    else if (button?.hasAttribute("data-axes-all")) {
      const hidden = all.filter((column) => !view().state.order.includes(column));
      view().change({ order: hidden.reduce(withColumn, view().state.order) });
    } else if (button?.hasAttribute("data-axes-reset")) view().change({ order: all, settings: new Map() });
    else return;
    paint();
  });
  details.addEventListener("change", (event) => {
    if (!event.target.matches("[data-axis-show]")) return;
    const column = Number(event.target.closest("li").dataset.column);
    const { order } = view().state;
    view().change({
      order: event.target.checked ? withColumn(order, column) : order.filter((c) => c !== column),
    });
    paint();
  });
  return {
    paint,
    open(column) {
      details.open = true;
      paint();
      focusRow(column, "button");
    },
  };
}
