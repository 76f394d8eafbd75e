// Holds changes of the page back while a button is pressed: a line that appears between press and
// release would move the target away, and the click would be lost.

let isPressed = false;
const waiting = new Map();

/** Runs `change` now, or after the release of the pointer; per key only the latest one. */
export function whenReleased(key, change) {
  if (isPressed) waiting.set(key, change);
  else change();
}

function release() {
  // The click comes after the release: let it arrive first.
  setTimeout(() => {
    isPressed = false;
    const changes = [...waiting.values()];
    waiting.clear();
    changes.forEach((change) => change());
  });
}

/** Starts watching the pointer. */
export function watchPointer() {
  addEventListener("pointerdown", () => {
    isPressed = true;
  }, true);
  addEventListener("pointerup", release, true);
  addEventListener("pointercancel", release, true);
}
