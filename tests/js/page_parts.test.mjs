import assert from "node:assert/strict";
import { test } from "node:test";

import { createBatch } from "../../static/js/lib/batch.js";
import { fileName, toCsv } from "../../static/js/lib/csv.js";
import { appendText, createLog, MOST_LINES, overwrite } from "../../static/js/lib/log_text.js";
import { compareOrder, countMoved } from "../../static/js/lib/run_order.js";
import { noChanges } from "../../static/js/lib/store.js";
import { createRunsKnown } from "../../static/js/charts/runs_known.js";
import { smallPath } from "../../static/js/charts/small_line.js";

// Badges come from the JSON block of the page; here there is none.
globalThis.document = { getElementById: () => null };

/** A clock that moves when the test says so. */
function makeClock() {
  const clock = { time: 0, timers: [], hidden: false, frame: 0 };
  clock.env = {
    now: () => clock.time,
    isHidden: () => clock.hidden,
    measureFrame: (tell) => clock.timers.push({ at: clock.time, callback: () => tell(clock.frame) }),
    setTimeout: (callback, ms) => clock.timers.push({ at: clock.time + ms, callback }),
  };
  clock.wait = (ms) => {
    const until = clock.time + ms;
    for (;;) {
      clock.timers.sort((a, b) => a.at - b.at);
      if (!clock.timers.length || clock.timers[0].at > until) break;
      const timer = clock.timers.shift();
      clock.time = timer.at;
      timer.callback();
    }
    clock.time = until;
  };
  return clock;
}

const change = (...runs) => ({ ...noChanges(), runs: new Set(runs) });

test("changes are merged and handed on at most once in the wait", () => {
  const clock = makeClock();
  const flushed = [];
  const batch = createBatch((c) => flushed.push([clock.time, [...c.runs]]), 250, clock.env);

  batch.add(change(1));
  clock.wait(100);
  batch.add(change(2));
  batch.add(change(3));
  clock.wait(1000);

  assert.deepEqual(flushed, [[0, [1]], [250, [2, 3]]]);
});

test("a slow page gets longer pauses", () => {
  const clock = makeClock();
  const times = [];
  const batch = createBatch(() => {
    times.push(clock.time);
    clock.time += 200;
  }, 250, clock.env);

  batch.add(change(1));
  clock.wait(300);
  batch.add(change(2));
  clock.wait(2000);

  assert.deepEqual(times, [0, 1000]);
});

test("a page that is slow to draw what was changed gets longer pauses, too", () => {
  const clock = makeClock();
  const times = [];
  clock.frame = 150;
  const batch = createBatch(() => times.push(clock.time), 250, clock.env);

  batch.add(change(1));
  clock.wait(300);
  batch.add(change(2));
  clock.wait(2000);

  assert.deepEqual(times, [0, 600]);
});

test("nothing is drawn while the tab is hidden, everything at once afterwards", () => {
  const clock = makeClock();
  const flushed = [];
  const batch = createBatch((c) => flushed.push([...c.runs]), 250, clock.env);
  clock.hidden = true;

  batch.add(change(1));
  clock.wait(5000);
  batch.add(change(2));
  clock.hidden = false;
  batch.wake();
  clock.wait(0);

  assert.deepEqual(flushed, [[1, 2]]);
});

test("carriage returns overwrite as a terminal does", () => {
  assert.equal(overwrite("10%\r55%\r100%"), "100%");
  assert.equal(overwrite("loading...\rdone"), "doneing...");
  assert.equal(overwrite("plain"), "plain");
});

test("lines that come in pieces are put together, colours go", () => {
  const log = createLog();

  const first = appendText(log, "a\u001b[31mb");
  const second = appendText(log, "c\u001b[0m\r\nnext 1%\rnext 2%");

  assert.deepEqual(first, { added: [], rest: "ab" });
  assert.deepEqual(second, { added: ["abc"], rest: "next 2%" });
  assert.deepEqual(log.lines, ["abc"]);
});

test("a long log loses its beginning", () => {
  const log = createLog();

  appendText(log, "x\n".repeat(MOST_LINES + 10));

  assert.deepEqual([log.lines.length, log.dropped], [MOST_LINES, 10]);
});

test("CSV keeps digits, quotes what needs it and defuses formulas", () => {
  const text = toCsv(["run", 'a "b"'], [[1, 0.1 + 0.2], [2, "x,y"], [3, "=1+1"], [4, -0.5], [5, null]]);

  assert.equal(
    text,
    'run,"a ""b"""\r\n1,0.30000000000000004\r\n2,"x,y"\r\n3,\'=1+1\r\n4,-0.5\r\n5,\r\n',
  );
});

test("file names have nothing that a file system minds", () => {
  assert.equal(fileName("a/b <c>", "../x"), "a-b-c-..-x");
  assert.equal(fileName("///"), "chart");
});

test("only rows that have to move count as moved", () => {
  assert.equal(countMoved([1, 2, 3, 4], [1, 2, 3, 4]), 0);
  assert.equal(countMoved([1, 2, 3, 4], [4, 1, 2, 3]), 1);
  assert.equal(countMoved([1, 2, 3], [3, 2, 1]), 2);
  assert.equal(countMoved([], []), 0);
});

test("a newer page says which rows moved, came and went", () => {
  assert.deepEqual(compareOrder([1, 2, 3], [1, 2, 3, 4]),
    { moved: 0, added: [4], gone: 0, isLonger: true });
  assert.deepEqual(compareOrder([1, 2, 3], [3, 1, 5]),
    { moved: 1, added: [5], gone: 1, isLonger: false });
  assert.deepEqual(compareOrder([], [2]), { moved: 0, added: [2], gone: 0, isLonger: true });
});

test("what is known of runs is ranked by goal, without a value last", () => {
  const table = {
    columns: ["Run", "Status", "loss", "Reports", "lr"],
    rows: [[0, "Failed", null, 0, 0.1], [1, "Completed", 0.5, 3, 0.2], [2, "Completed", "NaN", 3, 0.3],
      [3, "Running", 0.25, 2, 0.4]],
  };
  const ranked = (goal) => {
    const known = createRunsKnown({ metric: "loss", goal, params: ["lr"], digits: 2 });
    known.take({ table });
    return known.ranked().map((one) => one.number);
  };

  assert.deepEqual(ranked("minimize"), [3, 1, 0, 2]);
  assert.deepEqual(ranked("maximize"), [1, 3, 0, 2]);
});

test("a small line has gaps where values are missing, and none without values", () => {
  const picture = smallPath({ x: [1, 2, 3, 4], y: [1, null, 3, 2] });

  assert.equal(picture.path.match(/M/g).length, 2);
  assert.deepEqual([picture.low, picture.high, picture.last], [1, 3, 2]);
  assert.equal(smallPath({ x: [1], y: [null] }), null);
});
