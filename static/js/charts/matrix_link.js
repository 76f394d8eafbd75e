// A pair of parameters that is clicked in the matrix of maps is shown run by run in the 2-D scatter.
import { $ } from "../lib/dom.js";

/** The parameter whose block holds a place on an axis of the matrix; `blocks` are [name, from, to). */
export function parameterAt(blocks, place) {
  return blocks.find(([, from, to]) => place >= from && place < to)?.[0] ?? null;
}

/** Lets clicks in the matrix choose the axes of the scatter. */
export function linkPairs(matrix, scatter) {
  const host = $("[data-plot]", matrix);

  function choose(axis, name) {
    const picker = $(`select[data-option="${axis}"]`, scatter);
    if (![...picker.options].some((option) => option.value === name)) return;
    picker.value = name;
    picker.dispatchEvent(new Event("change"));
  }

  function show(event) {
    const cell = event.points?.[0];
    const blocks = cell?.data?.meta;
    if (!blocks) return;
    const [x, y] = [parameterAt(blocks, cell.x), parameterAt(blocks, cell.y)];
    if (!x || !y) return;
    choose("x", x);
    choose("y", x === y ? "__metric" : y);
    scatter.scrollIntoView({ block: "nearest" });
  }

  // Plotly adds `on` to its element with the first drawing.
  new MutationObserver((_, observer) => {
    const plot = $(".plot.js-plotly-plot", host);
    if (!plot?.on) return;
    observer.disconnect();
    plot.on("plotly_click", show);
  }).observe(host, { subtree: true, childList: true, attributes: true, attributeFilter: ["class"] });
}
