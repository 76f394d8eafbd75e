// The metrics chart's lines: unpacked, grown, scaled, smoothed, found under the pointer.
import assert from "node:assert/strict";
import { test } from "node:test";

import { CurveLines, unpackCurves } from "../../static/js/charts/curve_lines.js";
import { placeRange, valueRange } from "../../static/js/charts/line_domain.js";
import { frameOf, limitAt, limitLabel, limitPath } from "../../static/js/charts/line_frame.js";
import { boxOf } from "../../static/js/charts/line_pointer.js";
import { domainOf, groupOf } from "../../static/js/charts/line_styles.js";
import { captionOf } from "../../static/js/charts/line_words.js";
import { nearestLine } from "../../static/js/charts/nearest_line.js";
import { makeScale, zoomedRange } from "../../static/js/charts/scale.js";
import { smoothed } from "../../static/js/charts/smooth.js";
import { fitsIn, readZoom, widened, writeZoom } from "../../static/js/charts/zoom_address.js";

const packed = (array, dtype, more = {}) => ({
  dtype, bdata: Buffer.from(array.buffer).toString("base64"), ...more,
});
const line = (y, number = 0) => ({
  number, x: Float64Array.from(y, (_, i) => i + 1), y: Float64Array.from(y), size: y.length,
  reports: y.length,
});
const feed = (first, values, more = {}) => ({
  first, values, steps: null, times: values.map((_, i) => 100 + first + i), ...more,
});
const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

function answer(more = {}) {
  return {
    metric: "accuracy", x: "interval", low: null, high: null, is_whole: true, numbers: [4, 7],
    reports: [3, 2], begins: null, counts: packed(Uint32Array.of(3, 2), "u4"),
    xs: packed(Uint8Array.of(1, 1, 1, 1, 1), "u1", { is_delta: true }),
    ys: packed(Float32Array.of(0.25, NaN, 0.5, -0.25, 0), "f4"), base: 1, ...more,
  };
}

test("curves are unpacked: differences added up, each run from 0, the base added", () => {
  const curves = unpackCurves(answer());

  assert.deepEqual([...curves.get(4).x], [1, 2, 3]);
  assert.deepEqual([...curves.get(7).x], [1, 2]);
  assert.deepEqual([...curves.get(4).y], [1.25, NaN, 1.5]);
  assert.deepEqual(curves.get(7).values(), [0.75, 1]);
  assert.equal(curves.get(4).end(), 2);
  assert.deepEqual([curves.get(7).peak("maximize"), curves.get(7).peak("minimize")], [1, 0]);
});

test("points of the feed go to the end of their run, once", () => {
  const curves = unpackCurves(answer());

  assert.equal(curves.append(7, feed(1, [9, 2, NaN])), 2);
  assert.equal(curves.append(7, feed(1, [9, 2, NaN])), 0);

  assert.deepEqual([...curves.get(7).x.subarray(0, 4)], [1, 2, 3, 4]);
  assert.deepEqual(curves.get(7).values(), [0.75, 1, 2]);
  assert.deepEqual([curves.get(7).reports, curves.added], [4, 2]);
});

test("a run that has begun since gets a line, one with missing points does not", () => {
  const curves = unpackCurves(answer());

  assert.equal(curves.append(9, feed(0, [0.4])), 1);
  assert.equal(curves.append(12, feed(3, [0.4])), -1);

  assert.deepEqual([...curves.lines.keys()], [4, 7, 9]);
});

test("over steps reports without one have no place, and out of order only the server can tell", () => {
  const curves = new CurveLines({ metric: "m", x: "step" });

  assert.equal(curves.append(0, feed(0, [1, 2, 3], { steps: [10, null, 30] })), 2);
  assert.equal(curves.append(0, feed(3, [4], { steps: [20] })), -1);

  assert.deepEqual([...curves.get(0).x.subarray(0, 2)], [10, 30]);
});

test("over time a run goes on from its first report", () => {
  const known = unpackCurves(answer({
    x: "time", begins: [90, 50], xs: packed(Float64Array.of(0, 1, 2, 0, 5), "f8", { is_delta: false }),
  }));
  known.append(7, feed(2, [3]));
  known.append(9, feed(0, [3, 4]));

  assert.deepEqual([...known.get(7).x.subarray(0, 3)], [0, 5, 52]);
  assert.deepEqual([...known.get(9).x.subarray(0, 2)], [0, 1]);
});

