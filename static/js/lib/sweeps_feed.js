// The feed of the sweeps of a person, as lists of them follow it: its socket, the live badge with its
// switch, and one look at most every few seconds. What is looked at is the page's own affair.
import { studioConfig } from "./dom.js";
import { listen } from "./hints.js";
import { pauseAfter } from "./pace.js";
import { onLiveToggle, setLive } from "./shell.js";

const PAUSE_MS = 3000;

/**
 * Calls `look()` soon after sweeps have changed, and when somebody comes back to the tab; never while
 * nobody looks or live updates are paused. `look` returns a promise that fails when the studio cannot
 * be reached, and false when it left something in use as it was: it is called again once the focus
 * has moved. `concerns(id)` tells whether a sweep is of interest.
 *
 * @returns {() => Promise} looks soon, whether or not something has changed
 */
export function followSweeps(look, { pause = PAUSE_MS, concerns = () => true } = {}) {
  let isPaused = false;
  let isLeft = false;
  // The page itself was the first look.
  let last = Date.now();
  let cost = 0;
  let pending = null;

  async function lookNow() {
    pending = null;
    if (isPaused) return;
    const begun = Date.now();
    last = begun;
    isLeft = (await look()) === false;
    last = Date.now();
    cost = last - begun;
  }

  /** Many hints lead to one look. */
  function lookSoon() {
    if (document.hidden || isPaused) return Promise.resolve();
    pending ??= new Promise((begin) => {
      setTimeout(begin, Math.max(0, last + pauseAfter(pause, cost) - Date.now()));
    }).then(lookNow);
    return pending;
  }

  /** The badge says when the studio cannot be reached; the next hint looks again. */
  const tryLook = () => lookSoon().catch(() => {});

  const line = listen(`${studioConfig().urls.home}ws/sweeps/`, {
    onHint: (hint) => (!hint || hint.changed.some(concerns) ? lookSoon() : null),
    onState(state, { since, retryAt }) {
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
  addEventListener("visibilitychange", tryLook);
  addEventListener("focusout", () => isLeft && tryLook());
  return tryLook;
}
