// What a link leads to, asked for while the pointer rests on it: the click then waits for less.

const REST_MS = 65;
// Longer than between looking and clicking, shorter than anybody's memory of what stood there.
const FRESH_MS = 10000;

/**
 * Asks ahead with `load(address, signal)`, for one address at a time. `rest(address)`: the pointer is
 * there, null: it left; `want(address)`: asks at once; `take(address)` gives {answer, control} once,
 * or null; `forget()`: what was said is not true any more.
 */
export function createAhead(load, env = {}) {
  const now = env.now ?? (() => performance.now());
  const schedule = env.setTimeout ?? ((callback, ms) => setTimeout(callback, ms));
  const cancel = env.clearTimeout ?? ((timer) => clearTimeout(timer));
  let kept = null;
  let timer = null;

  const isFresh = (address) => kept?.address === address && now() - kept.at < FRESH_MS;

  function forget() {
    cancel(timer);
    kept?.control.abort();
    kept = null;
  }

  function want(address) {
    cancel(timer);
    if (isFresh(address)) return;
    forget();
    const control = new AbortController();
    const mine = { address, control, at: now(), answer: load(address, control.signal) };
    kept = mine;
    // A click that follows a failure asks again.
    mine.answer.catch(() => {
      if (kept === mine) kept = null;
    });
  }

  function rest(address) {
    cancel(timer);
    if (address !== null) timer = schedule(() => want(address), REST_MS);
  }

  function take(address) {
    const found = isFresh(address) ? kept : null;
    if (found) kept = null;
    forget();
    return found;
  }

  return { rest, want, take, forget };
}

/** Asks ahead for the links in `root` that match; `addressOf(link)` is what a click would ask for. */
export function watchLinks(root, selector, ahead, addressOf) {
  const linkAt = (event) => (event.pointerType === "touch" ? null : event.target.closest(selector));
  root.addEventListener("pointerover", (event) => {
    const link = linkAt(event);
    ahead.rest(link && !navigator.connection?.saveData ? addressOf(link) : null);
  });
  root.addEventListener("pointerleave", () => ahead.rest(null));
  root.addEventListener("pointerdown", (event) => {
    const link = linkAt(event);
    if (link && !event.button) ahead.want(addressOf(link));
  });
}
