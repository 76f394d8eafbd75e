// Who draws first on a page: charts that draw themselves, then those that wait for Plotly to load.
const MOST_MS = 4000;
// A browser that is not idle by then never is.
const IDLE_MS = 250;

let quick = 0;
const waiting = [];

/** Its lines are seen once the next frame stands; until then nobody else may keep the page busy. */
function leaveQuick() {
  const soon = window.requestIdleCallback ?? ((callback) => setTimeout(callback));
  requestAnimationFrame(() => requestAnimationFrame(() => soon(() => {
    quick -= 1;
    if (!quick) waiting.splice(0).forEach((go) => go());
  }, { timeout: IDLE_MS })));
}

/**
 * Resolves when it is a chart's turn, to what it calls when it is drawn. A quick one never waits; the
 * others wait for the quick ones that are being drawn, but not for long.
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
      setTimeout(go, MOST_MS);
    });
  }
  return () => {};
}
