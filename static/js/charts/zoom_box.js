// The box that is being drawn to zoom in, and the button that shows everything again.
import { build, focusedIn, html } from "../lib/dom.js";

/** Makes both in `host`: show(box or null), showReset(isShown), onReset(callback). */
export function createZoomBox(host) {
  const box = build(html`<div class="zoom-box" hidden></div>`);
  const button = build(html`<button class="btn s zoom-reset" type="button" hidden
    aria-keyshortcuts="0">Reset zoom</button>`);
  host.append(box, button);
  for (const name of ["pointerdown", "pointerup", "dblclick", "keydown"]) {
    button.addEventListener(name, (event) => event.stopPropagation());
  }
  return {
    show(area) {
      box.hidden = !area;
      for (const [name, size] of Object.entries(area ?? {})) box.style[name] = `${size}px`;
    },
    showReset(isShown) {
      // Focus does not go down with the button.
      if (!isShown && focusedIn(button)) host.focus();
      button.hidden = !isShown;
    },
    onReset: (callback) => button.addEventListener("click", callback),
  };
}
