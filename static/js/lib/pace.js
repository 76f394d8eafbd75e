// How long a page waits before it asks for the same thing again.

// A studio that takes long to answer is asked less often, but not so seldom that a page looks dead.
const SHARE = 15;
const MOST_MS = 8000;

/** Milliseconds until the next question: `least`, or many times what the last answer took. */
export function pauseAfter(least, cost) {
  return Math.max(least, Math.min(SHARE * cost, MOST_MS));
}
