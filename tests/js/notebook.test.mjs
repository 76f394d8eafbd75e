// The notebook's widget, its pure parts: order of the table, points as lines, states, themes.
import assert from "node:assert/strict";
import { test } from "node:test";

import { groupsOf } from "../../static/js/notebook/head.js";
import { isKept } from "../../static/js/notebook/keys.js";
import { emptyNote, linesOfPoints } from "../../static/js/notebook/metrics.js";
import { sortedRuns } from "../../static/js/notebook/table.js";
import { saysDark } from "../../static/js/notebook/theme.js";

const run = (number, value, more = {}) => ({ number, value, ...more });

test("runs are sorted both ways with empty values last and ties by number", () => {
  const runs = [run(0, 0.5), run(1, null), run(2, 0.9), run(3, 0.5), run(4, NaN)];
  const numbers = (isDown) => sortedRuns(runs, (each) => each.value, isDown).map((each) => each.number);

  assert.deepEqual(numbers(true), [2, 0, 3, 1, 4]);
  assert.deepEqual(numbers(false), [0, 3, 2, 1, 4]);
});

test("values of several kinds have an order, too", () => {
  const runs = [run(0, "b"), run(1, 10), run(2, "a"), run(3, 9)];

  assert.deepEqual(sortedRuns(runs, (each) => each.value, false).map((each) => each.number), [3, 1, 2, 0]);
});

test("a run that was the best when it came holds its value until the next better one", () => {
  const runs = [run(0, 0.2), run(1, 0.1), run(2, null), run(3, 0.4), run(5, 0.3)];

  const { lines, leaders } = linesOfPoints(runs, "accuracy", "maximize");

  assert.deepEqual([...leaders], [0, 3]);
  assert.deepEqual([...lines.lines.keys()], [0, 1, 3, 5]);
  const xs = (number) => [...lines.get(number).x.slice(0, lines.get(number).size)];
  assert.deepEqual([xs(0), xs(1), xs(3), xs(5)], [[0, 3], [1], [3, 5], [5]]);
  assert.deepEqual(lines.get(0).values(), [0.2, 0.2]);
  assert.deepEqual([...linesOfPoints(runs, "loss", "minimize").leaders], [0, 1]);
});

test("a chart over steps says that steps are missing", () => {
  assert.equal(emptyNote({ metric: "loss", x: "interval" }), "No run has reported loss yet.");
  assert.equal(emptyNote({ metric: "loss", x: "step" }), "No run has reported loss with a step yet.");
});

test("runs that were stopped early are not counted as canceled as well", () => {
  const counts = { Completed: 3, Canceled: 5, Queued: 1, NotStarted: 2, Running: 2 };

  assert.deepEqual(groupsOf({ counts, stopped_early: 4 }), [
    ["completed", "Completed", 3], ["terminated", "Stopped early", 4], ["canceled", "Canceled", 1],
    ["running", "Running", 2], ["queued", "Waiting", 3],
  ]);
  assert.deepEqual(groupsOf({ counts: {}, stopped_early: 0 }), []);
});

test("JupyterLab and VS Code say whether they are dark", () => {
  assert.equal(saysDark({ jpThemeLight: "false" }), true);
  assert.equal(saysDark({ jpThemeLight: "true" }), false);
  assert.equal(saysDark({ vscodeThemeKind: "vscode-dark" }), true);
  assert.equal(saysDark({ vscodeThemeKind: "vscode-high-contrast" }), true);
  assert.equal(saysDark({ vscodeThemeKind: "vscode-high-contrast-light" }), false);
  assert.equal(saysDark({}), null);
});

test("plain keys and those that a chart has used stay in the widget", () => {
  const kept = (key, more = {}) => isKept({ key, ...more });

  assert.deepEqual(["x", "d", "Enter", "ArrowDown", "Delete", " "].filter((key) => !kept(key)), []);
  assert.equal(kept("ArrowUp", { shiftKey: true }), true);
  assert.deepEqual(["Escape", "Tab", "F1"].filter((key) => kept(key)), []);
  assert.deepEqual(["ctrlKey", "metaKey", "altKey"].filter((name) => kept("s", { [name]: true })), []);
  assert.equal(kept("ArrowLeft", { altKey: true, defaultPrevented: true }), true);
});
