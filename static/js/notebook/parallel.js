// Parallel coordinates of the widget: the studio's own view, its list of axes, and what is picked.
import { createParallelView } from "../charts/parallel_coordinates.js";
import { readView, writeView } from "../charts/parallel_address.js";
import { mountAxisPanel } from "../charts/parallel_panel.js";
import { captionOf } from "../charts/parallel_picked.js";
import { $, html, render } from "../lib/dom.js";

/**
 * Mounts the chart in `section`. `narrow(numbers)` is told which runs are inside of all ranges (null:
 * all of them), `keep(state)` how the axes stand, as `writeView` writes it; `tipOf(run)` is markup.
 */
export function mountParallel(section, { selection, tip, tipOf, narrow, keep, state }) {
  const host = $("[data-plot]", section);
  const clear = $("[data-clear]", section);
  const details = $("[data-axes]", section);
  let view = null;
  let told = "null";
  let shown = null;

  function tell(found) {
    const { chart, state: { picks }, inside } = found;
    const numbers = picks.size ? inside.map((row) => chart.numbers[row]) : null;
    clear.hidden = numbers === null;
    $("[data-caption]", section).textContent = captionOf(found);
    const key = JSON.stringify(numbers);
    if (key === told) return;
    told = key;
    narrow(numbers);
  }

  const on = {
    change(found) {
      if (found.isDrag) return;
      tell(found);
      panel.paint();
      if (found.isFinal) keep(writeView(found.state, found.chart.axes));
    },
    options: (column) => panel.open(column),
  };
  const panel = mountAxisPanel(details, () => (view?.chart ? view : null));

  clear.addEventListener("click", () => {
    view.change({ picks: new Map() });
    $(".zone", section)?.focus({ preventScroll: true });
  });
  // A menu closes as menus do.
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    $("summary", details).focus();
  });
  section.getRootNode().addEventListener("click", (event) => {
    if (!details.contains(event.target)) details.open = false;
  });

  return {
    /** Shows a figure of the kernel; the same one again changes nothing. */
    async show({ sweep, figure, notes }) {
      if (!figure || figure === shown) return;
      shown = figure;
      const isEmpty = figure.best === null;
      const note = $("[data-note]", section);
      note.hidden = !isEmpty;
      host.classList.toggle("is-empty", isEmpty);
      if (isEmpty) {
        render(note, html`<p>No run has a value to draw yet.</p>`);
        return;
      }
      view ??= createParallelView(host, selection, {
        goal: sweep.goal, notes, on, read: (axes) => readView(state, axes),
        tip: { show: (event, run) => tip.show(event, tipOf(run)), hide: tip.hide },
      });
      await view.show({ meta: figure });
    },
    redraw: () => view?.redraw(),
    resize: () => view?.resize(),
  };
}
