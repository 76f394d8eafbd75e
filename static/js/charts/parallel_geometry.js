// Parallel coordinates as numbers: where axes stand, how lines bend between them, which line lies
// under the pointer, which runs lie inside the ranges. Pure.

const TOP = 46;
const BOTTOM = 16;
const RAIL = 22;
const LEFT = 58;
const RIGHT = 76;
const LEAST_GAP = 92;
const LEAST_WIDTH = 560;
const REACH = 9;
const SNAP = 0.02;
// Handles of the curve between two axes, as shares of the gap.
const HANDLES = [0.6, 0.4];

/** Close to an end of the axis means the end: or the best run could hardly be caught. */
function snap(unit) {
  if (unit < SNAP) return 0;
  return unit > 1 - SNAP ? 1 : unit;
}

/** The frame of the chart; wider than `width` when axes would stand too close. */
export function frameOf({ width, height, count, hasMissing }) {
  const whole = Math.max(width, LEAST_WIDTH, LEFT + RIGHT + LEAST_GAP * (count - 1));
  const gap = count > 1 ? (whole - LEFT - RIGHT) / (count - 1) : 0;
  const bottom = height - BOTTOM - (hasMissing ? RAIL : 0);
  return {
    width: whole, height, gap, top: TOP, bottom, rail: height - BOTTOM,
    x: (place) => LEFT + place * gap,
    /** From 0..1 to pixels; a missing value stands on the rail below. */
    y: (unit) => (Number.isNaN(unit) ? height - BOTTOM : bottom - unit * (bottom - TOP)),
    unit: (y) => snap((bottom - y) / (bottom - TOP)),
  };
}

/** How far a line has come from one axis to the next at `share` of the gap: 0..1. */
export function bend(share) {
  if (share <= 0 || share >= 1) return Math.min(1, Math.max(0, share));
  let low = 0;
  let high = 1;
  for (let i = 0; i < 30; i += 1) {
    const t = (low + high) / 2;
    const x = 3 * (1 - t) ** 2 * t * HANDLES[0] + 3 * (1 - t) * t * t * HANDLES[1] + t ** 3;
    if (x < share) low = t;
    else high = t;
  }
  const t = (low + high) / 2;
  return t * t * (3 - 2 * t);
}

/** Adds the line of one run to a path or a canvas; `order` lists columns of `units`. */
export function traceLine(path, frame, units, row, order) {
  const columns = units.length / units.rows;
  order.forEach((column, place) => {
    const x = frame.x(place);
    const y = frame.y(units[row * columns + column]);
    if (place === 0) path.moveTo(x, y);
    else {
      const before = frame.y(units[row * columns + order[place - 1]]);
      const start = x - frame.gap;
      const [first, second] = HANDLES;
      path.bezierCurveTo(start + first * frame.gap, before, start + second * frame.gap, y, x, y);
    }
  });
}

/**
 * The row whose line is nearest to a point, or -1 when none is within reach. Distances are taken
 * across the line, not straight up: steep lines are as easy to hit as flat ones.
 */
export function nearestRow(frame, units, order, rows, px, py) {
  const columns = units.length / units.rows;
  const place = Math.min(order.length - 2, Math.max(0, Math.floor((px - frame.x(0)) / frame.gap)));
  const share = (px - frame.x(place)) / frame.gap;
  if (order.length < 2 || share < -0.1 || share > 1.1) return -1;
  const s = bend(share);
  const slope = (bend(share + 0.01) - bend(share - 0.01)) / (0.02 * frame.gap);
  let best = -1;
  let least = REACH;
  for (const row of rows) {
    const from = frame.y(units[row * columns + order[place]]);
    const to = frame.y(units[row * columns + order[place + 1]]);
    const away = Math.abs(from + (to - from) * s - py) / Math.hypot(1, (to - from) * slope);
    // Of equals the later row: it is the better run and lies on top.
    if (away <= least) [best, least] = [row, away];
  }
  return best;
}

/** The rows inside every range; `ranges` maps columns to [from, to] in 0..1, in any order. */
export function rowsInside(units, ranges) {
  const columns = units.length / units.rows;
  const inside = [];
  for (let row = 0; row < units.rows; row += 1) {
    let passes = true;
    for (const [column, [from, to]] of ranges) {
      const unit = units[row * columns + column];
      passes &&= unit >= Math.min(from, to) && unit <= Math.max(from, to);
    }
    if (passes) inside.push(row);
  }
  return inside;
}

/** Moves one element of a list, as dragging an axis does. */
export function moved(list, from, to) {
  const copy = [...list];
  copy.splice(to, 0, ...copy.splice(from, 1));
  return copy;
}

/** The value at 0..1 of an axis, in real units; null for categories. */
export function valueAt(axis, unit) {
  if (axis.scale === "category") return null;
  if (axis.scale === "log") return axis.min * (axis.max / axis.min) ** unit;
  return axis.min + (axis.max - axis.min) * unit;
}

/** A range in words: "0.001 to 0.1", or the categories that it covers. */
export function rangeText(axis, [from, to], format) {
  const [low, high] = [Math.min(from, to), Math.max(from, to)];
  if (axis.scale !== "category") {
    return `${format(valueAt(axis, low))} to ${format(valueAt(axis, high))}`;
  }
  const count = axis.values.length;
  const covered = axis.values.filter((_, i) => (i + 0.5) / count >= low && (i + 0.5) / count <= high);
  return covered.join(", ") || "no value";
}

/** Order and ranges as they stand in the address: "2,0,1" and "2:0.1:0.5". */
export function writeView(order, ranges, count) {
  const isDeclared = order.every((column, place) => column === place);
  const short = (unit) => String(Number(unit.toFixed(3)));
  return {
    axes: isDeclared || order.length !== count ? "" : order.slice(0, -1).join(","),
    ranges: [...ranges].map(([column, range]) => [column, ...range.map(short)].join(":")).join(","),
  };
}

/** Reads what `writeView` wrote; anything that does not fit this sweep is left out. */
export function readView({ axes = "", ranges = "" }, count) {
  const columns = axes.split(",").filter(Boolean).map(Number);
  const isOrder = columns.length === count - 1
    && new Set(columns).size === columns.length
    && columns.every((column) => Number.isInteger(column) && column >= 0 && column < count - 1);
  const found = new Map();
  for (const text of ranges.split(",").filter(Boolean)) {
    const [column, from, to] = text.split(":").map(Number);
    const fits = [from, to].every((unit) => unit >= 0 && unit <= 1);
    if (Number.isInteger(column) && column >= 0 && column < count && fits) {
      found.set(column, [from, to]);
    }
  }
  const declared = Array.from({ length: count }, (_, column) => column);
  return { order: isOrder ? [...columns, count - 1] : declared, ranges: found };
}
