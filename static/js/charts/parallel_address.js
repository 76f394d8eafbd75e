// A view of parallel coordinates as it stands in the address: axes, what is picked on them, how many
// runs are drawn. Pure.
import { NOT_GIVEN, FAILED, NO_VALUE } from "./parallel_figure.js";
import { merged } from "./parallel_ranges.js";

const METRIC_KEY = "m";
const RAILS = { na: NOT_GIVEN, failed: FAILED, none: NO_VALUE };
const AXIS = /^(m|\d+)(f?)(log|lin|)(full|)$/;
const PICK = /^(m|\d+):(.*)$/;
const SCALES = { log: "log", lin: "linear" };
const DIGITS = 6;

/**
 * @typedef {object} View
 * @property {number[]} order the columns that are shown, the metric's last
 * @property {Map<number, object>} settings of axes, by column
 * @property {Map<number, Array>} picks by column
 * @property {number} top how many of the best runs are drawn; 0: all
 * @property {boolean} hasRails whether runs without a value are drawn
 */

/** The view of a sweep with so many axes that nobody has changed. @returns {View} */
export function plainView(count) {
  return {
    order: Array.from({ length: count }, (_, column) => column),
    settings: new Map(), picks: new Map(), top: 0, hasRails: false,
  };
}

const short = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(DIGITS))) : "");

function pickToken(key, pick, isCategory) {
  if (typeof pick === "string") {
    return `${key}:${Object.keys(RAILS).find((word) => RAILS[word] === pick)}`;
  }
  const [low, high] = isCategory ? [pick[0] + 0.5, pick[1] - 0.5] : pick;
  return `${key}:${short(low)}..${short(high)}`;
}

/** The view as values of the address; what is plain is empty. */
export function writeView({ order, settings, picks, top, hasRails }, axes) {
  const last = axes.length - 1;
  const key = (column) => (column === last ? METRIC_KEY : String(column));
  const token = (column) => {
    const { isFlipped, scale, isFull } = settings.get(column) ?? {};
    const kind = Object.keys(SCALES).find((word) => SCALES[word] === scale) ?? "";
    return `${key(column)}${isFlipped ? "f" : ""}${kind}${isFull ? "full" : ""}`;
  };
  const tokens = order.map(token);
  const isPlain = order.length === axes.length
    && order.every((column, place) => column === place && token(column) === key(column));
  if (tokens.at(-1) === METRIC_KEY) tokens.pop();
  return {
    axes: isPlain ? "" : tokens.join(","),
    ranges: [...picks].flatMap(([column, list]) => list.map(
      (pick) => pickToken(key(column), pick, axes[column].scale === "category"),
    )).join(","),
    top: top || "",
    rails: hasRails ? "1" : "",
  };
}

function readAxes(text, axes, view) {
  const last = axes.length - 1;
  const order = [];
  for (const token of text.split(",").filter(Boolean)) {
    const found = AXIS.exec(token);
    const column = found?.[1] === METRIC_KEY ? last : Number(found?.[1] ?? -1);
    if (!found || column >= axes.length || column < 0 || order.includes(column)) return;
    order.push(column);
    const setting = {};
    if (found[2]) setting.isFlipped = true;
    if (found[3]) setting.scale = SCALES[found[3]];
    if (found[4] && column === last) setting.isFull = true;
    if (Object.keys(setting).length) view.settings.set(column, setting);
  }
  const params = order.filter((column) => column !== last);
  if (params.length) view.order = [...params, last];
}

function readPick(text, axis) {
  if (text in RAILS) return RAILS[text];
  const ends = text.split("..");
  if (ends.length !== 2) return null;
  const isCategory = axis.scale === "category";
  const low = ends[0] === "" ? -Infinity : Number(ends[0]);
  const high = ends[1] === "" ? Infinity : Number(ends[1]);
  if (Number.isNaN(low) || Number.isNaN(high)) return null;
  if (!isCategory) return [low, high];
  const isPlace = [low, high].every((n) => Number.isInteger(n) && n >= 0 && n < axis.values.length);
  return isPlace ? [Math.min(low, high) - 0.5, Math.max(low, high) + 0.5] : null;
}

/** Reads what `writeView` wrote; anything that does not fit this sweep is left out. @returns {View} */
export function readView({ axes: order = "", ranges = "", top = "", rails = "" }, axes) {
  const view = plainView(axes.length);
  readAxes(order, axes, view);
  for (const token of ranges.split(",").filter(Boolean)) {
    const found = PICK.exec(token);
    const column = found?.[1] === METRIC_KEY ? axes.length - 1 : Number(found?.[1] ?? -1);
    const pick = column >= 0 && column < axes.length ? readPick(found[2], axes[column]) : null;
    if (pick !== null) view.picks.set(column, merged([...(view.picks.get(column) ?? []), pick]));
  }
  const count = Number(top);
  if (Number.isInteger(count) && count > 0) view.top = count;
  view.hasRails = rails === "1";
  return view;
}
