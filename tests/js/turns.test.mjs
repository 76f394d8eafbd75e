import assert from "node:assert/strict";
import { test } from "node:test";

import { takeTurn } from "../../static/js/charts/turns.js";

const frames = [];
globalThis.requestAnimationFrame = (callback) => frames.push(callback);
globalThis.requestIdleCallback = (callback) => callback();
const timers = [];
let now = 0;
globalThis.setTimeout = (callback, ms = 0) => timers.push({ callback, at: now + ms });

const nextFrame = () => frames.splice(0).forEach((callback) => callback());
/** Asks for a turn; tells whether it came. */
function wait() {
  const asked = { isIn: false };
  takeTurn().then(() => {
    asked.isIn = true;
  });
  return asked;
}
/** Lets time pass, and promises follow. */
async function pass(ms) {
  const end = now + ms;
  for (;;) {
    for (let i = 0; i < 20; i += 1) await null;
    timers.sort((a, b) => a.at - b.at);
    if (!timers.length || timers[0].at > end) break;
    const { callback, at } = timers.shift();
    now = at;
    callback();
  }
  now = end;
}

test("charts of the library wait until lines stand on the screen, not only until they are drawn", async () => {
  const leave = await takeTurn(true);
  const other = wait();
  await pass(1);
  leave();
  nextFrame(); // draws the lines
  nextFrame(); // begins while they are put together
  await pass(1);
  assert.ok(!other.isIn);
  nextFrame();
  nextFrame();
  await pass(1);
  assert.ok(other.isIn);
});

test("a server that does not answer is not waited for, lines that are being drawn are", async () => {
  const [leave] = [await takeTurn(true), await takeTurn(true)];
  const first = wait();
  await pass(1);
  leave();
  await pass(9000);
  assert.ok(!first.isIn);
  for (let n = 0; n < 4; n += 1) nextFrame();
  await pass(500);
  assert.ok(first.isIn);
});
