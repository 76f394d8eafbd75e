import assert from "node:assert/strict";
import { test } from "node:test";

import { chartMarkup, pathOf, tableMarkup, ticks } from "../../static/js/form/replay_chart.js";

const scale = { x: (n) => n * 10, y: (v) => v };
const run = (number, changed) => ({
  number, reports: 2, stop: null, reason: "", kept: [[1, 0.1], [2, 0.2]], cut: [], best: 0.2,
  best_kept: 0.2, ...changed,
});
const data = {
  runs: [run(7), run(3, { stop: 1, kept: [[1, 0.1]], cut: [[1, 0.1], [2, 0.9]], best: 0.9 })],
  limits: [[1, 0.15], [2, 0.3]], longest: 2, low: 0, high: 1, spared: 0, best: 3, goal: "maximize",
};

test("a value that is no number leaves a gap", () => {
  assert.equal(pathOf([[1, 1], [2, null], [3, 2], [4, 3]], scale), "M10.0,1.0M30.0,2.0L40.0,3.0");
});

test("ticks are round and within the range", () => {
  assert.deepEqual(ticks(0.03, 0.97), [0.2, 0.4, 0.6, 0.8]);
  assert.deepEqual(ticks(2, 2), [2]);
});

test("a stopped run ends in a cross, and the rest of it is dashed", () => {
  const text = String(chartMarkup(data));
  assert.match(text, /aria-label="1 of 2 curves end/);
  assert.equal(text.match(/class="stop"/g).length, 1);
  assert.equal(text.match(/class="rest best"/g).length, 1);
  assert.match(text, /class="line best"/);
});

test("the table has every run, the best first", () => {
  const rows = String(tableMarkup(data)).match(/<tr\s+title.*?<\/tr>/gs);
  assert.equal(rows.length, 2);
  assert.match(rows[0], />3<\/td>/);
  assert.match(rows[0], /0\.9000/);
});
