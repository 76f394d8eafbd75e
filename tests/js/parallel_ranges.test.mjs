import assert from "node:assert/strict";
import { test } from "node:test";

import { plainView, readView, writeView } from "../../static/js/charts/parallel_address.js";
import { layUnits, railsOf, readFigure, reasonsOf } from "../../static/js/charts/parallel_figure.js";
import { captionOf, floorOf, stopsFor } from "../../static/js/charts/parallel_picked.js";
import {
  freePlace, merged, pickText, rangeBetween, rowsInside, toggledCategory, toggledRail,
} from "../../static/js/charts/parallel_ranges.js";
import { filterOf, quoted, regionOf } from "../../static/js/charts/parallel_region.js";
import { scaleNote, shownAxis } from "../../static/js/charts/parallel_scales.js";

const INF = Infinity;
const TICKS = { ticks: [], values: [], options: [] };
const RATE = { name: "rate", label: "rate", scale: "log", min: 1e-4, max: 1, ...TICKS };
const WIDTH = { name: "width", label: "width", scale: "linear", min: -2, max: 8, ...TICKS };
const KIND = {
  name: "kind", label: "kind", scale: "category", min: null, max: null, ticks: [],
  values: ["adam", "sgd", "rms prop"], options: ["adam", "sgd", "rms prop"],
};
const SCORE = { name: "__metric", label: "score ↑", scale: "linear", min: 0.4, max: 0.9, ...TICKS };

/** Runs as the server sends them: worst first; one failed, one without a width. */
const META = {
  axes: [RATE, WIDTH, KIND, SCORE],
  lines: {
    numbers: [4, 7, 1, 2, 3],
    units: [
      [0.5, 0.5, 1 / 6, null], [0.5, 0.5, 1 / 6, null],
      [0, 0.2, 1 / 6, 0], [0.5, null, 0.5, 0.5], [1, 1, 5 / 6, 1],
    ],
    metric: [null, null, 0.1, 0.65, 0.9],
    goodness: [null, null, 0, 0.5, 1],
    state: ["failed", "canceled", "completed", "stopped", "completed"],
  },
  absent: { 4: "failed", 7: "canceled" },
  best: 3,
  decimals: 4,
};
const chart = readFigure(META);
const numbers = (rows) => rows.map((row) => chart.numbers[row]);
const inside = (picks) => numbers(rowsInside(chart, new Map(picks), chart.valued));
const viewWith = (parts) => ({ ...plainView(4), ...parts });

test("a figure becomes values in real units", () => {
  assert.deepEqual(numbers(chart.valued), [1, 2, 3]);
  assert.ok(Math.abs(chart.values[2 * 4] - 1e-4) < 1e-12 && Math.abs(chart.values[3 * 4] - 0.01) < 1e-9);
  assert.equal(chart.values[4 * 4 + 1], 8);
  assert.equal(Math.round(chart.values[4 * 4 + 2]), 2);
  assert.deepEqual(chart.axes[3].full, [0.1, 0.9]);
});

test("runs without a value stand on rails, those of the metric by reason", () => {
  const shown = chart.axes.map((axis) => shownAxis(axis));
  const all = [...chart.valueless, ...chart.valued];
  const rails = chart.axes.map((_, column) => railsOf(chart, all, column));
  const units = layUnits(chart, shown, rails);

  assert.deepEqual(rails, [[], ["n/a"], [], ["failed", "no value"]]);
  assert.deepEqual([units[3], units[4 + 3], units[3 * 4 + 1]], [-1, -2, -1]);
  assert.deepEqual(reasonsOf(chart, chart.valueless), ["1 failed", "1 canceled"]);
});

