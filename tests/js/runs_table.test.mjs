import assert from "node:assert/strict";
import { test } from "node:test";

import { complete, partAt, take } from "../../static/js/runs/completion.js";
import { createPicks, readPicks } from "../../static/js/runs/picks.js";

const COLUMNS = [
  { name: "learning_rate", kind: "value", hint: "hyperparameter", values: [] },
  { name: "optimizer", kind: "value", hint: "hyperparameter", values: ["adam", "adamw", '"s g d"'] },
  { name: '"val loss"', kind: "number", hint: "last value", values: [] },
  { name: "state", kind: "state", hint: "", values: ["failed", "completed"] },
  { name: "tags", kind: "marks", hint: "", values: ["team"] },
  { name: "reason", kind: "text", hint: "", values: [] },
];
const labels = (text, isAsked) => complete(text, text.length, COLUMNS, isAsked).items.map((i) => i.label);
const taken = (text, label) => {
  const found = complete(text, text.length, COLUMNS);
  return take(text, found, found.items.find((item) => item.label === label));
};

test("names are completed, those that begin with the letters first", () => {
  assert.deepEqual(labels("l"), ["learning_rate", '"val loss"']);
  assert.deepEqual(labels("status:failed op"), ["optimizer"]);
  assert.deepEqual(labels("-re"), ["reason"]);
  assert.deepEqual(labels(""), []);
  assert.equal(labels("", true).length, COLUMNS.length);
});

test("a taken name brings the sign that fits it", () => {
  assert.deepEqual(taken("learn", "learning_rate"), { text: "learning_rate<", caret: 14 });
  assert.equal(taken("opt", "optimizer").text, "optimizer=");
  assert.equal(taken("-stat", "state").text, "-state:");
  assert.equal(taken('"val', '"val loss"').text, '"val loss"<');
});

test("values are completed after the sign, one after the other", () => {
  assert.deepEqual(labels("state:f"), ["failed"]);
  assert.deepEqual(labels("status:"), ["failed", "completed"]);
  assert.deepEqual(labels("optimizer=adam,s"), ['"s g d"']);
  assert.deepEqual(taken("lr<1 status:failed,com", "completed"),
    { text: "lr<1 status:failed,completed ", caret: 29 });
  assert.deepEqual(labels("tag:"), ["team", "none", "any"]);
  assert.deepEqual(labels("learning_rate<"), []);
  assert.deepEqual(labels("nothing:"), []);
});

test("blanks and signs in quotes do not part a condition", () => {
  assert.deepEqual(partAt('a "val loss', 11), { from: 2, to: 11, word: '"val loss', isQuoted: true });
  assert.deepEqual(labels('reason:"a:b s'), []);
  const found = complete("stat lr<1", 4, COLUMNS);
  assert.equal(take("stat lr<1", found, found.items[0]).text, "state:lr<1");
});

function picksOf(numbers) {
  const changes = [];
  const picks = createPicks(numbers, () => changes.push(picks.numbers));
  return { picks, changes };
}

test("runs are picked one by one, as a range and by the page", () => {
  const { picks, changes } = picksOf([7]);
  const shown = [5, 3, 9, 1];

  picks.toggle(3, shown);
  picks.toggle(1, shown);
  assert.deepEqual(picks.numbers, [1, 3, 7, 9]);
  assert.equal(picks.ofPage(shown), "some");
  picks.togglePage(shown, true);
  assert.equal(picks.ofPage(shown), "all");
  picks.togglePage(shown, false);
  assert.deepEqual([picks.numbers, picks.ofPage(shown)], [[7], "none"]);
  assert.equal(changes.length, 4);
});

test("all that match is another thing than every row of the page", () => {
  const { picks } = picksOf([7]);

  picks.pickAll();
  assert.deepEqual([picks.isAll, picks.has(12), picks.size, picks.toParam()], [true, true, 0, ""]);
  picks.onFilter();
  assert.equal(picks.isAll, false);
  picks.pickAll();
  picks.toggle(4);
  assert.deepEqual([picks.isAll, picks.numbers], [false, [4]]);
});

test("picks stand in the address as long as it stays short", () => {
  const { picks } = picksOf(readPicks("12,3,x,-1,1e3,4"));

  assert.equal(picks.toParam(), "3,4,12");
  picks.togglePage(Array.from({ length: 200 }, (_, at) => at), true);
  assert.equal(picks.toParam(), "");
});
