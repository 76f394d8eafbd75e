// What lies on top of a chart of runs: the best, the pinned ones, the one pointed at. Pure.

/** What is drawn on top: the best run while others fade, the pinned ones, the one pointed at. */
export function marksOf(selection, locate, best) {
  const marks = [];
  const { run, pins } = selection;
  if (run !== null && best !== null && best !== run) marks.push({ css: "best", ...locate(best) });
  pins.forEach((pin, place) => marks.push({ css: `pin pin-${place + 1}`, ...locate(pin) }));
  if (run !== null) marks.push({ css: run === best ? "best hl" : "hl", ...locate(run) });
  return marks.filter((mark) => mark.lines.length || mark.points.length);
}