test("axes are log, linear or flipped as somebody wants, and values keep their meaning", () => {
  const linear = shownAxis(RATE, { scale: "linear" });
  const flipped = shownAxis(WIDTH, { isFlipped: true });

  assert.ok(Math.abs(shownAxis(RATE).value(0.5) - 0.01) < 1e-9);
  assert.ok(Math.abs(linear.place(0.5) - 0.5) < 1e-3);
  assert.deepEqual([flipped.place(-2), flipped.place(8), flipped.place(INF)], [1, 0, 0]);
  assert.equal(shownAxis(WIDTH, { scale: "log" }).scale, "linear");
  assert.deepEqual(shownAxis(SCORE, { isFull: true }, 4).place(0.1), 0);
  assert.equal(shownAxis(SCORE).place(0.1), 0);
  assert.deepEqual(shownAxis({ ...WIDTH, min: 1, max: 1000 }, { scale: "log" }).ticks.map((t) => t[1]),
    ["1", "10", "100", "1\u202f000"]);
  assert.equal(scaleNote("loguniform", linear, false), "loguniform · linear axis");
  assert.equal(scaleNote("uniform", flipped, true), "flipped");
});

test("ranges of one axis are joined with or, axes with and", () => {
  assert.deepEqual(inside([[0, [[0, 1e-3], [0.5, INF]]]]), [1, 3]);
  assert.deepEqual(inside([[0, [[0, 1e-3], [0.5, INF]]], [1, [[5, 8]]]]), [3]);
  assert.deepEqual(inside([[1, [[-INF, INF]]]]), [1, 3]);
  assert.deepEqual(inside([[1, ["n/a"]]]), [2]);
  assert.deepEqual(inside([]), [1, 2, 3]);
});

test("a range to the end of an axis is open there, also where the axis is flipped", () => {
  const width = shownAxis(WIDTH);

  assert.deepEqual(rangeBetween(WIDTH, width, 0.5, 1), [3, INF]);
  assert.deepEqual(rangeBetween(WIDTH, width, 0.5, 0), [-INF, 3]);
  assert.deepEqual(rangeBetween(WIDTH, shownAxis(WIDTH, { isFlipped: true }), 0.5, 1), [-INF, 3]);
});

test("categories are taken as a whole, and clicked one by one", () => {
  const kind = shownAxis(KIND);

  assert.deepEqual(rangeBetween(KIND, kind, 0.4, 0.6), [0.5, 1.5]);
  assert.deepEqual(rangeBetween(KIND, kind, 1 / 3, 1), [0.5, 2.5]);
  assert.deepEqual(toggledCategory(KIND, [[-0.5, 2.5]], 1), [[-0.5, 0.5], [1.5, 2.5]]);
  assert.deepEqual(toggledCategory(KIND, [[-0.5, 0.5], [1.5, 2.5]], 1), [[-0.5, 2.5]]);
  assert.equal(pickText(KIND, [0.5, 2.5]), "sgd, rms prop");
  assert.deepEqual(inside([[2, [[0.5, 1.5]]]]), [2]);
});

test("ranges that touch become one, rails stay single", () => {
  assert.deepEqual(merged([[3, 5], "n/a", [1, 2], [4, 8]]), [[1, 2], [3, 8], "n/a"]);
  assert.deepEqual(toggledRail(["n/a"], "n/a"), []);
  assert.deepEqual(freePlace(shownAxis(WIDTH), [[-2, 3]]), [0.625, 0.875]);
});

test("ranges are said in values", () => {
  assert.equal(pickText(RATE, [0.001, 0.1]), "0.001 to 0.1");
  assert.equal(pickText(RATE, [-INF, 0.1]), "up to 0.1");
  assert.equal(pickText(SCORE, [0.5, INF], 4), "from 0.5000");
});

test("the address holds the whole view without loss", () => {
  const view = {
    order: [2, 0, 3], top: 2, hasRails: true,
    settings: new Map([[0, { isFlipped: true, scale: "linear" }], [3, { isFull: true }]]),
    picks: new Map([[0, [[0.001, 0.1], [0.5, INF]]], [2, [[0.5, 2.5]]], [1, ["n/a"]], [3, ["failed"]]]),
  };

  const written = writeView(view, chart.axes);

  assert.deepEqual(written, {
    axes: "2,0flin,mfull", ranges: "0:0.001..0.1,0:0.5..,2:1..2,1:na,m:failed", top: 2, rails: "1",
  });
  assert.deepEqual(readView(written, chart.axes), view);
});

