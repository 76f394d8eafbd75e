// A socket that only says "something changed"; the page then asks for what it shows.
// Reconnects with growing waits and jitter; where sockets are blocked it asks every few seconds.

const WAITS = [1, 2, 4, 8, 15];
const POLL_SECONDS = 5;
const FAILURES_BEFORE_POLLING = 2;

/** Wait before attempt `n` (from 0) in seconds, spread so that a crowd does not come back at once. */
export function reconnectWait(attempt, random = Math.random()) {
  return WAITS[Math.min(attempt, WAITS.length - 1)] * (0.75 + 0.5 * random);
}

function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/**
 * Listens at `path`. `onHint(message)` is called for each message, and with null whenever something
 * may have been missed; it returns a promise that fails when the server cannot be reached.
 * `onState(state, {since, retryAt})` gets "live", "polling" or "offline", the Date of the last answer,
 * and when the next attempt is in milliseconds. Returns {pause, resume, retry}.
 */
export function listen(path, { onHint, onState }) {
  let socket = null;
  let attempt = 0;
  let failures = 0;
  let timer = 0;
  let isPaused = false;
  let since = new Date();

  async function ask() {
    try {
      await onHint(null);
      since = new Date();
      return true;
    } catch {
      return false;
    }
  }

  async function poll(retryAt) {
    const isReached = await ask();
    if (isPaused) return;
    onState(isReached ? "polling" : "offline", { since, retryAt });
  }

  function connect() {
    clearTimeout(timer);
    let opened = false;
    const mine = new WebSocket(socketUrl(path));
    socket = mine;
    mine.addEventListener("open", () => {
      opened = true;
      attempt = 0;
      failures = 0;
      onState("live", { since, retryAt: null });
      ask();
    });
    mine.addEventListener("message", (event) => {
      Promise.resolve(onHint(JSON.parse(event.data))).catch(() => {});
    });
    mine.addEventListener("close", () => {
      // Paused, or another one has taken its place since then.
      if (socket !== mine) return;
      socket = null;
      if (opened) since = new Date();
      failures += opened ? 0 : 1;
      const wait = failures >= FAILURES_BEFORE_POLLING ? POLL_SECONDS : reconnectWait(attempt);
      attempt += 1;
      if (failures >= FAILURES_BEFORE_POLLING) poll(Date.now() + wait * 1000);
      timer = setTimeout(connect, wait * 1000);
    });
  }

  connect();
  return {
    pause() {
      isPaused = true;
      clearTimeout(timer);
      const old = socket;
      socket = null;
      old?.close();
    },
    resume() {
      isPaused = false;
      attempt = 0;
      connect();
    },
    retry() {
      attempt = 0;
      if (!socket) connect();
    },
  };
}
