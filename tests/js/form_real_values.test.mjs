import assert from "node:assert/strict";
import { test } from "node:test";

import { toExponent, toReal } from "../../static/js/form/real_values.js";

test("there and back gives what was typed", () => {
  for (const text of ["-9.2103", "-6", "0", "2.3026", "-0.5"]) {
    assert.equal(toExponent(toReal(text)), text);
  }
});

test("what is no number, or has no logarithm, stays for the check to name", () => {
  assert.deepEqual(["", "ten", "1e400"].map(toReal), ["", "ten", "1e400"]);
  assert.deepEqual(["", "0", "-3", "x"].map(toExponent), ["", "0", "-3", "x"]);
  assert.equal(toReal("9999"), "9999");
});
