import assert from "node:assert/strict";
import { test } from "node:test";

import { untilWords } from "../../static/js/lib/offline.js";
import { rowAfter } from "../../static/js/lib/run_order.js";

test("the banner counts down and never below one", () => {
  assert.equal(untilWords(8200, 0), "Trying again in 9 s.");
  assert.equal(untilWords(1, 0), "Trying again in 1 s.");
  assert.equal(untilWords(0, 500), "Trying again now.");
  assert.equal(untilWords(null, 0), "");
});

test("after rows are gone one goes on at the next that stays", () => {
  const after = (...ids) => rowAfter(["a", "b", "c", "d"], ids);

  assert.equal(after("b"), "c");
  assert.equal(after("b", "c"), "d");
  assert.equal(after("d"), "c");
  assert.equal(after("a", "b", "c", "d"), null);
});
