import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeTraces } from "../../static/js/charts/arrays.js";
import { indexRuns, keepRuns, locateRun } from "../../static/js/charts/run_index.js";

const line = (name, x, y, customdata) => ({ mode: "lines", name, x, y, customdata });
const highlight = { mode: "lines", name: "highlight", x: [], y: [] };

function figure() {
  return {
    data: [
      line("running", [1, 2, null, 1], [0.5, 0.6, null, 0.3], [4, 4, 4, 5]),
      { mode: "markers", name: "running ends", x: [2, 1], y: [0.6, 0.3], customdata: [4, 5] },
      highlight,
    ],
  };
}

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
