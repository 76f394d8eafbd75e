import assert from "node:assert/strict";
import { test } from "node:test";

import { createAhead } from "../../static/js/lib/ahead.js";

/** An `ahead` whose clock moves when the test says so; `asked` has what was loaded. */
function make(load = async (address) => `answer of ${address}`) {
  const asked = [];
  const clock = { time: 0, timer: null };
  const ahead = createAhead((address, signal) => {
    asked.push({ address, signal });
    return load(address);
  }, {
    now: () => clock.time,
    setTimeout: (callback) => {
      clock.timer = callback;
      return callback;
    },
    clearTimeout: () => {
      clock.timer = null;
    },
  });
  return { ahead, asked, clock };
}

test("a link is asked for once the pointer rests on it, and the click takes the answer", async () => {
  const { ahead, asked, clock } = make();
  ahead.rest("?sort=a");
  assert.equal(asked.length, 0);
  ahead.rest(null);
  assert.equal(clock.timer, null);
  ahead.rest("?sort=b");
  clock.timer();
  ahead.want("?sort=b");
  assert.deepEqual(asked.map(({ address }) => address), ["?sort=b"]);
  assert.equal(await ahead.take("?sort=b").answer, "answer of ?sort=b");
  assert.equal(ahead.take("?sort=b"), null);
});

test("what is old, untrue or of another link is not taken", () => {
  const { ahead, asked, clock } = make();
  ahead.want("?a");
  assert.equal(ahead.take("?b"), null);
  assert.ok(asked[0].signal.aborted);
  ahead.want("?a");
  ahead.forget();
  assert.equal(ahead.take("?a"), null);
  ahead.want("?a");
  clock.time = 11000;
  assert.equal(ahead.take("?a"), null);
});

test("a click after a failure asks again", async () => {
  const { ahead } = make(async () => {
    throw new Error("gone");
  });
  ahead.want("?a");
  await new Promise((go) => setTimeout(go));
  assert.equal(ahead.take("?a"), null);
});
