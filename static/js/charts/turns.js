// Who draws first on a page: charts that draw themselves, then those that wait for Plotly to load.

// How long others wait for what a quick one asked the server.
const MOST_MS = 8000;
// A browser that is not idle by then never is.
const IDLE_MS = 250;
// The first draws the lines. The page begins the next while that one is cut into tiles, and a third while
// it is handed to the screen: it is surely there when the fourth begins.
const FRAMES = 4;

// Without frames, as in a hidden tab, the next one does not wait for long.
const FRAME_MS = 200;

let quick = 0;
// Those of them that have their answer: they are waited for, however slow the machine is.
let drawing = 0;
const waiting = [];
let drawn = Promise.resolve();

function afterFrames(count, act) {
  if (count) requestAnimationFrame(() => afterFrames(count - 1, act));
  else act();
}

/** Its lines are seen a few frames later; until then nobody else may keep page or graphics busy. */
function leaveQuick() {
  const soon = globalThis.requestIdleCallback ?? ((callback) => setTimeout(callback));
  drawing += 1;
  afterFrames(FRAMES, () => soon(() => {
    drawing -= 1;
    quick -= 1;
    if (!quick) waiting.splice(0).forEach((go) => go());
  }, { timeout: IDLE_MS }));
}

/**
 * Resolves when it is a chart's turn, to what it calls when it is drawn. A quick one never waits; the
 * others wait for the quick ones that are being drawn, but not long for the server.
 */
export async function takeTurn(isQuick = false) {
  if (isQuick) {
    quick += 1;
    return leaveQuick;
  }
  // Charts come into view in any order: those of this moment have all begun after it.
  await new Promise((go) => setTimeout(go));
  if (quick) {
    await new Promise((go) => {
      waiting.push(go);
      const late = () => (drawing ? setTimeout(late, IDLE_MS) : go());
      setTimeout(late, MOST_MS);
    });
  }
  return () => {};
}

/**
 * Resolves when a chart may draw itself for the first time: one in a frame, so that what grows and
 * what people do is not kept waiting for all of them.
 */
export function takeFrame() {
  const mine = drawn;
  drawn = drawn.then(() => new Promise((go) => {
    setTimeout(go, FRAME_MS);
    requestAnimationFrame(() => setTimeout(go));
  }));
  return mine;
}
