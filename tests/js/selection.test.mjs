import assert from "node:assert/strict";
import { test } from "node:test";

import { createSelection, MOST_PINS } from "../../static/js/lib/selection.js";

function recorded(pins) {
  const selection = createSelection(pins);
  const changes = [];
  const stop = selection.subscribe((change) => changes.push(change));
  return { selection, changes, stop };
}

test("pointing at a run is told once to everybody", () => {
  const { selection, changes } = recorded();

  selection.hover(4, "table");
  selection.hover(4, "scatter");
  selection.hover(null, "table");

  assert.deepEqual(changes, [
    { kind: "hover", run: 4, from: "table" }, { kind: "hover", run: null, from: "table" },
  ]);
});

test("a part that the pointer left does not take away what another part points at", () => {
  const { selection } = recorded();

  selection.hover(4, "scatter");
  selection.hover(9, "list");
  selection.hover(null, "scatter");

  assert.equal(selection.run, 9);
});

test("run 0 is a run like any other", () => {
  const { selection, changes } = recorded();

  selection.hover(0);
  selection.pin(0);

  assert.equal(selection.run, 0);
  assert.deepEqual(selection.pins, [0]);
  assert.deepEqual(changes.map((change) => change.kind), ["hover", "pin"]);
});

test("pins keep their order, which is their colour", () => {
  const { selection } = recorded([7, 3, 7]);

  selection.pin(5);
  selection.pin(7);

  assert.deepEqual(selection.pins, [3, 5]);
  assert.deepEqual([3, 5, 7].map(selection.pinOf), [0, 1, -1]);
});

test("the ninth pin is refused, said, and changes nothing", () => {
  const { selection, changes } = recorded([...Array(MOST_PINS).keys()]);

  assert.equal(selection.pin(99), false);
  assert.equal(selection.pins.length, MOST_PINS);
  assert.deepEqual(changes, [{ kind: "full", run: 99, from: "" }]);
  assert.equal(selection.pin(0), true);
});

test("a list of pins that somebody changes is not the selection's own", () => {
  const { selection } = recorded([1]);

  selection.pins.push(2);

  assert.deepEqual(selection.pins, [1]);
});

test("who stops listening hears nothing", () => {
  const { selection, changes, stop } = recorded();

  stop();
  selection.hover(1);

  assert.deepEqual(changes, []);
});
