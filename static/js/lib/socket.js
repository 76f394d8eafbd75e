// The feed of one sweep: a socket, or polling where sockets are blocked. It starts again from the
// last cursor, so that nothing is missed and nothing comes twice.
import { getJson } from "./api.js";
import { reconnectWait } from "./hints.js";

const POLL_SECONDS = 3;
const OPEN_SECONDS = 5;
const OUTAGE_SECONDS = 3;
const MOST_CHANGES = 2000;
const SIGNED_OUT = 4401;
const NOT_FOUND = 4404;

function browser() {
  return {
    makeSocket(path) {
      const url = new URL(path, location.href);
      url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
      return new WebSocket(url);
    },
    getJson,
    now: () => Date.now(),
    random: () => Math.random(),
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (timer) => clearTimeout(timer),
  };
}

/**
 * Follows a sweep from `cursor` on. `onFrame({cursor, events})` gets each frame once and in order.
 * `onState(state, {since, retryAt, reason})` gets "live", "polling", "offline" or "paused"; `since`
 * is the time of the last answer in milliseconds.
 *
 * @param {{socketPath: string, eventsPath: string, cursor: number, onFrame: Function,
 *   onState: Function}} feed
 */
export function openFeed({ socketPath, eventsPath, cursor, onFrame, onState }, env = browser()) {
  let at = cursor;
  let socket = null;
  let attempt = 0;
  let lastAnswer = env.now();
  let retryAt = null;
  let isStopped = false;
  // One object a stretch of polling, so that an answer from an earlier stretch is told apart.
  let polling = null;
  const timers = { connect: 0, open: 0, outage: 0, poll: 0 };

  function later(name, seconds, callback) {
    env.clearTimeout(timers[name]);
    timers[name] = env.setTimeout(callback, seconds * 1000);
  }

  function quiet() {
    Object.values(timers).forEach((timer) => env.clearTimeout(timer));
    polling = null;
    const old = socket;
    socket = null;
    old?.close();
  }

  function tell(state, reason = "") {
    // While it asks as well, that is what comes next.
    const next = polling && state === "offline" ? env.now() + POLL_SECONDS * 1000 : Infinity;
    const soonest = Math.min(retryAt ?? Infinity, next);
    onState(state, { since: lastAnswer, retryAt: soonest < Infinity ? soonest : null, reason });
  }

  function take(frame) {
    lastAnswer = env.now();
    if (frame.cursor < at) return;
    at = frame.cursor;
    onFrame(frame);
  }

  async function poll() {
    const asked = at;
    const mine = polling;
    let isMore = false;
    try {
      const frame = await env.getJson(`${eventsPath}?after=${asked}&limit=${MOST_CHANGES}`);
      // Meanwhile the socket came back or the reader paused: this answer is out of turn.
      if (polling !== mine) return undefined;
      isMore = frame.cursor - asked >= MOST_CHANGES;
      take(frame);
      tell("polling");
    } catch (error) {
      if (polling !== mine) return undefined;
      if (error.status === 404) return end("gone");
      if (error.status === 401) return end("signed out");
      tell("offline");
    }
    later("poll", isMore ? 0 : POLL_SECONDS, poll);
    return undefined;
  }

  function startPolling() {
    env.clearTimeout(timers.outage);
    if (polling || isStopped) return;
    polling = {};
    poll();
  }

  function end(reason) {
    isStopped = true;
    quiet();
    tell("offline", reason);
  }

  function connect() {
    retryAt = null;
    env.clearTimeout(timers.connect);
    const mine = env.makeSocket(`${socketPath}?after=${at}`);
    let isHeard = false;
    socket = mine;
    later("open", OPEN_SECONDS, () => mine.close());
    mine.onmessage = (event) => {
      if (socket !== mine) return;
      isHeard = true;
      attempt = 0;
      polling = null;
      ["open", "outage", "poll"].forEach((name) => env.clearTimeout(timers[name]));
      take(JSON.parse(event.data));
      tell("live");
    };
    mine.onclose = (event) => {
      if (socket !== mine) return;
      socket = null;
      env.clearTimeout(timers.open);
      if (event.code === SIGNED_OUT) return end("signed out");
      if (event.code === NOT_FOUND) return end("gone");
      if (attempt > 0 && !isHeard) startPolling();
      else later("outage", OUTAGE_SECONDS, startPolling);
      const wait = reconnectWait(attempt, env.random());
      attempt += 1;
      retryAt = env.now() + wait * 1000;
      later("connect", wait, connect);
      return undefined;
    };
  }

  /** Where there is no socket at all, pages ask every few seconds. */
  function begin() {
    if (socketPath) connect();
    else startPolling();
  }

  begin();
  return {
    get cursor() {
      return at;
    },
    /** Stops listening; the page stays as it is. */
    pause() {
      isStopped = true;
      quiet();
      tell("paused");
    },
    /** Goes on from the last cursor. */
    resume() {
      isStopped = false;
      attempt = 0;
      begin();
    },
    /** Tries again now instead of after the wait. */
    retry() {
      if (isStopped || socket) return;
      attempt = 0;
      begin();
      if (polling) later("poll", 0, poll);
    },
  };
}
