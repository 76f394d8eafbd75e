// The middle half of all runs behind the curve of one.
import assert from "node:assert/strict";
import { test } from "node:test";

import { middleBand } from "../../static/js/charts/middle_band.js";

const line = (...y) => ({
  x: Float64Array.from(y, (_, i) => i + 1), y: Float64Array.from(y), size: y.length,
});

test("the band lies between the quartiles of the runs that got to an interval", () => {
  const lines = [0, 1, 2, 3, 4].map((value) => line(value, 10 * value));

  assert.deepEqual(middleBand([...lines, line(9)]), { x: [1, 2], low: [1.25, 10], high: [3.75, 30] });
});

test("a gap keeps the value before it, and a run without one yet is left out", () => {
  const lines = [1, 2, 3, 4, 5].map((value) => line(value, NaN, value));

  assert.deepEqual(middleBand([...lines, line(NaN, NaN, 3)]).low, [2, 2, 2.25]);
});

test("too few runs have no middle", () => {
  assert.equal(middleBand([]), null);
  assert.equal(middleBand([1, 2, 3, 4].map((value) => line(value, value))), null);
});
