// Who draws first on a page: charts that draw themselves, then those that wait for Plotly to load.
const MOST_MS = 4000;

let quick = 0;
const waiting = [];

/** Its lines are seen after the next frame; until then nobody else may keep the page busy. */
function leaveQuick() {
  requestAnimationFrame(() => requestAnimationFrame(() => {
    quick -= 1;
    if (!quick) waiting.splice(0).forEach((go) => go());
  }));
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
