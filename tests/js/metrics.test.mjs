import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeTraces } from "../../static/js/charts/arrays.js";
import { growLines } from "../../static/js/charts/metrics.js";
import { colourByValue, domainOf } from "../../static/js/charts/recolour.js";
import { indexRuns, keepRuns, locateRun } from "../../static/js/charts/run_index.js";

const line = (name, x, y, customdata) => ({ mode: "lines", name, x, y, customdata, hovertemplate: "%" });
const highlight = { mode: "lines", name: "highlight", x: [], y: [] };

function figure(overrides = {}) {
  return {
    data: [
      line("completed", [1, 2], [0.1, 0.2], [0, 0]),
      line("running", [1, 2, null, 1], [0.5, 0.6, null, 0.3], [4, 4, 4, 5]),
      { mode: "markers", name: "running ends", x: [2, 1], y: [0.6, 0.3], customdata: [4, 5] },
      line("best", [1, 2], [0.8, 0.7], [2, 2]),
      { mode: "markers", name: "best ends", x: [1], y: [0.8], customdata: [2] },
      highlight,
    ],
    meta: {
      x: "interval",
      lines: {
        0: { group: "completed", n: 2 }, 2: { group: "best", n: 2 }, 4: { group: "running", n: 2 },
        5: { group: "running", n: 1 },
      },
    },
    ...overrides,
  };
}

const curve = (first, values, extra = {}) => ({
  first, values, steps: null, times: values.map((_, i) => 100 + i), ...extra,
});
const named = (data, name) => data.find((trace) => trace.name === name);

test("new points go to the end of their own run's line", () => {
  const { data, added, isStale } = growLines(figure(), new Map([[4, curve(0, [0.5, 0.6, 0.65])]]));

  const running = named(data, "running");
  assert.deepEqual(running.y, [0.5, 0.6, 0.65, null, 0.3]);
  assert.deepEqual(running.x, [1, 2, 3, 3, 1]);
  assert.deepEqual(running.customdata, [4, 4, 4, 4, 5]);
  assert.deepEqual(named(data, "running ends").y, [0.65, 0.3]);
  assert.deepEqual([added, isStale], [1, false]);
});

test("points that the figure has already are not added again", () => {
  const before = figure();

  const { data, added } = growLines(before, new Map([[4, curve(0, [0.5, 0.6])]]));

  assert.equal(added, 0);
  assert.equal(data, before.data);
});

test("a run that has begun since gets a line of its own", () => {
  const bare = { ...figure(), data: [line("completed", [1], [0.1], [0]), highlight] };

  const { data } = growLines(bare, new Map([[9, curve(0, [0.4, NaN, 0.5])]]));

  assert.deepEqual(named(data, "running").y, [0.4, null, 0.5]);
  assert.deepEqual(named(data, "running ends").customdata, [9]);
  assert.equal(data.at(-1).name, "highlight");
});

test("the star moves to a better value of the best run, and only for the primary metric", () => {
  const curves = new Map([[2, curve(2, [0.9, 0.85])]]);

  const primary = growLines(figure(), curves, "maximize").data;
  const other = growLines(figure(), curves, "").data;

  assert.deepEqual([named(primary, "best ends").x, named(primary, "best ends").y], [[3], [0.9]]);
  assert.deepEqual([named(other, "best ends").x, named(other, "best ends").y], [[4], [0.85]]);
  assert.deepEqual(named(primary, "best").y, [0.8, 0.7, 0.9, 0.85]);
});

test("smaller is better where the metric is minimized", () => {
  const { data } = growLines(figure(), new Map([[2, curve(2, [0.1])]]), "minimize");

  assert.deepEqual(named(data, "best ends").y, [0.1]);
});

test("over steps a report without a step has no place", () => {
  const base = figure();
  base.meta.x = "step";
  const curves = new Map([[5, curve(1, [0.4, 0.5], { steps: [null, 30] })]]);

  const { data, added } = growLines(base, curves);

  assert.equal(added, 1);
  assert.deepEqual(named(data, "running").x, [1, 2, 2, 1, 30]);
});

test("over time only the server knows where a known run began", () => {
  const base = figure();
  base.meta.x = "time";

  const old = growLines(base, new Map([[4, curve(2, [0.7])]]));
  const fresh = growLines(base, new Map([[9, curve(0, [0.7, 0.8])]]));

  assert.deepEqual([old.isStale, old.added], [true, 0]);
  assert.deepEqual(named(fresh.data, "running").x.slice(-2), [0, 1]);
});

test("new points of a line that counts as ended make the figure stale", () => {
  const { isStale, added } = growLines(figure(), new Map([[0, curve(2, [0.3])]]));

  assert.deepEqual([isStale, added], [true, 0]);
});

test("base64 arrays become numbers, also within lists of traces", () => {
  const bdata = Buffer.from(Float64Array.from([1.5, NaN]).buffer).toString("base64");

  const [trace] = decodeTraces([{ y: { dtype: "f8", bdata }, text: ["a"], marker: { size: [3] } }]);

  assert.deepEqual([...trace.y], [1.5, NaN]);
  assert.deepEqual([trace.text, trace.marker.size], [["a"], [3]]);
});

test("a run is found in lines and points by its number", () => {
  const { data } = figure();
  const index = indexRuns(data);

  const found = locateRun(data, index, 4);

  assert.deepEqual(found.lines.map((piece) => piece.y), [[0.5, 0.6, null]]);
  assert.deepEqual(found.points.map((piece) => piece.x), [[2]]);
  assert.deepEqual(locateRun(data, index, 77), { lines: [], points: [] });
});

test("filtering keeps colours and symbols with their points", () => {
  const points = {
    mode: "markers", x: [1, 2, 3], y: [4, 5, 6], customdata: [7, 8, 9], text: ["a", "b", "c"],
    marker: { color: [0.1, 0.2, 0.3], symbol: "circle", size: 10 },
  };

  const [kept, reference] = keepRuns([points, highlight], new Set([7, 9]));

  assert.deepEqual([kept.x, kept.text, kept.marker.color], [[1, 3], ["a", "c"], [0.1, 0.3]]);
  assert.deepEqual([kept.marker.symbol, kept.marker.size], ["circle", 10]);
  assert.equal(reference, highlight);
});

test("colours by value go from the 20th percentile to the best, whatever the goal", () => {
  const values = [-1000, 1, 2, 3, 4, NaN];

  assert.deepEqual(domainOf(values, "maximize"), [1, 4]);
  assert.deepEqual(domainOf([0, 1, 2, 3, 1000], "minimize"), [3, 0]);
  assert.deepEqual(domainOf([], "maximize"), [0, 1]);
});

test("colouring by value keeps every point and never joins two runs", () => {
  const values = { 0: 0.2, 4: 0.6, 5: 0.3 };

  const data = colourByValue(figure().data, (run) => values[run], "maximize");

  const shades = data.filter((trace) => trace.name.startsWith("shade"));
  const points = shades.flatMap((t) => t.y.map((y, i) => [t.customdata[i], y])).filter(([, y]) => y !== null);
  assert.deepEqual(points.sort(), [[0, 0.1], [0, 0.2], [4, 0.5], [4, 0.6], [5, 0.3]].sort());
  for (const trace of shades) {
    trace.customdata.forEach((run, i) => {
      if (i && trace.customdata[i - 1] !== run) assert.equal(trace.y[i - 1], null);
    });
  }
  assert.deepEqual(data.slice(-3).map((trace) => trace.name), ["best", "best ends", "highlight"]);
});
