// Dashboard: the parts that changed are fetched again when a sweep changes, and now and then, since
// slots, queue and workers also change with time alone.
import { $, studioConfig } from "../lib/dom.js";
import { listen } from "../lib/hints.js";
import { createRefresher } from "../lib/parts.js";
import { onLiveToggle, setLive } from "../lib/shell.js";

const HINT_MS = 3000;
const TIME_MS = 20000;

const refresh = createRefresher({
  filter(fragment) {
    // The first sweep of a fresh studio: there are no parts to put it into yet.
    if ($('[data-part="running"]', fragment) && !$('[data-part="running"]')) location.reload();
  },
});
let isPaused = false;
let since = new Date();
let pending = 0;
let last = 0;

/** Many sweeps at work give many hints: one look in three seconds is enough for all of them. */
function refreshSoon() {
  if (pending || isPaused) return;
  pending = setTimeout(() => {
    pending = 0;
    last = Date.now();
    refresh();
  }, Math.max(0, last + HINT_MS - Date.now()));
}

const line = listen(`${studioConfig().urls.home}ws/sweeps/`, {
  async onHint(message) {
    // Without a message something may have been missed, and it shows whether the studio is there.
    if (message === null) await fetch(studioConfig().urls.home + "healthz", { cache: "no-store" });
    refreshSoon();
  },
  onState(state, { retryAt = null } = {}) {
    if (state !== "offline") since = new Date();
    setLive(state, { since, retryAt, retry: () => line.retry() });
  },
});
onLiveToggle(() => {
  isPaused = !isPaused;
  if (isPaused) {
    line.pause();
    setLive("paused");
  } else line.resume();
});
setInterval(() => {
  if (!document.hidden) refreshSoon();
}, TIME_MS);
addEventListener("visibilitychange", () => {
  if (!document.hidden) refreshSoon();
});
