// The note beside the pointer, within the widget: a cell of a notebook may be moved by a transform,
// where what is fixed to the window would stand elsewhere.
import { build, html, render } from "../lib/dom.js";

const ROOM = 14;

/** Makes the note in `root`: show(event, markup), hide(). */
export function createTip(root) {
  const note = build(html`<div class="tip" role="presentation" hidden></div>`);
  root.append(note);
  return {
    show(event, markup) {
      render(note, markup);
      note.hidden = false;
      const box = root.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      const { width, height } = note.getBoundingClientRect();
      const left = x + ROOM + width > box.width ? x - width - ROOM : x + ROOM;
      const top = y + ROOM + height > box.height ? y - height - ROOM : y + ROOM;
      note.style.left = `${Math.max(0, left)}px`;
      note.style.top = `${Math.max(0, top)}px`;
    },
    hide() {
      note.hidden = true;
    },
  };
}