test("a plain view needs no place in the address, and what does not fit is left out", () => {
  assert.deepEqual(writeView(plainView(4), chart.axes), { axes: "", ranges: "", top: "", rails: "" });
  assert.deepEqual(readView({
    axes: "0,9", ranges: "7:0..1,x,0:a..b,2:5..9,0:1", top: "-3", rails: "yes",
  }, chart.axes), plainView(4));
  assert.deepEqual(readView({ axes: "1,0" }, chart.axes).order, [1, 0, 3]);
});

test("what is picked becomes a filter of the runs table", () => {
  const options = { hasRails: true, floor: null, isHigher: true, metricName: "best" };
  const filter = (picks, more = {}) => filterOf(chart, { picks: new Map(picks), ...options, ...more }, [3, 4]);

  assert.equal(filter([[0, [[0.001, 0.1]]], [3, [[0.5, INF]]]]), "params.rate:0.001..0.1 best>=0.5");
  assert.equal(filter([[1, [[-INF, 1], [2, 3]]]]), "params.width<=3 -params.width:1..2");
  assert.equal(filter([[2, [[0.5, 2.5]]]]), 'params.kind=sgd,"rms prop"');
  assert.equal(filter([[1, ["n/a"]]]), "params.width:none");
  assert.equal(filter([], { floor: 0.65 }), "best>=0.65");
  // Runs without a value are only inside where they are drawn.
  assert.equal(filter([[1, [[1, 2]]]], { hasRails: false }), "params.width:1..2 best:any");
  // What has no words is said by numbers.
  assert.equal(filter([[1, [[1, 2], "n/a"]]]), "number:2,3");
  assert.equal(filter([[3, [[0.5, INF]]]], { metricName: "" }), "number:2,3");
  assert.equal(quoted('a "b"'), '"a \\"b\\""');
});

test("what is picked becomes the search space of another sweep", () => {
  const region = (picks, top = 0) => regionOf(chart, { picks: new Map(picks), top }, [3, 4]);

  assert.deepEqual(region([[0, [[0.001, 0.01], [0.1, INF]]], [2, [[0.5, 1.5]]]]),
    { rate: [0.001, null], kind: ["sgd"] });
  // Where only the metric is narrowed: where its runs are, with some room.
  const best = region([[3, [[0.5, INF]]]]);
  assert.deepEqual(best.kind, ["sgd", "rms prop"]);
  assert.ok(best.rate[0] > 0.006 && best.rate[0] < 0.0064 && best.rate[1] === null);
  assert.deepEqual(region([]), {});
});

test("the caption counts runs that are not drawn, and why", () => {
  const caption = (parts, shown) => captionOf({ chart, state: viewWith(parts), shown });

  assert.equal(caption({}, chart.valued), "2 of 5 not drawn: 1 failed, 1 canceled");
  assert.equal(caption({ top: 2 }, chart.valued.slice(-2)),
    "3 of 5 not drawn: 1 failed, 1 canceled, 1 below the top 2");
  assert.equal(caption({ hasRails: true, order: [0, 2, 3] }, [0, 1, 2, 3, 4]),
    "2 of 5 on rails, without a value: 1 failed, 1 canceled. Axis hidden: width");
  assert.equal(floorOf({ chart, state: viewWith({ top: 2 }), shown: chart.valued.slice(-2) }), 0.65);
});

test("the slider goes over round numbers to all", () => {
  assert.deepEqual(stopsFor(12), [1, 2, 3, 5, 10, 0]);
  assert.deepEqual(stopsFor(12, 7), [1, 2, 3, 5, 7, 10, 0]);
});
