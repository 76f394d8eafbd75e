// What people do on a chart of lines with pointer and keys, told in words of the chart.

// A press that moves less than this, in pixels, is a click.
const STILL = 4;
// A box flatter than this zooms one axis only.
const FLAT = 14;
const WHEEL = 0.0022;
const KEYS = {
  "+": "in", "=": "in", "-": "out", 0: "reset", Home: "first", ArrowLeft: "left", ArrowRight: "right",
  ArrowUp: "better", ArrowDown: "worse", Enter: "pin", " ": "pin", Escape: "leave",
};

/** The box between two points inside of the plot; a flat one goes from edge to edge. */
export function boxOf(plot, [ax, ay], [bx, by]) {
  const clamp = (value, low, size) => Math.min(low + size, Math.max(low, value));
  let [left, right] = [ax, bx].map((x) => clamp(x, plot.left, plot.width)).sort((a, b) => a - b);
  let [top, bottom] = [ay, by].map((y) => clamp(y, plot.top, plot.height)).sort((a, b) => a - b);
  const [isFlat, isThin] = [bottom - top < FLAT, right - left < FLAT];
  if (isFlat && !isThin) [top, bottom] = [plot.top, plot.top + plot.height];
  if (isThin && !isFlat) [left, right] = [plot.left, plot.left + plot.width];
  return { left, top, width: right - left, height: bottom - top };
}

/**
 * Listens on `box`. `chart` has frame() and is told: hover(x, y, event), leave(), pin(x, y),
 * showBox(box or null), zoomTo(box), wheel(factor, x, y), reset(), key(name).
 */
export function listen(box, chart) {
  let start = null;
  let waiting = 0;
  let last = null;

  const point = (event) => {
    const rect = box.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  };

  function settle() {
    waiting = 0;
    const frame = chart.frame();
    if (!last || !frame) return;
    if (start?.isDrag) chart.showBox(boxOf(frame.plot, start.at, last.at));
    else if (!start) chart.hover(...last.at, last.event);
  }

  box.addEventListener("pointermove", (event) => {
    last = { at: point(event), event };
    if (start && Math.hypot(last.at[0] - start.at[0], last.at[1] - start.at[1]) >= STILL) {
      start.isDrag = true;
    }
    // The pointer may tell more often than anything can be drawn.
    if (!waiting) waiting = requestAnimationFrame(settle);
  });
  box.addEventListener("pointerdown", (event) => {
    if (event.button || event.pointerType === "touch" || !chart.frame()) return;
    start = { at: point(event), isDrag: false };
    box.setPointerCapture(event.pointerId);
  });
  box.addEventListener("pointerup", (event) => {
    const [from, at] = [start, point(event)];
    start = null;
    if (event.pointerType === "touch") chart.hover(...at, event);
    if (from?.isDrag) {
      chart.showBox(null);
      chart.zoomTo(boxOf(chart.frame().plot, from.at, at));
    } else if (from || event.pointerType === "touch") chart.pin(...at);
  });
  box.addEventListener("pointercancel", () => {
    start = null;
    chart.showBox(null);
  });
  box.addEventListener("pointerleave", () => {
    last = null;
    if (!start) chart.leave();
  });
  box.addEventListener("dblclick", () => chart.reset());
  box.addEventListener("wheel", (event) => {
    // Without a key the wheel belongs to the page; a pinch comes with the control key.
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    chart.wheel(Math.exp(-event.deltaY * (event.deltaMode ? 30 : 1) * WHEEL), ...point(event));
  }, { passive: false });
  box.addEventListener("keydown", (event) => {
    const name = KEYS[event.key];
    if (!name || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    chart.key(name);
  });
  box.addEventListener("blur", () => chart.leave());
}
