// Which line is nearest to the pointer: only the pieces near its x are looked at. Pure.
import { lowerBound } from "./scale.js";

/** The square of the distance from a point to a piece of a line. */
function distance(px, py, ax, ay, bx, by) {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const share = length ? Math.min(1, Math.max(0, ((px - ax) * dx + (py - ay) * dy) / length)) : 0;
  const [ox, oy] = [px - ax - share * dx, py - ay - share * dy];
  return ox * ox + oy * oy;
}

/**
 * The line nearest to a pixel within `reach`: {line, at} with its point nearest in x, or null.
 * `ysOf(line)` gives the values that are drawn. Of equal ones the last wins: it lies on top.
 */
export function nearestLine(lines, ysOf, { x, y }, px, py, reach = 24) {
  const [low, high, here] = [x.value(px - reach), x.value(px + reach), x.value(px)];
  let best = reach * reach;
  let found = null;
  for (const line of lines) {
    const ys = ysOf(line);
    const first = Math.max(0, lowerBound(line.x, line.size, low) - 1);
    let [ax, ay] = [NaN, NaN];
    for (let i = first; i < line.size; i += 1) {
      const [bx, by] = [x.place(line.x[i]), y.place(ys[i])];
      if (!Number.isNaN(by)) {
        const near = Number.isNaN(ay)
          ? distance(px, py, bx, by, bx, by) : distance(px, py, ax, ay, bx, by);
        if (near <= best) {
          best = near;
          found = line;
        }
      }
      if (line.x[i] > high) break;
      [ax, ay] = [bx, by];
    }
  }
  return found && { line: found, at: nearestPoint(found, ysOf(found), here) };
}

/** The point of a line that stands nearest to `here` and has a value; -1 when none has. */
export function nearestPoint(line, ys, here) {
  const after = lowerBound(line.x, line.size, here);
  for (let step = 0; step < line.size; step += 1) {
    const [left, right] = [after - 1 - step, after + step];
    const isLeft = left >= 0 && !Number.isNaN(ys[left]);
    const isRight = right < line.size && !Number.isNaN(ys[right]);
    if (isLeft && isRight) return here - line.x[left] < line.x[right] - here ? left : right;
    if (isLeft || isRight) return isLeft ? left : right;
  }
  return -1;
}
