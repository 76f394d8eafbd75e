import assert from "node:assert/strict";
import { test } from "node:test";

import { openFeed } from "../../static/js/lib/socket.js";

/** A browser with a clock that the test moves on, sockets it opens and closes, and answers it gives. */
function makeWorld({ answers = [], socketPath = "/ws/sweeps/HD_1/" } = {}) {
  const world = {
    time: 0, timers: new Map(), next: 1, sockets: [], asked: [], frames: [], states: [], answers,
  };
  world.env = {
    makeSocket(path) {
      const socket = { path, close: () => socket.onclose?.({ code: 1006 }) };
      world.sockets.push(socket);
      return socket;
    },
    getJson: async (url) => {
      world.asked.push(url);
      const answer = world.answers.length > 1 ? world.answers.shift() : world.answers[0];
      if (!answer || answer instanceof Error) throw answer ?? new Error("nobody there");
      return answer;
    },
    now: () => world.time,
    random: () => 0.5,
    setTimeout(callback, ms) {
      world.timers.set(world.next, { at: world.time + ms, callback });
      return world.next++;
    },
    clearTimeout: (timer) => world.timers.delete(timer),
  };
  world.wait = async (seconds) => {
    const until = world.time + seconds * 1000;
    for (;;) {
      for (let i = 0; i < 5; i += 1) await null;
      const due = [...world.timers].filter(([, t]) => t.at <= until).sort((a, b) => a[1].at - b[1].at);
      if (!due.length) break;
      const [key, timer] = due[0];
      world.timers.delete(key);
      world.time = timer.at;
      timer.callback();
    }
    world.time = until;
  };
  world.feed = openFeed({
    socketPath, eventsPath: "/api/v1/sweeps/HD_1/events", cursor: 7,
    onFrame: (frame) => world.frames.push(frame),
    onState: (state, details) => world.states.push({ state, ...details }),
  }, world.env);
  world.socket = () => world.sockets.at(-1);
  world.send = (cursor, events = []) => {
    world.socket().onmessage({ data: JSON.stringify({ cursor, events }) });
  };
  world.drop = (code = 1006) => world.socket().onclose({ code });
  world.names = () => world.states.map((entry) => entry.state);
  return world;
}

test("the first frame makes it live", () => {
  const world = makeWorld();

  world.send(7);

  assert.equal(world.socket().path, "/ws/sweeps/HD_1/?after=7");
  assert.deepEqual(world.names(), ["live"]);
});

test("where there is no socket it asks from the start, and goes on after a pause", async () => {
  const world = makeWorld({ socketPath: "", answers: [{ cursor: 9, events: [] }] });
  await world.wait(7);
  assert.equal(world.asked.length, 3);
  assert.match(world.asked[1], /after=9&/);

  world.feed.pause();
  await world.wait(20);
  assert.equal(world.asked.length, 3);
  world.feed.resume();
  await world.wait(1);
  assert.equal(world.asked.length, 4);
  assert.equal(world.sockets.length, 0);
  assert.deepEqual(new Set(world.names()), new Set(["polling", "paused"]));
});

test("a dropped socket comes back at the last cursor without a poll in between", async () => {
  const world = makeWorld();
  world.send(12, [{ type: "log" }]);

  world.drop();
  await world.wait(1.5);
  world.send(15, [{ type: "log" }]);
  await world.wait(10);

  assert.deepEqual(world.sockets.map((s) => s.path.split("=")[1]), ["7", "12"]);
  assert.deepEqual(world.frames.map((frame) => frame.cursor), [12, 15]);
  assert.deepEqual(world.asked, []);
});

test("blocked sockets lead to polling from the cursor on", async () => {
  const world = makeWorld({ answers: [{ cursor: 9, events: [{ type: "log" }] }] });

  world.drop();
  await world.wait(1.1);
  world.drop();
  await world.wait(0);

  assert.deepEqual(world.asked, ["/api/v1/sweeps/HD_1/events?after=7&limit=2000"]);
  assert.equal(world.feed.cursor, 9);
  assert.equal(world.names().at(-1), "polling");
});

test("polling goes on until the socket is back", async () => {
  const world = makeWorld({ answers: [{ cursor: 9, events: [] }] });
  world.drop();
  await world.wait(1.1);
  world.drop();
  await world.wait(1);
  const before = world.asked.length;

  await world.wait(1.5);
  world.send(11);
  await world.wait(30);

  assert.equal(before, 1);
  assert.deepEqual(world.names().at(-1), "live");
  assert.equal(world.asked.length, 1);
});

test("an answer that comes after the socket is back is thrown away", async () => {
  const world = makeWorld({ answers: [{ cursor: 9, events: [{ type: "log" }] }] });
  world.drop();
  await world.wait(1.1);
  world.drop();
  world.env.makeSocket("late");
  world.feed.retry();

  world.send(11, [{ type: "log" }]);
  await world.wait(0);

  assert.deepEqual(world.frames.map((frame) => frame.cursor), [11]);
});

test("without any connection it is offline since the last answer and keeps trying", async () => {
  const world = makeWorld();
  world.send(7);
  await world.wait(4);

  world.drop();
  await world.wait(3.1);
  const shown = world.states.at(-1);

  assert.equal(shown.state, "offline");
  assert.equal(shown.since, 0);
  assert.ok(shown.retryAt > 0, "the banner counts down to it");
  assert.ok(world.sockets.length > 1);
});

test("waits between attempts grow to fifteen seconds", async () => {
  const world = makeWorld();
  const opened = [];
  for (let i = 0; i < 7; i += 1) {
    opened.push(world.time);
    world.drop();
    const { length } = world.sockets;
    while (world.sockets.length === length) await world.wait(0.5);
  }

  const waits = opened.slice(1).map((time, i) => (time - opened[i]) / 1000);
  assert.deepEqual(waits, [1, 2, 4, 8, 15, 15]);
});

test("a socket that never opens counts as blocked", async () => {
  const world = makeWorld({ answers: [{ cursor: 8, events: [] }] });

  await world.wait(5);
  await world.wait(6.5);

  assert.ok(world.asked.length >= 1);
  assert.equal(world.names()[0], "polling");
});

test("a person who was signed out is told so and is not asked for again", async () => {
  const world = makeWorld();

  world.drop(4401);
  await world.wait(120);

  assert.deepEqual(world.states.map((s) => [s.state, s.reason]), [["offline", "signed out"]]);
  assert.equal(world.sockets.length, 1);
});

test("a sweep that is gone ends the feed", async () => {
  const world = makeWorld();

  world.drop(4404);
  await world.wait(60);

  assert.equal(world.states.at(-1).reason, "gone");
  assert.equal(world.sockets.length, 1);
});

test("paused it neither listens nor asks, and goes on where it was", async () => {
  const world = makeWorld();
  world.send(20);

  world.feed.pause();
  await world.wait(60);
  world.feed.resume();

  assert.deepEqual(world.names(), ["live", "paused"]);
  assert.deepEqual(world.asked, []);
  assert.equal(world.socket().path, "/ws/sweeps/HD_1/?after=20");
});

test("a long absence is caught up with at once, piece by piece", async () => {
  const world = makeWorld({
    answers: [{ cursor: 2007, events: [{}] }, { cursor: 2010, events: [{}] }],
  });
  world.drop();
  await world.wait(1.1);
  world.drop();

  await world.wait(0.1);

  assert.deepEqual(world.asked.map((url) => url.match(/after=(\d+)/)[1]), ["7", "2007"]);
});
