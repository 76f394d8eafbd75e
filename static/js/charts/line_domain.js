// What part of the plane a chart of lines shows when nobody has zoomed in. Pure.
import { niceStep } from "./scale.js";

const SAMPLE = 20000;
const WORSE = 0.55;
const BETTER = 0.0875;

/** All finite values of the lines, or a fair part of very many. */
function valuesOf(lines, isLog) {
  let total = 0;
  for (const line of lines) total += line.size;
  const every = Math.max(1, Math.floor(total / SAMPLE));
  const found = [];
  for (const line of lines) {
    for (let i = 0; i < line.size; i += every) {
      const y = line.y[i];
      if (!Number.isNaN(y) && (!isLog || y > 0)) found.push(y);
    }
  }
  return Float64Array.from(found).sort();
}

/** [least, greatest] value of all lines, exactly; null when there is none. */
export function extentOf(lines, isLog = false) {
  let [low, high] = [Infinity, -Infinity];
  for (const line of lines) {
    for (let i = 0; i < line.size; i += 1) {
      const y = line.y[i];
      if (Number.isNaN(y) || (isLog && y <= 0)) continue;
      if (y < low) low = y;
      if (y > high) high = y;
    }
  }
  return low <= high ? [low, high] : null;
}

function padded([low, high], isLog) {
  if (isLog) {
    const room = low === high ? 2 : (high / low) ** 0.04;
    return [low / room, high * room];
  }
  const room = (high - low) * 0.05 || Math.abs(low) * 0.05 || 0.5;
  return [low - room, high + room];
}

/**
 * The range of y: the interesting one goes from well below the 20th percentile to just beyond the
 * best, and ends soon after the worst value. Without a goal, and on a log axis, everything.
 */
export function valueRange(lines, { goal, isFull, isLog }) {
  const extent = extentOf(lines, isLog);
  if (!extent) return isLog ? [0.1, 1] : [0, 1];
  if (isFull || isLog || !goal) return padded(extent, isLog);
  const values = valuesOf(lines, false);
  const isUp = goal === "maximize";
  const fifth = Math.floor(0.2 * (values.length - 1) + 0.5);
  const edge = isUp ? values[fifth] : values[values.length - 1 - fifth];
  const [low, high] = isUp ? [edge, extent[1]] : [extent[0], edge];
  const span = high - low || Math.abs(high) * 0.1 || 1;
  const beyond = isUp ? low - extent[0] : extent[1] - high;
  const worse = high > low ? Math.min(span * WORSE, beyond + span * BETTER) : span * WORSE;
  return isUp ? [low - worse, high + span * BETTER] : [low - span * BETTER, high + worse];
}

/** The range of x from 0; lines that still grow get room, so that the axis seldom moves. */
export function placeRange(lines, { x, isLive }) {
  let [low, high] = [0, 0];
  for (const line of lines) {
    if (!line.size) continue;
    low = Math.min(low, line.x[0]);
    high = Math.max(high, line.x[line.size - 1]);
  }
  if (high <= low) return [low, low + 1];
  if (isLive) {
    const step = niceStep(high - low, 10);
    return [low, Math.ceil((high * 1.02) / step) * step];
  }
  return [low, x === "interval" ? high : high + (high - low) * 0.02];
}

/** A range that has grown: what was shown stays in it. */
export function grownRange(shown, wanted) {
  return [Math.min(shown[0], wanted[0]), Math.max(shown[1], wanted[1])];
}
