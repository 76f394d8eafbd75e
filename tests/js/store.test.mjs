import assert from "node:assert/strict";
import { test } from "node:test";

import {
  applyFrame, createState, dropPoints, mergeChanges, noChanges, watchMetric, watchRun,
} from "../../static/js/lib/store.js";

const metrics = (cursor, first, values, extra = {}) => ({
  type: "metrics", cursor, run: "HD_1_3", number: 3, metric: "accuracy", first, values, steps: null,
  times: values.map((_, i) => first + i), ...extra,
});
const run = (cursor, status, number = 3) => ({
  type: "run", cursor, run: { number, status, id: `HD_1_${number}` },
});

function watching(metric = "accuracy") {
  const state = createState({ cursor: 10 });
  watchMetric(state, metric);
  return state;
}

test("points of deltas that overlap are kept once", () => {
  const state = watching();

  applyFrame(state, { cursor: 11, events: [metrics(11, 0, [0.1, 0.2])] });
  applyFrame(state, { cursor: 12, events: [metrics(12, 1, [0.2, 0.3])] });

  assert.deepEqual(state.curves.get("accuracy").get(3).values, [0.1, 0.2, 0.3]);
  assert.deepEqual(state.curves.get("accuracy").get(3).times, [0, 1, 2]);
});

test("a frame that comes twice changes nothing the second time", () => {
  const state = watching();
  const frame = { cursor: 12, events: [run(11, "Running"), metrics(12, 0, [0.5])] };

  applyFrame(state, frame);
  const again = applyFrame(state, frame);

  assert.deepEqual(again, noChanges());
  assert.equal(state.cursor, 12);
});

test("a gap in the points is named instead of guessed over", () => {
  const state = watching();
  applyFrame(state, { cursor: 11, events: [metrics(11, 0, [0.1])] });

  const changes = applyFrame(state, { cursor: 12, events: [metrics(12, 5, [0.6])] });

  assert.deepEqual([...changes.gaps], ["accuracy"]);
  assert.equal(state.curves.get("accuracy").has(3), false);
});

test("points of a metric that nobody draws are not kept", () => {
  const state = createState();

  const changes = applyFrame(state, { cursor: 1, events: [metrics(1, 0, [0.1])] });

  assert.equal(state.curves.size, 0);
  assert.equal(changes.metrics.size, 0);
});

test("the page of a run keeps all its metrics and nothing of other runs", () => {
  const state = createState();
  watchRun(state, 3);

  applyFrame(state, {
    cursor: 2,
    events: [
      metrics(1, 0, [0.1], { metric: "loss" }), metrics(2, 0, [0.9], { number: 4 }),
    ],
  });

  assert.deepEqual([...state.curves.keys()], ["loss"]);
  assert.deepEqual([...state.curves.get("loss").keys()], [3]);
});

test("values that JSON cannot write become numbers again", () => {
  const state = watching();

  applyFrame(state, { cursor: 11, events: [metrics(11, 0, ["NaN", "-Infinity", null, 1])] });

  assert.deepEqual(state.curves.get("accuracy").get(3).values, [NaN, -Infinity, null, 1]);
});

test("steps that begin late are lined up with the values", () => {
  const state = watching();

  applyFrame(state, { cursor: 11, events: [metrics(11, 0, [0.1])] });
  applyFrame(state, { cursor: 12, events: [metrics(12, 1, [0.2], { steps: [20] })] });
  applyFrame(state, { cursor: 13, events: [metrics(13, 2, [0.3])] });

  assert.deepEqual(state.curves.get("accuracy").get(3).steps, [null, 20, null]);
});

test("dropped points leave the rest in its place", () => {
  const state = watching();
  applyFrame(state, { cursor: 11, events: [metrics(11, 4, [0.4, 0.5, 0.6])] });

  dropPoints(state, "accuracy", 3, 6);
  applyFrame(state, { cursor: 12, events: [metrics(12, 6, [0.6, 0.7])] });

  const curve = state.curves.get("accuracy").get(3);
  assert.deepEqual([curve.first, curve.values], [6, [0.6, 0.7]]);
});

test("dropping more points than there are keeps none and loses no later one", () => {
  const state = watching();
  applyFrame(state, { cursor: 11, events: [metrics(11, 0, [0.1])] });

  dropPoints(state, "accuracy", 3, 5);
  applyFrame(state, { cursor: 12, events: [metrics(12, 1, [0.2])] });

  assert.deepEqual(state.curves.get("accuracy").get(3).values, [0.2]);
});

test("a run counts as moved when it is new or its status changes", () => {
  const state = createState();

  const first = applyFrame(state, { cursor: 1, events: [run(1, "Running")] });
  const second = applyFrame(state, { cursor: 2, events: [run(2, "Running")] });
  const third = applyFrame(state, { cursor: 3, events: [run(3, "Completed")] });

  assert.deepEqual([first, second, third].map((c) => [...c.moved]), [[3], [], [3]]);
  assert.deepEqual([...second.runs], [3]);
  assert.equal(state.runs.get(3).status, "Completed");
});

test("a run counts as scored when it is new or its best value changes", () => {
  const state = createState();
  const scored = (cursor, value) => applyFrame(state, {
    cursor,
    events: [{ type: "run", cursor, run: { number: 3, status: "Running", best: { value } } }],
  }).scored;

  assert.deepEqual([scored(1, 0.5), scored(2, 0.5), scored(3, 0.7)].map((s) => [...s]), [[3], [], [3]]);
});

test("the sweep keeps what an event does not name", () => {
  const state = createState({ sweep: { name: "digits", status: "Running" } });

  const changes = applyFrame(state, {
    cursor: 1, events: [{ type: "sweep", cursor: 1, sweep: { status: "Completed" } }],
  });

  assert.deepEqual(state.sweep, { name: "digits", status: "Completed" });
  assert.equal(changes.sweep, true);
});

test("a new best is a number even when JSON could not write it", () => {
  const state = createState();

  applyFrame(state, {
    cursor: 1, events: [{ type: "best", cursor: 1, run: "HD_1_2", number: 2, value: 0.9 }],
  });

  assert.deepEqual(state.best, { id: "HD_1_2", number: 2, value: 0.9 });
});

test("kinds of events that this page does not know are passed over", () => {
  const state = createState();

  const changes = applyFrame(state, { cursor: 4, events: [{ type: "weather", cursor: 4 }] });

  assert.deepEqual([changes, state.cursor], [noChanges(), 4]);
});

test("merged changes hold everything of both", () => {
  const state = watching();
  const a = applyFrame(state, { cursor: 11, events: [metrics(11, 0, [0.1]), run(11, "Running", 1)] });
  const b = applyFrame(state, {
    cursor: 13,
    events: [
      metrics(12, 0, [0.1], { number: 4 }), run(12, "Running", 2),
      { type: "log", cursor: 13, kind: "run", message: "Run 2: Running", run: null, time: "" },
    ],
  });

  const merged = mergeChanges(mergeChanges(noChanges(), a), b);

  assert.deepEqual([...merged.metrics.get("accuracy")], [3, 4]);
  assert.deepEqual([...merged.runs], [1, 2]);
  assert.deepEqual(merged.log.map((line) => line.message), ["Run 2: Running"]);
});
