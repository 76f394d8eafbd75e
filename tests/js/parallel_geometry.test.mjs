import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bend, frameOf, moved, nearestRow, traceLine,
} from "../../static/js/charts/parallel_geometry.js";

/** Units of rows x columns as the chart holds them. */
function matrix(...rows) {
  const units = Float64Array.from(rows.flat());
  units.rows = rows.length;
  return units;
}

const FRAME = frameOf({ width: 800, height: 350, count: 3 });

test("axes share the width, and a narrow frame is wider than its place", () => {
  const narrow = frameOf({ width: 300, height: 300, count: 12 });

  assert.equal(FRAME.x(2) - FRAME.x(1), FRAME.gap);
  assert.equal(FRAME.width, 800);
  assert.ok(narrow.width > 300 && narrow.gap >= 76);
});

test("pixels and units are each other's inverse, and the ends can be reached", () => {
  for (const unit of [0.1, 0.5, 0.9]) assert.ok(Math.abs(FRAME.unit(FRAME.y(unit)) - unit) < 1e-12);
  assert.equal(FRAME.unit(FRAME.top - 40), 1);
  assert.equal(FRAME.unit(FRAME.y(0.99)), 1);
  assert.equal(FRAME.unit(FRAME.y(0.01)), 0);
});

test("rails stand below the axes, one below the other, within the frame", () => {
  const frame = frameOf({ width: 800, height: 350, count: 3, rails: 2 });

  assert.ok(frame.y(0) < frame.y(-1) && frame.y(-1) < frame.y(-2) && frame.y(-2) < 350);
  assert.equal(frame.y(1), FRAME.y(1));
});

test("a bend leaves one axis flat, arrives flat, and is half way in the middle", () => {
  assert.equal(bend(0), 0);
  assert.equal(bend(1), 1);
  assert.ok(Math.abs(bend(0.5) - 0.5) < 1e-9);
  assert.ok(bend(0.1) < 0.1 && bend(0.9) > 0.9);
});

test("the line that is drawn is the line that is hit", () => {
  const units = matrix([0.1, 0.9, 0.4], [0.8, 0.2, 0.5]);
  const curves = [];
  traceLine({
    moveTo: (x, y) => curves.push([x, y]),
    bezierCurveTo: (...numbers) => curves.push(numbers),
  }, FRAME, units, 0, [0, 1, 2]);
  const [[x0, y0], [x1, y1, x2, y2, x3, y3]] = curves;
  const t = 0.37;
  const at = (a, b, c, d) =>
    (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t * t * c + t ** 3 * d;

  const hit = nearestRow(FRAME, units, [0, 1, 2], [0, 1], at(x0, x1, x2, x3), at(y0, y1, y2, y3));

  assert.equal(hit, 0);
});

test("far from every line nothing is hit, nor beyond the axes", () => {
  const units = matrix([0, 0, 0]);

  assert.equal(nearestRow(FRAME, units, [0, 1, 2], [0], FRAME.x(0) + 40, FRAME.y(0.5)), -1);
  assert.equal(nearestRow(FRAME, units, [0, 1, 2], [0], FRAME.x(2) + 70, FRAME.y(0)), -1);
});

test("of two lines in the same place the better one, drawn later, is hit", () => {
  const units = matrix([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);

  assert.equal(nearestRow(FRAME, units, [0, 1, 2], [0, 1], FRAME.x(0) + 60, FRAME.y(0.5)), 1);
});

test("steep lines are hit beside themselves, too", () => {
  const units = matrix([0, 1, 0]);
  const middle = FRAME.x(0) + FRAME.gap / 2;

  assert.equal(nearestRow(FRAME, units, [0, 1, 2], [0], middle + 6, FRAME.y(0.5)), 0);
});

test("moving an axis takes it out and puts it in", () => {
  assert.deepEqual(moved(["a", "b", "c"], 0, 2), ["b", "c", "a"]);
});
