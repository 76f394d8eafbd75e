// Logs that follow their end until somebody scrolls up.

const NEAR = 24;

/**
 * Keeps `log` at its end while `box` is checked; scrolling up unchecks it, scrolling to the end checks
 * it again. Returns the function to call after lines were added.
 */
export function followEnd(log, box) {
  let last = 0;
  box.closest("label").hidden = false;

  function follow() {
    if (!box.checked) return;
    log.scrollTop = log.scrollHeight;
    last = log.scrollTop;
  }

  log.addEventListener("scroll", () => {
    const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - NEAR;
    // Only a move upwards is somebody's wish: added lines leave the place as it is.
    if (log.scrollTop < last && !isAtEnd) box.checked = false;
    else if (isAtEnd) box.checked = true;
    last = log.scrollTop;
  }, { passive: true });
  box.addEventListener("change", follow);
  follow();
  return follow;
}
