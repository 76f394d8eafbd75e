// What is picked on parallel coordinates, for other pages: as a filter of the runs table, and as the
// search space of another sweep. Pure.
import { METRIC, shownAxis } from "./parallel_scales.js";

// What the runs table reads at most.
const LONGEST_FILTER = 1000;
const LONGEST_LIST = 100;
// Left around the runs where only the metric was narrowed, as a share of the axis.
const ROOM = 0.05;
const DIGITS = 6;

const isRange = (pick) => typeof pick !== "string";

/** A text as the filter takes it in one piece. */
export function quoted(text) {
  const isPlain = text !== "" && !/[\s",:<>=!\\]|\.\./.test(text)
    && (!text.startsWith("-") || text.startsWith("--")) && !["none", "any", "nan"].includes(text.toLowerCase());
  return isPlain ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

const written = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(DIGITS))) : "");

function rangeTerm(name, [low, high]) {
  if (low === -Infinity && high === Infinity) return `${name}:any`;
  if (low === -Infinity) return `${name}<=${written(high)}`;
  return high === Infinity ? `${name}>=${written(low)}` : `${name}:${written(low)}..${written(high)}`;
}

/** The options of a choice that the picks cover. */
function optionsIn(axis, picks) {
  return axis.options.filter((_, i) => picks.some((p) => isRange(p) && i >= p[0] && i <= p[1]));
}

/** Conditions for one axis; null when the filter has no words for it. */
function termsOf(axis, picks, name) {
  const rails = picks.filter((pick) => !isRange(pick));
  const ranges = picks.filter(isRange);
  if (rails.length) return ranges.length || axis.name === METRIC ? null : [`${name}:none`];
  if (axis.scale === "category") {
    const options = optionsIn(axis, picks);
    const arePlain = options.every((option) => ["string", "number"].includes(typeof option));
    return arePlain ? [`${name}=${options.map((o) => quoted(String(o))).join(",")}`] : null;
  }
  // The whole from the first to the last range, less what lies between them.
  const gaps = ranges.slice(1).map((range, i) => `-${rangeTerm(name, [ranges[i][1], range[0]])}`);
  return [rangeTerm(name, [ranges[0][0], ranges.at(-1)[1]]), ...gaps];
}

/**
 * The filter of the runs table that finds the runs inside, or "" when none says it. `metricName` is
 * the column of the metric's value, "" when there is none; `floor` the worst value of the top runs.
 */
export function filterOf(chart, { picks, hasRails, floor, isHigher, metricName }, inside) {
  const terms = [];
  const needsValue = !hasRails && floor === null && !picks.get(chart.last)?.length;
  let isSaid = (floor === null && !needsValue) || metricName !== "";
  for (const [column, list] of picks) {
    if (!list.length) continue;
    const axis = chart.axes[column];
    const name = axis.name === METRIC ? metricName : quoted(`params.${axis.name}`);
    const found = name ? termsOf(axis, list, name) : null;
    if (found) terms.push(...found);
    else isSaid = false;
  }
  if (needsValue && metricName) terms.push(`${metricName}:any`);
  if (floor !== null && metricName) terms.push(`${metricName}${isHigher ? ">=" : "<="}${floor}`);
  const said = isSaid ? terms.join(" ") : "";
  if (said && said.length <= LONGEST_FILTER) return said;
  const numbers = `number:${inside.map((row) => chart.numbers[row]).join(",")}`;
  return inside.length && numbers.length <= LONGEST_FILTER ? numbers : "";
}

/** Where the runs inside stand on an axis, with some room; open where that reaches its end. */
function spanOf(chart, axis, inside) {
  const shown = shownAxis(axis);
  let low = 1;
  let high = 0;
  for (const row of inside) {
    const unit = shown.place(chart.values[row * chart.columns + axis.column]);
    if (unit < low) low = unit;
    if (unit > high) high = unit;
  }
  if (low > high) return null;
  const ends = [low - ROOM <= 0 ? null : shown.value(low - ROOM), high + ROOM >= 1 ? null : shown.value(high + ROOM)];
  return ends[0] === null && ends[1] === null ? null : ends;
}

function keptOf(chart, axis, picks, inside, isNarrowed) {
  const ranges = picks.filter(isRange);
  if (axis.scale === "category") {
    const seen = new Set(inside.map((row) => Math.round(chart.values[row * chart.columns + axis.column])));
    const options = ranges.length ? optionsIn(axis, picks)
      : isNarrowed && axis.options.filter((_, i) => seen.has(i));
    return options && options.length < axis.options.length && options.length <= LONGEST_LIST
      && options.length ? options : null;
  }
  if (!ranges.length) return isNarrowed ? spanOf(chart, axis, inside) : null;
  const [low, high] = [ranges[0][0], ranges.at(-1)[1]];
  const ends = [low === -Infinity ? null : low, high === Infinity ? null : high];
  return ends[0] === null && ends[1] === null ? null : ends;
}

/**
 * The region as a search space: {name: [low, high] with null for an open end, or options}. An axis
 * with ranges gives its ranges, from the first to the last; where the metric was narrowed, others
 * give where the runs inside stand.
 */
export function regionOf(chart, { picks, top }, inside) {
  const isNarrowed = Boolean(inside.length && (top || picks.get(chart.last)?.some(isRange)));
  const region = {};
  for (const axis of chart.axes.slice(0, -1)) {
    const kept = keptOf(chart, axis, picks.get(axis.column) ?? [], inside, isNarrowed);
    if (!kept) continue;
    region[axis.name] = axis.scale === "category" ? kept
      : kept.map((end) => (end === null ? null : Number(end.toPrecision(DIGITS))));
  }
  return region;
}
