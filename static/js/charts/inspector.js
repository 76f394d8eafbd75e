// The line under a chart: values of the run pointed at, else the pinned runs.
import { html, render } from "../lib/dom.js";

const HINT = "Point at a run to see its values. Click to pin it.";

/** Fills `host` from the selection; its buttons unpin. */
export function mountInspector(host, selection, known) {
  function paint() {
    if (selection.run !== null) render(host, known.lineOf(selection.run));
    else if (selection.pins.length) {
      render(host, html`<span>Pinned:</span>${selection.pins.map((run, place) => html`<button
        class="link pin-${place + 1}" type="button" data-unpin="${run}"
        aria-label="Unpin run ${run}"><b>Run ${run} ×</b></button>`)}`);
    } else render(host, html`<span class="faint">${HINT}</span>`);
  }

  selection.subscribe(paint);
  host.addEventListener("click", (event) => {
    const button = event.target.closest("[data-unpin]");
    if (button) selection.pin(Number(button.dataset.unpin), "inspector");
  });
  paint();
  return { paint };
}
