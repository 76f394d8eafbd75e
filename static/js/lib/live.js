// Joins the feed of a sweep, its state and the live badge; pages say what to do with changes.
import { getJson } from "./api.js";
import { createBatch } from "./batch.js";
import { badge } from "./marks.js";
import { announce, onLiveToggle, setLive } from "./shell.js";
import { openFeed } from "./socket.js";
import { applyFrame, createState, watchMetric, watchRun } from "./store.js";

const TEXT_MS = 250;
// Less than between two frames of the feed, so that each is drawn when it comes: what keeps the
// browser from doing nothing else is that pauses grow with what drawing takes.
const CHART_MS = 100;
// How long after somebody repeated a run of an ended sweep its pages go on.
const REOPEN_MS = 10000;

const ENDS = {
  "signed out": "You were signed out. Reload the page to sign in again.",
  gone: "This sweep is not here any more.",
};

/**
 * Starts the live updates of a sweep page. `page` is its JSON block: {sweep, cursor, live, urls}.
 * Returns {state, onText, onCharts, watch, watchRun}: `onText(listener)` is called with changes at most every
 * 250 ms, `onCharts(listener)` every 100 ms, neither while the tab is hidden.
 */
export function startLive(page) {
  const best = page.sweep.best_run;
  const state = createState({ cursor: page.cursor, sweep: page.sweep, best });
  const text = new Set();
  const charts = new Set();
  const textBatch = createBatch((changes) => text.forEach((listen) => listen(changes)), TEXT_MS);
  const chartBatch = createBatch((changes) => charts.forEach((listen) => listen(changes)), CHART_MS);

  function onFrame(frame) {
    const changes = applyFrame(state, frame);
    if (!frame.events.length) return;
    say(changes);
    textBatch.add(changes);
    chartBatch.add(changes);
  }

  function say(changes) {
    if (changes.sweep && state.sweep.status !== page.sweep.status) {
      page.sweep.status = state.sweep.status;
      announce(`${page.sweep.name}: ${badge(state.sweep.status, state.sweep.end_reason).label}`);
    } else if (changes.best) {
      announce(`New best: run ${state.best.number}, ${page.sweep.metric} ${state.best.value}`);
    }
  }

  if (page.live) connect(page, onFrame);
  // The page of a run that has ended shows nothing of the others.
  else if (!page.run) awaitMore(page, () => connect(page, onFrame));
  addEventListener("visibilitychange", () => {
    textBatch.wake();
    chartBatch.wake();
  });
  return {
    state,
    onText: (listener) => text.add(listener),
    onCharts: (listener) => charts.add(listener),
    /** Keeps the points of a metric from now on: before its chart is fetched. */
    watch: (metric) => watchMetric(state, metric),
    /** Keeps the points of one run only, of all its metrics. */
    watchRun: (number) => watchRun(state, number),
  };
}

/** Asks now and then whether an ended sweep goes on, and begins to follow it when it does. */
function awaitMore(page, begin) {
  let isAsking = false;
  const timer = setInterval(ask, REOPEN_MS);
  addEventListener("visibilitychange", ask);

  function stop() {
    clearInterval(timer);
    removeEventListener("visibilitychange", ask);
  }

  async function ask() {
    if (document.hidden || isAsking) return;
    isAsking = true;
    try {
      const frame = await getJson(`${page.urls.events}?after=${page.cursor}&limit=1`);
      // A window of one change may hold no event, but it moves the cursor.
      if (frame.cursor > page.cursor) {
        stop();
        begin();
      }
    } catch (error) {
      if ([401, 403, 404].includes(error.status)) stop();
    }
    isAsking = false;
  }
}

function connect(page, onFrame) {
  let isPaused = false;
  let shown = "";
  const feed = openFeed({
    socketPath: page.urls.socket,
    eventsPath: page.urls.events,
    cursor: page.cursor,
    onFrame,
    onState(state, { since, retryAt, reason }) {
      if (state === shown && state !== "offline") return;
      shown = state;
      const note = ENDS[reason] ?? "";
      setLive(state, {
        since: new Date(since), retryAt, note, retry: note ? null : () => feed.retry(),
      });
    },
  });
  onLiveToggle(() => {
    isPaused = !isPaused;
    if (isPaused) feed.pause();
    else feed.resume();
  });
  addEventListener("online", () => feed.retry());
}
