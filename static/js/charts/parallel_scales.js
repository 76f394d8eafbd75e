// One axis of parallel coordinates: values to places (0..1) and back, on the scale and in the
// direction that somebody chose, with its ticks. Pure.
import { formatMetric, formatParam } from "../lib/format.js";

export const METRIC = "__metric";
const STEP = 0.05;
const METRIC_TICKS = 6;
const LINEAR_TICKS = 5;
const MOST_POWERS = 8;

/**
 * @typedef {object} AxisSetting how somebody wants an axis; nothing set is as the sweep declares it
 * @property {"log" | "linear"} [scale]
 * @property {boolean} [isFlipped]
 * @property {boolean} [isFull] the metric from its worst to its best value
 */

/** The ends of an axis in real units. */
function endsOf(axis, { isFull = false } = {}) {
  return isFull && axis.full ? axis.full : [axis.min, axis.max];
}

/** Whether an axis can be logarithmic with these settings. */
export function canBeLog(axis, setting) {
  return axis.scale !== "category" && endsOf(axis, setting)[0] > 0;
}

/** Places and values of an axis before it is turned round; beyond its ends it goes on. */
function plainScale(axis, setting, kind) {
  if (kind === "category") {
    const count = axis.values.length;
    return { to: (value) => (value + 0.5) / count, from: (unit) => unit * count - 0.5 };
  }
  const [low, high] = endsOf(axis, setting);
  if (kind === "log") {
    const span = Math.log(high / low);
    return {
      to: (value) => (value <= 0 ? -Infinity : Math.log(value / low) / span),
      from: (unit) => low * (high / low) ** unit,
    };
  }
  return { to: (value) => (value - low) / (high - low), from: (unit) => low + (high - low) * unit };
}

function powersBetween(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const powers = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
  const every = Math.ceil(powers.length / MOST_POWERS) || 1;
  return powers.filter((_, i) => i % every === 0);
}

function tickValues([low, high], kind, count) {
  const powers = kind === "log" ? powersBetween(low, high) : [];
  if (powers.length > 1) return powers;
  if (kind === "log") {
    return Array.from({ length: count }, (_, i) => low * (high / low) ** (i / (count - 1)));
  }
  return Array.from({ length: count }, (_, i) => low + ((high - low) * i) / (count - 1));
}

/** A value of an axis as people read it; categories by their name. */
export function valueText(axis, value, decimals = null) {
  if (axis.scale === "category") return axis.values[Math.round(value)] ?? "";
  return axis.name === METRIC && decimals !== null
    ? formatMetric(value, decimals) : formatParam(value, 3);
}

/**
 * An axis as it is shown: {scale, isFlipped, step, place(value), value(unit), ticks}. `place` stays
 * within 0..1, NaN stays NaN; `step` is one press of a key.
 */
export function shownAxis(axis, setting = {}, decimals = null) {
  const wanted = axis.scale === "category" ? "category" : (setting.scale ?? axis.scale);
  const scale = wanted === "log" && !canBeLog(axis, setting) ? "linear" : wanted;
  const isFlipped = setting.isFlipped === true;
  const { to, from } = plainScale(axis, setting, scale);
  const turned = (unit) => (isFlipped ? 1 - unit : unit);
  const isAsSent = scale === axis.scale && !setting.isFull;
  const text = (value) => valueText(axis, value, decimals);
  const ticks = isAsSent ? axis.ticks
    : tickValues(endsOf(axis, setting), scale, axis.name === METRIC ? METRIC_TICKS : LINEAR_TICKS)
      .map((value) => [to(value), text(value), text(value)]);
  return {
    scale,
    isFlipped,
    isFull: setting.isFull === true,
    step: scale === "category" ? 1 / axis.values.length : STEP,
    place: (value) => (Number.isNaN(value) ? value : turned(Math.min(1, Math.max(0, to(value))))),
    value: (unit) => from(turned(unit)),
    ticks: ticks.map(([unit, ...texts]) => [turned(unit), ...texts]),
  };
}

/** What stands below the name of an axis: what differs from a plain linear axis. */
export function scaleNote(distribution, { scale, isFlipped, isFull }, isShort) {
  const words = [
    isFull && "full range",
    scale === "log" && "log axis",
    scale === "linear" && /log/.test(distribution) && "linear axis",
    isFlipped && "flipped",
  ].filter(Boolean);
  if (!isShort || !words.length) return [distribution, ...words].filter(Boolean).join(" · ");
  return words.join(", ").replaceAll(" axis", "");
}
