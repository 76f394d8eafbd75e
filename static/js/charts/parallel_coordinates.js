// Parallel coordinates: our own renderer, because Plotly's has no hover, no line on top, no keyboard
// and neither log nor category axes. Canvas for lines, SVG for axes.
import { formatMetric, formatParam } from "../lib/format.js";
import { decode, decodeMatrix } from "./arrays.js";
import { token } from "./colours.js";
import { createAxes } from "./parallel_axes.js";
import {
  frameOf, nearestRow, rangeText, readView, rowsInside, writeView,
} from "./parallel_geometry.js";
import { createLines } from "./parallel_lines.js";
import { drawPicture } from "./picture.js";

const NAME = "parallel_coordinates";
let made = 0;

function readFigure(meta, gradient) {
  const units = decodeMatrix(meta.lines.units);
  const { numbers } = meta.lines;
  units.rows = numbers.length;
  const goodness = Array.from(decode(meta.lines.goodness), (share) => share ?? NaN);
  const columns = meta.axes.length;
  return {
    axes: meta.axes.map((axis, column) => ({ ...axis, column, gradient })),
    units,
    numbers,
    groups: meta.lines.state,
    goodness,
    // Runs without a value of the metric are counted in the caption instead.
    drawn: numbers.map((_, row) => row).filter((row) => !Number.isNaN(goodness[row])),
    hasMissing: numbers.some((_, row) => !Number.isNaN(goodness[row])
      && units.subarray(row * columns, (row + 1) * columns).some(Number.isNaN)),
    rowOf: new Map(numbers.map((number, row) => [number, row])),
    best: meta.best,
    decimals: meta.decimals,
  };
}

/**
 * A view of the chart. `onInside(runs)` gets the numbers of the runs inside all ranges, or null when
 * there is no range; `tip` shows a run beside the pointer; `address` reads and writes the view.
 */
export function createParallelView(host, selection, { goal, notes, onInside, tip, address }) {
  made += 1;
  const gradient = `pc-scale-${made}`;
  const box = document.createElement("div");
  box.className = "pc";
  host.append(box);
  const lines = createLines(box);
  const axes = createAxes(box, { onOrder, onRange, say });
  let chart = null;
  let order = [];
  let ranges = new Map();
  let inside = [];
  let lastInside = null;

  const row = (run) => chart.rowOf.get(run) ?? -1;
  const format = (axis) => (value) =>
    (axis.name === "__metric" && chart.decimals !== null
      ? formatMetric(value, chart.decimals) : formatParam(value, 3));

  function say(axis, range) {
    return rangeText(axis, range, format(axis));
  }

  function layOut() {
    chart.frame = frameOf({
      width: host.clientWidth, height: host.clientHeight, count: order.length,
      hasMissing: chart.hasMissing,
    });
    chart.order = order;
    box.style.width = `${chart.frame.width}px`;
    axes.draw({
      axes: chart.axes, order, ranges, frame: chart.frame, isTurned: goal === "minimize",
      noteOf: (axis) => (axis.name === "__metric" ? "best value" : (notes[axis.name] ?? "")),
    });
  }

  function drawTop() {
    if (!chart?.frame) return;
    const seen = (run) => (chart.drawn.includes(row(run)) ? row(run) : -1);
    lines.drawTop(chart, {
      best: chart.best === null ? -1 : row(chart.best),
      pins: selection.pins.map(seen),
      highlighted: selection.run === null ? -1 : seen(selection.run),
    });
  }

  function filter() {
    const all = new Set(rowsInside(chart.units, ranges));
    inside = chart.drawn.filter((r) => all.has(r));
    const runs = ranges.size ? inside.map((r) => chart.numbers[r]) : null;
    const key = JSON.stringify(runs);
    if (key !== lastInside) {
      lastInside = key;
      onInside(runs);
    }
  }

  function draw() {
    if (!chart || !host.clientWidth) return;
    layOut();
    filter();
    lines.drawAll(chart, inside);
    drawTop();
  }

  function remember() {
    address.write(writeView(order, ranges, chart.axes.length));
  }

  function onOrder(next) {
    order = next;
    draw();
    remember();
  }

  function onRange(column, range) {
    if (range) ranges.set(column, range);
    else if (!ranges.delete(column)) return;
    axes.showRanges(ranges);
    filter();
    lines.drawAll(chart, inside);
    drawTop();
    remember();
  }

  function pointed(event) {
    const rect = box.getBoundingClientRect();
    const [x, y] = [event.clientX - rect.left, event.clientY - rect.top];
    const found = nearestRow(chart.frame, chart.units, order, inside, x, y);
    return found < 0 ? null : chart.numbers[found];
  }

  box.addEventListener("pointermove", (event) => {
    if (!chart || axes.isDragging) return;
    const run = event.target.closest(".zone, .lab") ? null : pointed(event);
    box.classList.toggle("is-over", run !== null);
    selection.hover(run, NAME);
    if (run === null) tip.hide();
    else tip.show(event, run);
  });
  box.addEventListener("pointerleave", () => {
    if (axes.isDragging) return;
    selection.hover(null, NAME);
    tip.hide();
  });
  box.addEventListener("click", (event) => {
    if (!chart || event.target.closest(".zone, .lab")) return;
    const run = pointed(event);
    if (run !== null) selection.pin(run, NAME);
  });
  selection.subscribe(drawTop);

  return {
    async show(figure) {
      const isFirst = chart === null;
      const next = readFigure(figure.meta, gradient);
      if (isFirst || next.axes.length !== chart.axes.length) {
        ({ order, ranges } = readView(address.read(), next.axes.length));
      }
      // An axis on the move keeps its shape; the next answer comes soon enough.
      if (axes.isDragging) return;
      chart = next;
      draw();
    },
    resize: draw,
    redraw: draw,
    png: () => drawPicture(lines.canvases, axes.svg, token("surface")),
    clear() {
      ranges = new Map();
      draw();
      remember();
    },
  };
}
