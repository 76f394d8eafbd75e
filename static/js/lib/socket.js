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

/** What `openFeed` makes. */
class Feed {
  // Each of them waits for one thing; asking again starts the wait anew.
  timers = { connect: 0, open: 0, outage: 0, poll: 0 };
  socket = null;
  attempt = 0;
  retryAt = null;
  isStopped = false;
  // One object a stretch of polling, so that an answer from an earlier stretch is told apart.
  polling = null;

  constructor(feed, env) {
    Object.assign(this, feed);
    this.env = env;
    this.lastAnswer = env.now();
    this.begin();
  }

  later(name, seconds, callback) {
    this.env.clearTimeout(this.timers[name]);
    this.timers[name] = this.env.setTimeout(callback, seconds * 1000);
  }

  calm(...names) {
    names.forEach((name) => this.env.clearTimeout(this.timers[name]));
  }

  quiet() {
    this.calm(...Object.keys(this.timers));
    this.polling = null;
    const old = this.socket;
    this.socket = null;
    old?.close();
  }

  tell(state, reason = "") {
    // While it asks as well, that is what comes next.
    const isAsking = this.polling && state === "offline";
    const next = isAsking ? this.env.now() + POLL_SECONDS * 1000 : Infinity;
    const soonest = Math.min(this.retryAt ?? Infinity, next);
    const retryAt = soonest < Infinity ? soonest : null;
    this.onState(state, { since: this.lastAnswer, retryAt, reason });
  }

  take(frame) {
    this.lastAnswer = this.env.now();
    if (frame.cursor < this.cursor) return;
    this.cursor = frame.cursor;
    this.onFrame(frame);
  }

  async poll() {
    const asked = this.cursor;
    const mine = this.polling;
    let isMore = false;
    try {
      const path = `${this.eventsPath}?after=${asked}&limit=${MOST_CHANGES}`;
      const frame = await this.env.getJson(path);
      // Meanwhile the socket came back or the reader paused: this answer is out of turn.
      if (this.polling !== mine) return;
      isMore = frame.cursor - asked >= MOST_CHANGES;
      this.take(frame);
      this.tell("polling");
    } catch (error) {
      if (this.polling !== mine) return;
      const end = { 404: "gone", 401: "signed out" }[error.status];
      if (end) {
        this.end(end);
        return;
      }
      this.tell("offline");
    }
    this.later("poll", isMore ? 0 : POLL_SECONDS, () => this.poll());
  }

  startPolling() {
    this.calm("outage");
    if (this.polling || this.isStopped) return;
    this.polling = {};
    this.poll();
  }

  end(reason) {
    this.isStopped = true;
    this.quiet();
    this.tell("offline", reason);
  }

  connect() {
    this.retryAt = null;
    this.calm("connect");
    const socket = this.env.makeSocket(`${this.socketPath}?after=${this.cursor}`);
    this.socket = socket;
    this.isHeard = false;
    this.later("open", OPEN_SECONDS, () => socket.close());
    socket.onmessage = (event) => {
      if (this.socket === socket) this.hear(event);
    };
    socket.onclose = (event) => {
      if (this.socket === socket) this.lose(event);
    };
  }

  hear(event) {
    this.isHeard = true;
    this.attempt = 0;
    this.polling = null;
    this.calm("open", "outage", "poll");
    this.take(JSON.parse(event.data));
    this.tell("live");
  }

  lose({ code }) {
    this.socket = null;
    this.calm("open");
    const end = { [SIGNED_OUT]: "signed out", [NOT_FOUND]: "gone" }[code];
    if (end) {
      this.end(end);
      return;
    }
    if (this.attempt > 0 && !this.isHeard) this.startPolling();
    else this.later("outage", OUTAGE_SECONDS, () => this.startPolling());
    const wait = reconnectWait(this.attempt, this.env.random());
    this.attempt += 1;
    this.retryAt = this.env.now() + wait * 1000;
    this.later("connect", wait, () => this.connect());
  }

  /** Where there is no socket at all, pages ask every few seconds. */
  begin() {
    if (this.socketPath) this.connect();
    else this.startPolling();
  }

  /** Stops listening; the page stays as it is. */
  pause() {
    this.isStopped = true;
    this.quiet();
    this.tell("paused");
  }

  /** Goes on from the last cursor. */
  resume() {
    this.isStopped = false;
    this.attempt = 0;
    this.begin();
  }

  /** Tries again now instead of after the wait. */
  retry() {
    if (this.isStopped || this.socket) return;
    this.attempt = 0;
    this.begin();
    if (this.polling) this.later("poll", 0, () => this.poll());
  }
}

/**
 * Follows a sweep from `cursor` on. `onFrame({cursor, events})` gets each frame once and in order.
 * `onState(state, {since, retryAt, reason})` gets "live", "polling", "offline" or "paused"; `since`
 * is the time of the last answer in milliseconds. What it returns has `cursor`, pause(), resume() and
 * retry().
 *
 * @param {{socketPath: string, eventsPath: string, cursor: number, onFrame: Function,
 *   onState: Function}} feed
 */
export function openFeed({ socketPath, eventsPath, cursor, onFrame, onState }, env = browser()) {
  return new Feed({ socketPath, eventsPath, cursor, onFrame, onState }, env);
}