test("smoothing starts at the first value, leaves gaps, and counts the reports between points", () => {
  const whole = smoothed(line([1, 0, 0, NaN, 0]), 0.5, true);
  const sparse = { ...line([1, 0]), x: Float64Array.of(1, 4), reports: 4 };

  close(whole[0], 1);
  close(whole[1], 1 / 3);
  assert.ok(Number.isNaN(whole[3]));
  // Three reports at once: what is kept is 0.5 * 0.5 * 0.5.
  close(smoothed(sparse, 0.5, true)[1], 0.0625 / (0.0625 + 0.875));
});

test("a log scale has powers of ten, and no place for 0", () => {
  const scale = makeScale({ low: 0.001, high: 100, from: 300, to: 0, isLog: true });

  assert.deepEqual(scale.ticks(6).map((tick) => tick.value), [0.001, 0.01, 0.1, 1, 10, 100]);
  close(scale.value(scale.place(0.3)), 0.3);
  assert.ok(Number.isNaN(scale.place(0)));
  assert.ok(scale.place(1) > scale.place(2));
});

test("ticks are round numbers with the decimals they need", () => {
  const ticks = (low, high, isWhole = false) =>
    makeScale({ low, high, from: 0, to: 400, isWhole }).ticks(5).map((tick) => tick.text);

  assert.deepEqual(ticks(0, 1000), ["0", "200", "400", "600", "800", "1000"]);
  assert.deepEqual(ticks(-0.1, 0.31), ["−0.1", "0.0", "0.1", "0.2", "0.3"]);
  assert.deepEqual(ticks(0, 3, true), ["0", "1", "2", "3"]);
  assert.deepEqual(ticks(0, 4e6), ["0", "10⁶", "2×10⁶", "3×10⁶", "4×10⁶"]);
  const far = ticks(1.8e9, 1.8e9 + 20).slice(0, 2).map((text) => text.replace(/\D/g, ""));
  assert.deepEqual(far, ["1800000000", "1800000005"]);
  assert.equal(ticks(0.5, 0.5 + 4e-8)[1], "0.50000001");
});

test("zooming keeps what is under the pointer where it is", () => {
  for (const isLog of [false, true]) {
    const scale = makeScale({ low: 1, high: 100, from: 50, to: 450, isLog });
    const [low, high] = zoomedRange(scale, 20, 2);
    const zoomed = makeScale({ low, high, from: 50, to: 450, isLog });
    close(zoomed.place(20), scale.place(20));
    assert.ok(low > 1 && high < 100);
  }
});

test("one diverged run does not flatten the others, unless everything is asked for", () => {
  const lines = [...Array.from({ length: 9 }, (_, n) => line([0.5 + n / 100])), line([-50])];
  const focus = valueRange(lines, { goal: "maximize", isFull: false, isLog: false });
  const full = valueRange(lines, { goal: "maximize", isFull: true, isLog: false });

  assert.ok(focus[0] > 0.4 && focus[1] > 0.58 && focus[1] < 0.65);
  assert.ok(full[0] < -50);
});

test("the x axis of running runs has room to grow", () => {
  const lines = [line(Array.from({ length: 97 }, () => 1))];

  assert.deepEqual(placeRange(lines, { x: "interval", isLive: false }), [0, 97]);
  assert.deepEqual(placeRange(lines, { x: "interval", isLive: true }), [0, 100]);
  assert.deepEqual(placeRange([], { x: "interval", isLive: true }), [0, 1]);
});

test("the nearest line is found between its points, within reach", () => {
  const frame = frameOf({
    width: 600, height: 400, view: { x: [0, 10], y: [0, 1], isLog: false }, isWhole: true,
  });
  const lines = [line([0.1, 0.1, 0.1], 3), { ...line([0.9, NaN, 0.5, 0.5], 8) }];
  const find = (x, y) =>
    nearestLine(lines, (l) => l.y, frame, frame.x.place(x), frame.y.place(y));

  assert.equal(find(2.4, 0.12).line.number, 3);
  assert.deepEqual([find(3.4, 0.52).line.number, find(3.4, 0.52).at], [8, 2]);
  assert.equal(find(2, 0.5), null, "a gap is no line");
  assert.equal(find(9, 0.5), null);
});

