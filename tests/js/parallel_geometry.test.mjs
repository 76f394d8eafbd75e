import assert from "node:assert/strict";
import { test } from "node:test";

import {
  bend, frameOf, moved, nearestRow, rangeText, readView, rowsInside, traceLine, valueAt, writeView,
} from "../../static/js/charts/parallel_geometry.js";

/** Units of rows x columns as the chart holds them. */
function matrix(...rows) {
  const units = Float64Array.from(rows.flat());
  units.rows = rows.length;
  return units;
}

const FRAME = frameOf({ width: 800, height: 350, count: 3, hasMissing: false });

test("axes share the width, and a narrow frame is wider than its place", () => {
  const narrow = frameOf({ width: 300, height: 300, count: 9, hasMissing: false });

  assert.equal(FRAME.x(2) - FRAME.x(1), FRAME.gap);
  assert.equal(FRAME.width, 800);
  assert.ok(narrow.width > 300 && narrow.gap >= 92);
});

test("pixels and units are each other's inverse, and the ends can be reached", () => {
  for (const unit of [0.1, 0.5, 0.9]) assert.ok(Math.abs(FRAME.unit(FRAME.y(unit)) - unit) < 1e-12);
  assert.equal(FRAME.unit(FRAME.top - 40), 1);
  assert.equal(FRAME.unit(FRAME.y(0.99)), 1);
  assert.equal(FRAME.unit(FRAME.y(0.01)), 0);
});

test("missing values stand on a rail below the axes", () => {
  const frame = frameOf({ width: 800, height: 350, count: 3, hasMissing: true });

  assert.equal(frame.y(NaN), frame.rail);
  assert.ok(frame.y(NaN) > frame.y(0));
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

test("ranges of several axes are combined with and, in either direction", () => {
  const units = matrix([0.1, 0.9], [0.2, 0.2], [0.9, 0.9], [NaN, 0.9]);

  assert.deepEqual(rowsInside(units, new Map([[0, [0.3, 0]], [1, [0.5, 1]]])), [0]);
  assert.deepEqual(rowsInside(units, new Map([[1, [0.5, 1]]])), [0, 2, 3]);
  assert.deepEqual(rowsInside(units, new Map()), [0, 1, 2, 3]);
});

test("values are read off linear and log axes, not off categories", () => {
  assert.equal(valueAt({ scale: "linear", min: 2, max: 4 }, 0.25), 2.5);
  assert.ok(Math.abs(valueAt({ scale: "log", min: 1e-4, max: 1 }, 0.5) - 0.01) < 1e-12);
  assert.equal(valueAt({ scale: "category" }, 0.5), null);
});

test("a range is said in values or in the categories that it covers", () => {
  const category = { scale: "category", values: ["adam", "sgd", "rmsprop"] };

  assert.equal(rangeText({ scale: "linear", min: 0, max: 10 }, [0.8, 0.2], String), "2 to 8");
  assert.equal(rangeText(category, [0.3, 1], String), "sgd, rmsprop");
  assert.equal(rangeText(category, [0.2, 0.3], String), "no value");
});

test("the address holds order and ranges without loss", () => {
  const ranges = new Map([[3, [0.25, 1]], [0, [0, 0.125]]]);

  const written = writeView([2, 0, 1, 3], ranges, 4);

  assert.deepEqual(written, { axes: "2,0,1", ranges: "3:0.25:1,0:0:0.125" });
  assert.deepEqual(readView(written, 4), { order: [2, 0, 1, 3], ranges });
});

test("the declared order needs no place in the address", () => {
  assert.deepEqual(writeView([0, 1, 2], new Map(), 3), { axes: "", ranges: "" });
});

test("an address of another sweep is read as far as it fits", () => {
  const declared = { order: [0, 1, 2], ranges: new Map() };

  assert.deepEqual(readView({ axes: "0,0", ranges: "7:0:1,x,1:2:3" }, 3), declared);
  assert.deepEqual(readView({ axes: "5,1", ranges: "" }, 3), declared);
  assert.deepEqual(readView({}, 3), declared);
});

test("moving an axis takes it out and puts it in", () => {
  assert.deepEqual(moved(["a", "b", "c"], 0, 2), ["b", "c", "a"]);
});
