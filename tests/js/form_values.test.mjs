// The same table as tests/core/test_form_codecs.py: tokens must split what the server splits.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { expandRange, joinValues, splitValues } from "../../static/js/form/values.js";

const table = JSON.parse(readFileSync(new URL("../golden/values.json", import.meta.url)));

test("values are split as on the server", () => {
  for (const [text, parts] of table) assert.deepEqual(splitValues(text), parts, text);
});

test("joined values split into the same values", () => {
  for (const [, parts] of table) assert.deepEqual(splitValues(joinValues(parts)), parts);
});

test("ranges expand as in Python", () => {
  assert.deepEqual(expandRange("range(1, 4)"), ["1", "2", "3"]);
  assert.deepEqual(expandRange(" range( 3 ) "), ["0", "1", "2"]);
  assert.deepEqual(expandRange("range(4, 0, -2)"), ["4", "2"]);
});

test("what is no short range stays text", () => {
  for (const text of ["range(a)", "range(5, 1)", "range(1, 9, 0)", "range(1000000)", "16"]) {
    assert.equal(expandRange(text), null, text);
  }
});