test("a flat box zooms one axis, a full one both", () => {
  const plot = { left: 50, top: 10, width: 400, height: 300 };

  assert.deepEqual(boxOf(plot, [100, 50], [200, 55]), { left: 100, top: 10, width: 100, height: 300 });
  assert.deepEqual(boxOf(plot, [100, 50], [105, 150]), { left: 50, top: 50, width: 400, height: 100 });
  assert.deepEqual(boxOf(plot, [300, 200], [0, 50]), { left: 50, top: 50, width: 250, height: 150 });
});

test("the policy's limit is a line of steps that holds until the next evaluation", () => {
  const frame = { x: { place: (x) => 10 * x }, y: { place: (y) => (y > 0 ? 100 - y : NaN) } };

  assert.equal(limitPath([[2, 10], [4, 20], [6, -1]], frame), "M20.0,90.0H40.0V80.0");
  assert.deepEqual([limitAt([[2, 10], [4, 20]], 3), limitAt([[2, 10]], 1)], [10, null]);
});

test("the limit says its policy on the side with room, and only the number where there is none", () => {
  const frame = (width) => ({
    x: { place: (x) => 50 + x, low: 0, high: width },
    y: { place: (y) => 100 - y },
    plot: { left: 50, top: 10, width, height: 90 },
  });
  const texts = { rule: "Bandit, slack factor 0.1", words: (limit) => `stop below ${limit}` };
  const label = (at, width) => limitLabel([[at, 20]], frame(width), texts);

  const whole = "Bandit, slack factor 0.1: stop below 20";
  assert.deepEqual(label(550, 600), { at: [596, 74], anchor: "end", text: whole });
  assert.deepEqual(label(20, 600), { at: [74, 74], anchor: "start", text: whole });
  assert.deepEqual(label(150, 160), { at: [196, 74], anchor: "end", text: "stop below 20" });
  assert.equal(limitLabel([[700, 20]], frame(600), texts), null);
  const falling = limitLabel([[100, 30], [550, 20]], frame(600), texts);
  assert.deepEqual(falling.at, [596, 94]);
});

test("the zoom in the address is read back, nonsense is not", () => {
  const zoom = { x: [1, 20.5], y: [-0.5, 0.25] };

  assert.deepEqual(readZoom(writeZoom(zoom)), zoom);
  assert.deepEqual(["", "1,2,3", "5,1,0,1", "a,b,c,d"].map(readZoom), [null, null, null, null]);
  assert.equal(writeZoom(null), "");
  const [low, high] = widened([10, 20]);
  assert.ok(fitsIn([10, 20], { low, high }) && !fitsIn([5, 20], { low, high }));
});

test("groups of runs follow what became of them", () => {
  const group = (status, reason = "", last = 0.5) => groupOf({ status, end_reason: reason, last });

  assert.deepEqual(
    [group("Running"), group("Queued"), group("Canceled", "policy"), group("Canceled", "user"),
      group("CancelRequested", "policy"), group("Completed"), group("Completed", "finished", "NaN"),
      group("Failed")],
    ["running", "waiting", "stopped", "canceled", "stopped", "completed", "failed", "failed"],
  );
});

test("colours by value go from the 20th percentile to the best, whatever the goal", () => {
  const values = [NaN, 0.1, 0.5, 0.6, 0.7, 0.8, 0.9];

  assert.deepEqual(domainOf(values, "maximize"), [0.5, 0.9]);
  assert.deepEqual(domainOf(values, "minimize"), [0.8, 0.1]);
  assert.deepEqual(domainOf([NaN], "maximize"), [0, 1]);
});

test("the caption counts what is not drawn by its reason", () => {
  const groups = ["failed", "completed", "failed", "waiting", "completed"];
  const facts = { x: "step", groupOfRun: (run) => groups[run], hasValue: (run) => run === 4 };

  assert.equal(
    captionOf([0, 1, 2, 3, 4], (run) => run === 1, facts),
    "4 of 5 not drawn: 2 failed, 1 waiting, 1 without a step",
  );
  assert.equal(captionOf([1], () => true, facts), "");
});
