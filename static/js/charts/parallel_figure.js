// A figure of parallel coordinates as the page works with it: values in real units, rails for runs
// without one, which runs have a value. Pure.
import { decode, decodeMatrix } from "./arrays.js";
import { METRIC, shownAxis } from "./parallel_scales.js";

export const NOT_GIVEN = "n/a";
export const FAILED = "failed";
export const NO_VALUE = "no value";

function metricRange(values) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low < high ? [low, high] : null;
}

/** Values of all runs, `(rows, columns)`: a category counts from 0, NaN is missing. */
function valuesOf(axes, units, metric) {
  const columns = axes.length;
  const values = Float64Array.from(units);
  axes.forEach((axis, column) => {
    const { value } = axis.name === METRIC ? {} : shownAxis(axis);
    for (let row = 0; row < metric.length; row += 1) {
      const at = row * columns + column;
      values[at] = value ? value(units[at]) : metric[row];
    }
  });
  return values;
}

/** Reads the figure's `meta`; rows stand worst first, those without a value before all others. */
export function readFigure(meta) {
  const { numbers, state } = meta.lines;
  const metric = Float64Array.from(decode(meta.lines.metric), (value) => value ?? NaN);
  const goodness = Float64Array.from(decode(meta.lines.goodness), (share) => share ?? NaN);
  const axes = meta.axes.map((axis, column) => ({ ...axis, column }));
  const last = axes.length - 1;
  axes[last].full = metricRange(metric);
  const values = valuesOf(axes, decodeMatrix(meta.lines.units), metric);
  const all = numbers.map((_, row) => row);
  return {
    axes,
    last,
    columns: axes.length,
    rows: numbers.length,
    numbers,
    groups: state,
    reasons: numbers.map((number) => meta.absent?.[number] ?? ""),
    goodness,
    values,
    valued: all.filter((row) => !Number.isNaN(metric[row])),
    valueless: all.filter((row) => Number.isNaN(metric[row])),
    rowOf: new Map(numbers.map((number, row) => [number, row])),
    best: meta.best,
    decimals: meta.decimals,
  };
}

/** The rail that a run without a value of this column stands on. */
export function railOf(chart, row, column) {
  if (column !== chart.last) return NOT_GIVEN;
  return chart.groups[row] === FAILED ? FAILED : NO_VALUE;
}

/** The rails that an axis needs for these rows, uppermost first. */
export function railsOf(chart, rows, column) {
  const found = new Set();
  for (const row of rows) {
    if (Number.isNaN(chart.values[row * chart.columns + column])) found.add(railOf(chart, row, column));
  }
  return [NOT_GIVEN, FAILED, NO_VALUE].filter((name) => found.has(name));
}

/**
 * Where all runs stand on the shown axes, `(rows, columns)`: 0..1, and -1, -2 on rails. `axes` are
 * shown axes and `rails` the names of rails, both by column.
 */
export function layUnits(chart, axes, rails) {
  const units = new Float32Array(chart.values.length);
  units.rows = chart.rows;
  for (let column = 0; column < chart.columns; column += 1) {
    const { place } = axes[column];
    for (let row = 0; row < chart.rows; row += 1) {
      const at = row * chart.columns + column;
      const unit = place(chart.values[at]);
      units[at] = Number.isNaN(unit)
        ? -1 - Math.max(0, rails[column].indexOf(railOf(chart, row, column))) : unit;
    }
  }
  return units;
}

/** Why these runs have no value, in words: "9 failed", "3 no metric". */
export function reasonsOf(chart, rows) {
  const counts = new Map();
  for (const row of rows) counts.set(chart.reasons[row], (counts.get(chart.reasons[row]) ?? 0) + 1);
  const order = [FAILED, "canceled", "no metric", "waiting"].filter((reason) => counts.has(reason));
  return [...new Set([...order, ...counts.keys()])].map((reason) => `${counts.get(reason)} ${reason}`);
}
