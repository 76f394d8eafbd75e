// Other runs over the run of the page: their lines, what differs, and news of those that live.
import { $, readJson } from "../lib/dom.js";

/** The lines of the other runs as they were rendered last: [{number, place, x, y}]. */
export function otherLines() {
  return $("#overlay-lines") ? readJson("overlay-lines") : [];
}

/** Follows the other runs; `refresh()` renders the parts of the page again, `draw()` the lines. */
export function startOverlay(live, { refresh, draw }) {
  const others = new Set(otherLines().map((line) => line.number));
  if (!others.size) return;
  live.onText((changes) => {
    if ([...changes.runs].some((number) => others.has(number))) refresh();
  });
  let isOn = false;
  addEventListener("change", (event) => {
    if (!event.target.matches("[data-only-differences]")) return;
    isOn = event.target.checked;
    event.target.closest("section").classList.toggle("only-differences", isOn);
  });
  // A part that was rendered again has new lines and starts with all rows.
  new MutationObserver(() => {
    draw();
    const box = $("[data-only-differences]");
    if (!box || box.checked === isOn) return;
    box.checked = isOn;
    box.closest("section").classList.toggle("only-differences", isOn);
  }).observe($('[data-part="overlay"]'), { childList: true });
}
