// Scales of a chart with axes of its own: values to pixels and back, ticks and their texts. Pure.
import { formatCount, formatParam } from "../lib/format.js";

const STEPS = [1, 2, 5, 10];
const MINUS = "−";

/** A step of 1, 2 or 5 times a power of ten that gives about `count` steps in `span`. */
export function niceStep(span, count) {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * (STEPS.find((step) => step * power >= rough * 0.999) ?? 10);
}

function linearTicks(low, high, count, isWhole) {
  const step = isWhole ? Math.max(1, niceStep(high - low, count)) : niceStep(high - low, count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const decimals = Math.min(12, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  // So many digits tell one tick from the next.
  const largest = Math.max(Math.abs(first), Math.abs(last)) || 1;
  const digits = 1 + Math.floor(Math.log10(largest) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
    const value = (first + i) * step;
    return { value, text: tickText(value, decimals, digits) };
  });
}

/** A tick: plain where that is short or needs many digits, a power of ten elsewhere. */
function tickText(value, decimals, digits = 1) {
  const size = Math.abs(value);
  if ((size >= 1e6 || decimals > 6) && digits <= 3) return formatParam(value, 3);
  if (!decimals && size >= 1e6) return formatCount(value);
  const text = size.toFixed(decimals);
  return value < 0 && /[1-9]/.test(text) ? MINUS + text : text;
}

function logTicks(low, high, count) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  if (last - first >= 1) {
    const every = Math.max(1, Math.ceil((last - first + 1) / count));
    const powers = [];
    for (let e = first; e <= last; e += every) powers.push(10 ** e);
    return powers.map((value) => ({ value, text: formatParam(value, 3) }));
  }
  return linearTicks(low, high, count, false).filter(({ value }) => value > 0);
}

/**
 * A scale from the values `low`..`high` to the pixels `from`..`to`: {low, high, place, value, ticks}.
 * `place` of a value that a log scale cannot show is NaN.
 */
export function makeScale({ low, high, from, to, isLog = false, isWhole = false }) {
  const map = isLog ? Math.log : (value) => value;
  const back = isLog ? Math.exp : (value) => value;
  const start = map(low);
  const factor = (to - from) / (map(high) - start || 1);
  return {
    low, high, from, to, isLog,
    place: (value) => (isLog && value <= 0 ? NaN : from + (map(value) - start) * factor),
    value: (pixel) => back(start + (pixel - from) / factor),
    ticks: (count) => (isLog ? logTicks(low, high, count) : linearTicks(low, high, count, isWhole)),
  };
}

/** The range around `anchor` that shows `1 / factor` as much, on the scale's own terms. */
export function zoomedRange(scale, anchor, factor) {
  const at = scale.place(anchor);
  const end = (pixel) => scale.value(at + (pixel - at) / factor);
  return [end(scale.from), end(scale.to)];
}

/** The range moved by a share of its length. */
export function movedRange(scale, share) {
  const by = (scale.to - scale.from) * share;
  return [scale.value(scale.from + by), scale.value(scale.to + by)];
}

/** The least index of the first `size` of a sorted array whose value is not below `wanted`. */
export function lowerBound(sorted, size, wanted) {
  let low = 0;
  let high = size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
