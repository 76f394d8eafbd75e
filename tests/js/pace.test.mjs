import assert from "node:assert/strict";
import test from "node:test";
import { pauseAfter, pauseAfterFailures } from "../../static/js/lib/pace.js";

test("a quick studio is asked at the usual pace, a slow one less often, a dead one still now and then", () => {
  assert.equal(pauseAfter(2000, 20), 2000);
  assert.equal(pauseAfter(2000, 300), 4500);
  assert.equal(pauseAfter(2000, 60000), 8000);
  assert.equal(pauseAfter(20000, 60000), 20000);
});

test("what fails is asked for again, less and less often, and never given up", () => {
  assert.deepEqual([1, 2, 3, 30].map(pauseAfterFailures), [3000, 6000, 12000, 60000]);
});
