import assert from "node:assert/strict";
import { test } from "node:test";

import { reconnectWait } from "../../static/js/lib/hints.js";

test("waits grow up to fifteen seconds and are spread by a quarter", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 50].map((n) => reconnectWait(n, 0.5)), [1, 2, 4, 8, 15, 15]);
  assert.equal(reconnectWait(4, 0), 11.25);
  assert.equal(reconnectWait(4, 1), 18.75);
});
