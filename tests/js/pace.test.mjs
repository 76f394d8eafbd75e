import assert from "node:assert/strict";
import test from "node:test";
import { pauseAfter, pauseAfterFailures, whenRested } from "../../static/js/lib/pace.js";

test("a quick studio is asked at the usual pace, a slow one less often, a dead one still now and then", () => {
  assert.equal(pauseAfter(2000, 20), 2000);
  assert.equal(pauseAfter(2000, 300), 4500);
  assert.equal(pauseAfter(2000, 60000), 8000);
  assert.equal(pauseAfter(20000, 60000), 20000);
});

test("what fails is asked for again, less and less often, and never given up", () => {
  assert.deepEqual([1, 2, 3, 30].map(pauseAfterFailures), [3000, 6000, 12000, 60000]);
});

test("what is not urgent waits for a rest, but not for ever", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const pass = (ms) => {
    now += ms;
    t.mock.timers.tick(ms);
  };
  let done = 0;
  const plan = whenRested(() => (done += 1), { rest: 3000, most: 8000 });

  plan();
  pass(2000);
  plan();
  pass(2999);
  assert.equal(done, 0, "changes still came");
  pass(1);
  assert.equal(done, 1, "they rest");

  for (let i = 0; i < 4; i += 1) {
    plan();
    pass(2000);
  }
  assert.equal(done, 2, "they do not rest");
  pass(10000);
  assert.equal(done, 2, "nothing is planned any more");
});
