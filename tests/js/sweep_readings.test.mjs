import assert from "node:assert/strict";
import { test } from "node:test";

import { standingMarkup } from "../../static/js/charts/standing.js";
import { parameterAt } from "../../static/js/charts/matrix_link.js";
import { readingAddress } from "../../static/js/pages/reading_switch.js";

test("another reading keeps the rest of the address and forgets the page of the list", () => {
  assert.equal(readingAddress("?q=lr&offset=50&reading=last", "step:20"), "?q=lr&reading=step%3A20");
  assert.equal(readingAddress("?reading=step&step=3&pins=1,2", "best"), "?pins=1%2C2");
});

test("a cell of the matrix belongs to the parameter of its block, a gap to none", () => {
  const blocks = [["lr", 0, 6], ["layers", 7, 10]];
  assert.deepEqual([0, 5, 6, 7, 9, 10].map((at) => parameterAt(blocks, at)),
    ["lr", "lr", null, "layers", "layers", null]);
});

test("the standing escapes names and says where the final top stood", () => {
  const markup = standingMarkup({
    standing: {
      words: "<b>2 runs</b>", compared: 2,
      ranking: [[4, 1, 0.5, null, null]], final: [[1, 1, 0.9, 2], [2, 2, 0.8, null]],
    },
    budget: { text: "3 reports", top: 2 },
  }, { valueText: String, urlOf: (run) => `/runs/${run}/` }).text;
  assert.match(markup, /&lt;b&gt;2 runs/);
  assert.match(markup, /not completed/);
  assert.match(markup, /of 2<\/span><\/td>\s*<td class="num">\+1/);
  assert.match(markup, /no value/);
});
