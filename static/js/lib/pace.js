// How long a page waits before it asks for the same thing again.

// A studio that takes long to answer is asked less often, but not so seldom that a page looks dead.
const SHARE = 15;
const MOST_MS = 8000;
const FIRST_RETRY_MS = 3000;
const LAST_RETRY_MS = 60000;

/** Milliseconds until the next question: `least`, or many times what the last answer took. */
export function pauseAfter(least, cost) {
  return Math.max(least, Math.min(SHARE * cost, MOST_MS));
}

/** Milliseconds until a question that has failed so many times in a row is asked again. */
export function pauseAfterFailures(times) {
  return Math.min(FIRST_RETRY_MS * 2 ** (times - 1), LAST_RETRY_MS);
}

/**
 * Returns a function that plans `act`: `rest` milliseconds after it was called for the last time, but
 * at most `most` after the first time.
 */
export function whenRested(act, { rest, most }) {
  let timer = 0;
  let latest = 0;
  const run = () => {
    timer = 0;
    act();
  };
  return () => {
    const now = performance.now();
    if (!timer) latest = now + most;
    clearTimeout(timer);
    timer = setTimeout(run, Math.min(rest, latest - now));
  };
}
