// The loop of Plotly's charts in three dimensions, at rest while nobody touches them. It asks for every
// frame of the screen, for ever: most of what a page cost on which nothing moved.

const AWAKE_MS = 1500;
// The loop is one short function; others are not read.
const MOST_LETTERS = 300;
const held = new Set();
const known = new WeakMap();
let until = 0;
let isTamed = false;

/** Whether it goes on until its chart is stopped: what other versions call otherwise runs on. */
export function isLoop(callback) {
  if (!known.has(callback)) {
    const text = String(callback);
    const isOne = text.length < MOST_LETTERS && text.includes("._stopped") && text.includes(".contextLost");
    known.set(callback, isOne);
  }
  return known.get(callback);
}

/** From now on such loops wait while they are not awake; everything else is asked for as before. */
export function tameLoops() {
  if (isTamed) return;
  isTamed = true;
  const ask = window.requestAnimationFrame;
  window.requestAnimationFrame = (callback) => {
    if (performance.now() < until || !isLoop(callback)) return ask.call(window, callback);
    held.add(callback);
    return 0;
  };
}

/** Lets the loops run for a while: something is drawn anew, or somebody points there. */
export function wakeLoops() {
  if (until < Infinity) until = performance.now() + AWAKE_MS;
  const waiting = [...held];
  held.clear();
  waiting.forEach((callback) => window.requestAnimationFrame(callback));
}

/** Wakes the loops for whatever people do on `plot`; while a button is down they never rest. */
export function wakeOnTouch(plot) {
  for (const kind of ["pointerenter", "pointermove", "pointerleave", "touchmove", "wheel"]) {
    plot.addEventListener(kind, wakeLoops, { capture: true, passive: true });
  }
  plot.addEventListener("pointerdown", () => {
    wakeLoops();
    until = Infinity;
  }, { capture: true });
  for (const kind of ["pointerup", "pointercancel"]) {
    addEventListener(kind, () => {
      until = 0;
      wakeLoops();
    }, { capture: true });
  }
}
