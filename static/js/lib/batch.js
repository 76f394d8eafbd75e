// Merges changes and hands them on at a pace that leaves the browser time to breathe.
import { mergeChanges, noChanges } from "./store.js";

const SHARE = 4;

/** Tells how long the next frame takes, with all that is asked for until then to be drawn in it. */
function measureFrame(tell) {
  requestAnimationFrame(() => {
    const start = performance.now();
    setTimeout(() => tell(performance.now() - start));
  });
}

/**
 * Calls `flush(changes)` with everything added since the last call, at most every `wait`
 * milliseconds and with pauses of at least four times what the last flush and the frame that shows
 * it took. While `isHidden()` nothing is flushed; call `wake()` when that ends.
 */
export function createBatch(flush, wait, env = {}) {
  const now = env.now ?? (() => performance.now());
  const schedule = env.setTimeout ?? ((callback, ms) => setTimeout(callback, ms));
  const isHidden = env.isHidden ?? (() => document.hidden);
  const measure = env.measureFrame ?? measureFrame;
  let pending = null;
  let timer = null;
  let last = -Infinity;
  let cost = 0;

  function run() {
    timer = null;
    if (pending === null || isHidden()) return;
    const changes = pending;
    pending = null;
    measure((took) => {
      cost += took;
    });
    const start = now();
    flush(changes);
    last = now();
    cost = last - start;
  }

  function plan() {
    if (timer !== null || pending === null || isHidden()) return;
    const pause = Math.max(wait, SHARE * cost);
    timer = schedule(run, Math.max(0, last + pause - now()));
  }

  return {
    add(changes) {
      pending = mergeChanges(pending ?? noChanges(), changes);
      plan();
    },
    wake: plan,
  };
}
