// The sliders of the budget: which of their stops stands for a number.
import assert from "node:assert/strict";
import { test } from "node:test";

import { nearestStop, stopsUpTo } from "../../static/js/form/budget_sliders.js";

test("a number stands at its own stop, or at the nearest one by ratio", () => {
  const stops = [1, 10, 100, 1000];

  assert.deepEqual([1, 10, 1000].map((value) => nearestStop(stops, value)), [0, 1, 3]);
  assert.deepEqual([30, 33, 5000, 0.1].map((value) => nearestStop(stops, value)), [1, 2, 3, 0]);
});

test("what is no number that a limit can have stands at the lower end", () => {
  assert.deepEqual([NaN, 0, -5].map((value) => nearestStop([1, 10], value)), [0, 0, 0]);
});

test("stops end at what the studio allows, whether it is a usual number or not", () => {
  assert.deepEqual(stopsUpTo([1, 10, 100, 1000], 100), [1, 10, 100]);
  assert.deepEqual(stopsUpTo([1, 10, 100, 1000], 250), [1, 10, 100, 250]);
  assert.deepEqual(stopsUpTo([1, 10], 1), [1]);
});
