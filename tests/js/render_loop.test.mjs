import assert from "node:assert/strict";
import { test } from "node:test";

import { isLoop, tameLoops, wakeLoops } from "../../static/js/charts/render_loop.js";

const asked = [];
const clock = { now: 0 };
globalThis.window = { requestAnimationFrame: (callback) => asked.push(callback) };
performance.now = () => clock.now;

/** The loop as the chart library writes it. */
function makeLoop(chart) {
  return function loop() {
    chart._stopped || chart.contextLost || (chart.draw(), window.requestAnimationFrame(loop));
  };
}

test("a loop waits until it is woken, and everything else is asked for at once", () => {
  const chart = { drawn: 0, draw: () => (chart.drawn += 1) };
  const loop = makeLoop(chart);
  const other = () => {};
  assert.ok(isLoop(loop) && !isLoop(other));
  tameLoops();
  window.requestAnimationFrame(other);
  window.requestAnimationFrame(loop);
  assert.deepEqual(asked.splice(0), [other]);

  wakeLoops();
  asked.splice(0).forEach((callback) => callback());
  assert.equal(chart.drawn, 1);
  assert.deepEqual(asked, [loop]);
  clock.now = 5000;
  asked.splice(0).forEach((callback) => callback());
  assert.deepEqual([chart.drawn, asked.length], [2, 0]);

  chart._stopped = true;
  wakeLoops();
  asked.splice(0).forEach((callback) => callback());
  assert.deepEqual([chart.drawn, asked.length], [2, 0]);
});
