// Parallel coordinates as numbers: where axes stand, how lines bend between them, which line lies
// under the pointer. Places are 0..1 along an axis; -1, -2 are the rails below it. Pure.

const TOP = 46;
const BOTTOM = 16;
const RAIL = 20;
const LEFT = 58;
const RIGHT = 76;
const LEAST_GAP = 76;
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

/**
 * The frame of the chart with so many axes and rails; wider than `width` when axes would stand too
 * close.
 */
export function frameOf({ width, height, count, rails = 0 }) {
  const whole = Math.max(width, LEAST_WIDTH, LEFT + RIGHT + LEAST_GAP * (count - 1));
  const gap = count > 1 ? (whole - LEFT - RIGHT) / (count - 1) : 0;
  const bottom = height - BOTTOM - rails * RAIL;
  return {
    width: whole, height, gap, top: TOP, bottom,
    x: (place) => LEFT + place * gap,
    /** From places to pixels. */
    y: (unit) => (unit < 0 ? bottom - unit * RAIL : bottom - unit * (bottom - TOP)),
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
  const start = row * (units.length / units.rows);
  const first = HANDLES[0] * frame.gap;
  const second = HANDLES[1] * frame.gap;
  let x = frame.x(0);
  let before = frame.y(units[start + order[0]]);
  path.moveTo(x, before);
  for (let place = 1; place < order.length; place += 1) {
    const y = frame.y(units[start + order[place]]);
    path.bezierCurveTo(x + first, before, x + second, y, x + frame.gap, y);
    x += frame.gap;
    before = y;
  }
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
    if (away <= least) {
      best = row;
      least = away;
    }
  }
  return best;
}

/** Moves one element of a list, as dragging an axis does. */
export function moved(list, from, to) {
  const copy = [...list];
  copy.splice(to, 0, ...copy.splice(from, 1));
  return copy;
}
