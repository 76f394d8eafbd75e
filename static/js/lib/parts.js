// Parts of a page that the server renders again: only those that changed are replaced, and none that
// somebody is using.
import { getFragment } from "./api.js";
import { $, $$ } from "./dom.js";
import { pauseAfter } from "./pace.js";
import { refreshTimes } from "./shell.js";

const REFRESH_MS = 2000;
// Where nothing but values grew.
const CALM_MS = 3000;

/** The source of a part without the words that change by themselves. */
function sourceOf(part) {
  return part.innerHTML.replace(/<time[^>]*>[^<]*<\/time>/g, "");
}

function isBusy(part) {
  // A dialog gives the focus back to the button that opened it, so the button must stay.
  const asks = $$("[data-dialog]", part).some((opener) => $(`#${opener.dataset.dialog}`)?.open);
  return asks || part.matches(":focus-within") || $("details[open]", part) !== null;
}

/** The sources of the parts that stand on the page, by their names. */
export function knownParts() {
  return new Map($$("[data-part]").map((part) => [part.dataset.part, sourceOf(part)]));
}

/** Replaces the parts of the page by those of a fragment; true when none was left for later. */
export function showParts(fragment, sources) {
  let isComplete = true;
  for (const part of fragment.querySelectorAll("[data-part]")) {
    const here = $(`[data-part="${part.dataset.part}"]`);
    const source = sourceOf(part);
    if (!here || sources.get(part.dataset.part) === source) continue;
    if (isBusy(here)) {
      isComplete = false;
      continue;
    }
    sources.set(part.dataset.part, source);
    here.replaceChildren(...part.childNodes);
    refreshTimes(here);
  }
  return isComplete;
}

/**
 * Makes `refresh()`: fetches the parts of this page again, at most every two seconds (`isCalm`: three)
 * and not while nobody looks. `filter(fragment)` may take parts out; `done()` is called after the page has
 * changed.
 */
export function createRefresher({ filter, done, address = () => location.href } = {}) {
  const sources = knownParts();
  let last = 0;
  let cost = 0;
  let timer = 0;
  let due = 0;
  let isWanted = false;

  async function load() {
    timer = 0;
    isWanted = false;
    const begun = performance.now();
    last = begun;
    try {
      const fragment = await getFragment(address());
      filter?.(fragment);
      if (!showParts(fragment, sources)) isWanted = true;
      done?.();
    } catch {
      // The live badge says when the studio cannot be reached; the next change asks again.
      isWanted = true;
    }
    last = performance.now();
    cost = last - begun;
  }

  function refresh({ isCalm = false } = {}) {
    isWanted = true;
    if (document.hidden) return;
    const at = last + pauseAfter(isCalm ? CALM_MS : REFRESH_MS, cost);
    if (timer && at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(load, Math.max(0, at - performance.now()));
  }

  addEventListener("visibilitychange", () => isWanted && refresh());
  document.addEventListener("focusout", () => isWanted && refresh());
  return refresh;
}
