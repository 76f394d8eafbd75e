import assert from "node:assert/strict";
import { test } from "node:test";

import { watchPointer, whenReleased } from "../../static/js/form/settle.js";

const handlers = {};
globalThis.addEventListener = (type, handler) => {
  handlers[type] = handler;
};
const later = () => new Promise((resolve) => setTimeout(resolve, 5));

test("changes wait for the release, the latest of each kind", async () => {
  const done = [];
  watchPointer();
  whenReleased("a", () => done.push("at once"));
  handlers.pointerdown();
  whenReleased("a", () => done.push("old"));
  whenReleased("b", () => done.push("other"));
  whenReleased("a", () => done.push("new"));
  assert.deepEqual(done, ["at once"]);

  handlers.pointerup();
  assert.deepEqual(done, ["at once"], "the click comes first");
  await later();
  assert.deepEqual(done, ["at once", "new", "other"]);
  whenReleased("a", () => done.push("again at once"));
  assert.equal(done.length, 4);
});

test("a drag that is taken over by the browser counts as a release", async () => {
  const done = [];
  handlers.pointerdown();
  whenReleased("a", () => done.push("change"));
  handlers.pointercancel();
  await later();
  assert.deepEqual(done, ["change"]);
});
