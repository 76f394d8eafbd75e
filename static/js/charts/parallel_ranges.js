// What is picked on the axes: ranges of values, categories, rails; several on one axis are joined
// with "or", axes with "and". Pure.
import { railOf } from "./parallel_figure.js";
import { valueText } from "./parallel_scales.js";

/**
 * @typedef {[number, number] | string} Pick a range of values, its ends infinite where it is open,
 * or the name of a rail; of categories from the first - 0.5 to the last + 0.5
 */

const isRange = (pick) => typeof pick !== "string";

/** The picks of one axis in order, with ranges that touch joined; rails last, each once. */
export function merged(picks) {
  const ranges = picks.filter(isRange).map(([a, b]) => [Math.min(a, b), Math.max(a, b)])
    .sort((a, b) => a[0] - b[0]);
  const joined = [];
  for (const range of ranges) {
    const before = joined.at(-1);
    if (before && range[0] <= before[1]) before[1] = Math.max(before[1], range[1]);
    else joined.push(range);
  }
  return [...joined, ...new Set(picks.filter((pick) => !isRange(pick)))];
}

/** The range between two places of an axis; open at its ends, whole categories. */
export function rangeBetween(axis, shown, from, to) {
  const [low, high] = [shown.value(from), shown.value(to)].sort((a, b) => a - b);
  if (axis.scale === "category") {
    const last = axis.values.length - 1;
    const clip = (value) => Math.min(last, Math.max(0, Math.round(value)));
    // An end in the middle between two categories belongs to the one inside.
    const first = clip(low + 1e-6);
    return [first - 0.5, Math.max(first, clip(high - 1e-6)) + 0.5];
  }
  const isAtStart = (shown.isFlipped ? Math.max(from, to) === 1 : Math.min(from, to) === 0);
  const isAtEnd = (shown.isFlipped ? Math.min(from, to) === 0 : Math.max(from, to) === 1);
  return [isAtStart ? -Infinity : low, isAtEnd ? Infinity : high];
}

/** Whether a range leaves nothing out that has a value. */
export function isWhole(axis, [low, high]) {
  return axis.scale === "category"
    ? low < 0 && high > axis.values.length - 1 : low === -Infinity && high === Infinity;
}

/** The places of a range on the shown axis: [lower, upper]. */
export function placesOf(shown, [low, high]) {
  return [shown.place(low), shown.place(high)].sort((a, b) => a - b);
}

/** Adds a category to the picks, or takes it out. */
export function toggledCategory(axis, picks, value) {
  const rails = picks.filter((pick) => !isRange(pick));
  const chosen = axis.values.map((_, i) => passes(i, "", picks));
  chosen[value] = !chosen[value];
  const ranges = chosen.flatMap((is, i) => (is ? [[i - 0.5, i + 0.5]] : []));
  return merged([...ranges, ...rails]);
}

/** Adds a rail to the picks, or takes it out. */
export function toggledRail(picks, rail) {
  return picks.includes(rail) ? picks.filter((pick) => pick !== rail) : [...picks, rail];
}

/** The largest part of an axis without a range, as [from, to] in places; its middle half. */
export function freePlace(shown, picks) {
  const taken = picks.filter(isRange).map((range) => placesOf(shown, range)).sort((a, b) => a[0] - b[0]);
  let best = [0, 0];
  let end = 0;
  for (const [from, to] of [...taken, [1, 1]]) {
    if (from - end > best[1] - best[0]) best = [end, from];
    end = Math.max(end, to);
  }
  const quarter = (best[1] - best[0]) / 4;
  return [best[0] + quarter, best[1] - quarter];
}

/** Whether a value, or the rail of a missing one, lies within any of the picks. */
export function passes(value, rail, picks) {
  for (const pick of picks) {
    if (isRange(pick) ? value >= pick[0] && value <= pick[1] : pick === rail && Number.isNaN(value)) {
      return true;
    }
  }
  return false;
}

/** Those of `rows` inside the picks of every axis; `picks` maps columns to lists of picks. */
export function rowsInside(chart, picks, rows) {
  const wanted = [...picks].filter(([, list]) => list.length);
  return rows.filter((row) => wanted.every(([column, list]) => {
    const value = chart.values[row * chart.columns + column];
    return passes(value, Number.isNaN(value) ? railOf(chart, row, column) : "", list);
  }));
}

/** One pick in words: "0.001 to 0.1", "from 0.9", "adam, sgd", "n/a". */
export function pickText(axis, pick, decimals) {
  if (!isRange(pick)) return pick;
  const [low, high] = pick;
  if (axis.scale === "category") {
    return axis.values.filter((_, i) => i >= low && i <= high).join(", ") || "no value";
  }
  const text = (value) => valueText(axis, value, decimals);
  if (low === -Infinity) return high === Infinity ? "any value" : `up to ${text(high)}`;
  return high === Infinity ? `from ${text(low)}` : `${text(low)} to ${text(high)}`;
}

/** All picks of an axis in words. */
export function picksText(axis, picks, decimals) {
  return picks.map((pick) => pickText(axis, pick, decimals)).join(" or ");
}
