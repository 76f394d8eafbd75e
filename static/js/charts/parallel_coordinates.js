// Parallel coordinates: our own renderer, because Plotly's has no hover, no line on top, no keyboard
// and neither log nor category axes. Canvas for lines, SVG for axes.
import { token } from "./colours.js";
import { plainView } from "./parallel_address.js";
import { createAxes } from "./parallel_axes.js";
import { bindBrush } from "./parallel_brush.js";
import { layUnits, railsOf, readFigure } from "./parallel_figure.js";
import { frameOf, nearestRow } from "./parallel_geometry.js";
import { createLines } from "./parallel_lines.js";
import { rowsInside } from "./parallel_ranges.js";
import { shownAxis } from "./parallel_scales.js";
import { drawPicture } from "./picture.js";

const NAME = "parallel_coordinates";
let made = 0;

/** The rows that are drawn at all: the best ones, and those without a value where wanted. */
function shownRows(chart, { top, hasRails }) {
  if (top && top < chart.valued.length) return chart.valued.slice(-top);
  return hasRails ? [...chart.valueless, ...chart.valued] : chart.valued;
}

/**
 * A view of the chart. `on.change({chart, state, shown, inside, isFinal})` is told what is drawn and
 * what of it is inside all ranges; `on.options(column)` that somebody asks for the options of an axis.
 * `read(axes)` gives the state to begin with; `tip` shows a run beside the pointer; `notes` has what
 * stands below the names of axes.
 */
export function createParallelView(host, selection, { goal, notes, on, read, tip }) {
  made += 1;
  const gradient = `pc-scale-${made}`;
  const box = document.createElement("div");
  box.className = "pc";
  host.append(box);
  const lines = createLines(box);
  const axes = createAxes(box);
  let chart = null;
  let state = plainView(0);
  let drawing = null;
  let frameAsked = 0;

  const brush = bindBrush(box, () => ({
    frame: drawing.frame, axes: chart.axes, shown: drawing.axes, order: state.order,
    picks: state.picks, svg: axes.svg,
  }), {
    picks(column, picks, isFinal) {
      const next = new Map(state.picks);
      if (picks.length) next.set(column, picks);
      else next.delete(column);
      state = { ...state, picks: next };
      axes.showPicks(next);
      if (isFinal) fill(true);
      else frameAsked ||= requestAnimationFrame(() => fill(false));
    },
    order: (order) => change({ order }),
    options: (column) => on.options(column),
    hide: (column) => change({ order: state.order.filter((other) => other !== column) }),
  });

  /** Where everything stands: again when the figure, the size or the axes change. */
  function layOut() {
    const shown = shownRows(chart, state);
    const shownAxes = chart.axes.map(
      (axis) => shownAxis(axis, state.settings.get(axis.column), chart.decimals),
    );
    // Without any value the metric has no scale to speak of.
    if (!chart.valued.length) shownAxes[chart.last].ticks = [];
    const rails = chart.axes.map(({ column }) => railsOf(chart, shown, column));
    const frame = frameOf({
      width: host.clientWidth, height: host.clientHeight, count: state.order.length,
      rails: Math.max(...state.order.map((column) => rails[column].length)),
    });
    drawing = {
      chart, frame, shown, axes: shownAxes, order: state.order, inside: shown,
      units: layUnits(chart, shownAxes, rails), isShown: new Set(shown),
    };
    box.style.width = `${frame.width}px`;
    axes.draw({
      axes: chart.axes, shown: shownAxes, rails, order: state.order, picks: state.picks, frame,
      gradient, note: notes, decimals: chart.decimals,
      isTurned: (goal === "minimize") !== shownAxes[chart.last].isFlipped,
    });
  }

  /** Draws the lines, and tells which of them are inside. */
  function fill(isFinal) {
    cancelAnimationFrame(frameAsked);
    frameAsked = 0;
    if (!drawing) return;
    drawing.inside = rowsInside(chart, state.picks, drawing.shown);
    lines.drawAll(drawing);
    drawTop();
    on.change({
      chart, state, shown: drawing.shown, inside: drawing.inside, isFinal, isDrag: brush.isDragging,
    });
  }

  function drawTop() {
    if (!drawing) return;
    const seen = (run) => {
      const row = chart.rowOf.get(run) ?? -1;
      return drawing.isShown.has(row) || !Number.isNaN(chart.goodness[row]) ? row : -1;
    };
    lines.drawTop(drawing, {
      best: chart.best === null ? -1 : seen(chart.best),
      pins: selection.pins.map(seen),
      highlighted: selection.run === null ? -1 : seen(selection.run),
    });
  }

  function draw(isFinal = false) {
    if (!chart || !host.clientWidth) return;
    layOut();
    fill(isFinal);
  }

  /** Takes over another state, or parts of it. */
  function change(parts) {
    const params = (parts.order ?? state.order).length - 1;
    if (params < 1) return;
    state = { ...state, ...parts };
    draw(true);
  }

  function pointed(event) {
    const rect = box.getBoundingClientRect();
    const [x, y] = [event.clientX - rect.left, event.clientY - rect.top];
    const found = nearestRow(drawing.frame, drawing.units, state.order, drawing.inside, x, y);
    return found < 0 ? null : chart.numbers[found];
  }

  const isOnAxis = (event) => event.target.closest(".zone, .range, .lab, .rail") !== null;
  function point(event) {
    if (!drawing || brush.isDragging) return;
    const run = isOnAxis(event) ? null : pointed(event);
    box.classList.toggle("is-over", run !== null);
    selection.hover(run, NAME);
    if (run === null) tip.hide();
    else tip.show(event, run);
  }
  box.addEventListener("pointermove", point);
  // A finger does not move before it is down.
  box.addEventListener("pointerdown", (event) => event.pointerType !== "mouse" && point(event));
  box.addEventListener("pointerleave", () => {
    if (brush.isDragging) return;
    selection.hover(null, NAME);
    tip.hide();
  });
  box.addEventListener("click", (event) => {
    // The end of a drag is no click; and it may have opened a menu, which a click beside it closes.
    if (brush.isOwnClick) event.stopPropagation();
    if (!drawing || brush.isOwnClick || isOnAxis(event)) return;
    const run = pointed(event);
    if (run !== null) selection.pin(run, NAME);
  });
  selection.subscribe(drawTop);

  return {
    async show(figure) {
      // An axis on the move keeps its shape; the next answer comes soon enough.
      if (brush.isDragging) return;
      const next = readFigure(figure.meta);
      if (chart === null || next.columns !== chart.columns) state = read(next.axes);
      chart = next;
      draw();
    },
    resize: () => draw(),
    redraw() {
      lines.forget();
      draw();
    },
    png: () => drawPicture(lines.canvases, axes.svg, token("surface")),
    change,
    get state() {
      return state;
    },
    get chart() {
      return chart;
    },
  };
}
