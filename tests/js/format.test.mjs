// The same table as tests/core/test_formats.py: page and script must write numbers alike.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as format from "../../static/js/lib/format.js";
import { progress, progressParts, sparkPath } from "../../static/js/lib/marks.js";

const table = JSON.parse(readFileSync(new URL("../golden/formats.json", import.meta.url)));

const writers = {
  param: (value) => format.formatParam(value),
  metric: (value, digits) => format.formatMetric(value, digits),
  digits: (values) => format.metricDigits(values),
  duration: (seconds) => format.formatDuration(seconds),
  count: (value) => format.formatCount(value),
  ago: (when, now) => format.formatAgo(when, now),
  progress: (counts) => progressParts(counts).map(([css, , n]) => [css, n]),
  spark: (values) => sparkPath(values)?.points ?? null,
};

for (const [name, write] of Object.entries(writers)) {
  test(`${name} follows the shared table`, () => {
    for (const row of table[name]) {
      const expected = row[row.length - 1];
      assert.deepEqual(write(...row.slice(0, -1)), expected, JSON.stringify(row));
    }
  });
}

test("progress of more runs than planned is full, not wider", () => {
  globalThis.document = { getElementById: () => null };
  const markup = String(progress({ Completed: 30, Failed: 10 }, 20));

  assert.match(markup, /x="0" width="75"/);
  assert.match(markup, /x="75" width="25"/);
  delete globalThis.document;
});
