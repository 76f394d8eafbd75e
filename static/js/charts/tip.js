// One floating note beside the pointer, for charts that are drawn by hand.
import { build, html, render } from "../lib/dom.js";

let note = null;

/** Shows markup beside the pointer, inside of the window. */
export function showTip(event, markup) {
  if (!note) {
    note = build(html`<div class="tip" role="presentation"></div>`);
    Object.assign(note.style, { left: "0", top: "0" });
    document.body.append(note);
  }
  render(note, markup);
  note.hidden = false;
  const { width, height } = note.getBoundingClientRect();
  const left = event.clientX + 14 + width > innerWidth - 8 ? event.clientX - width - 12 : event.clientX + 14;
  const top = event.clientY + 14 + height > innerHeight - 8 ? event.clientY - height - 12 : event.clientY + 14;
  // Moved, not laid out again.
  note.style.transform = `translate(${Math.max(8, left)}px, ${Math.max(8, top)}px)`;
}

/** Takes the note away. */
export function hideTip() {
  if (note) note.hidden = true;
}
