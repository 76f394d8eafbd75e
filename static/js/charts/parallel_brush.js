// Pointer and keys on the axes of parallel coordinates: ranges are drawn, moved, stretched and taken
// away, axes are moved. Knows the view's state, not the runs.
import { moved } from "./parallel_geometry.js";
import {
  freePlace, isWhole, merged, placesOf, rangeBetween, toggledCategory, toggledRail,
} from "./parallel_ranges.js";

const CLICK = 0.015;
// Of an axis that is moved, in pixels: less is a click on its name.
const STILL = 4;
const isRange = (pick) => typeof pick !== "string";
const clip = (unit) => Math.min(1, Math.max(0, unit));

/**
 * Listens on `host`. `view()` gives {frame, axes, shown, order, picks, svg}; `on` has
 * `picks(column, picks, isFinal)`, `order(order)`, `options(column)` and `hide(column)`.
 */
export function bindBrush(host, view, on) {
  let drag = null;
  // The click that follows a drag goes to the host, where it would pin a run.
  let isOwnClick = false;

  const listOf = (column) => view().picks.get(column) ?? [];
  const between = (column, from, to) =>
    rangeBetween(view().axes[column], view().shown[column], clip(from), clip(to));

  let box = null;

  /** Within the chart. It stays where it is during a drag: to ask for every move costs a layout. */
  function position(event) {
    if (!drag) box = view().svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** Where a drag begins on an axis: in a range, at its end, or beside all of them. */
  function beginRange(event, column, unit) {
    const before = listOf(column);
    const held = event.target.closest("[data-range]");
    if (!held) return { before, others: before, anchor: unit };
    const ranges = before.filter(isRange);
    const range = ranges[Number(held.dataset.range)];
    const [low, high] = placesOf(view().shown[column], range);
    const others = before.filter((pick) => pick !== range);
    const { end } = event.target.dataset;
    // A range of one category is thinner than its grips: holding it means moving it.
    if (end) return { before, others, anchor: end === "low" ? high : low, held: range };
    return { before, others, held: range, offset: unit - low, size: high - low };
  }

  function onDown(event) {
    isOwnClick = false;
    const axis = event.target.closest(".axis");
    if (!axis || event.button !== 0 || event.target.closest(".rail")) return;
    const isName = event.target.closest(".lab, .dist");
    if (!isName && !event.target.closest(".zone, .range")) return;
    const column = Number(axis.dataset.column);
    const [x, y] = position(event);
    const unit = view().frame.unit(y);
    drag = { kind: isName ? "axis" : "range", column, x, unit, isDrag: false };
    if (!isName) Object.assign(drag, beginRange(event, column, unit));
    isOwnClick = true;
    // On the host: the SVG is replaced while an axis moves.
    host.setPointerCapture(event.pointerId);
    event.preventDefault();
    (isName ? axis.querySelector(".lab") : axis.querySelector(".zone")).focus({ preventScroll: true });
  }

  function dragRange(unit) {
    const { column, others, anchor, size, offset } = drag;
    const isMove = size !== undefined;
    const from = isMove ? Math.min(1 - size, Math.max(0, unit - offset)) : anchor;
    on.picks(column, [...others, between(column, from, isMove ? from + size : unit)], false);
  }

  function dragAxis(x) {
    const { frame, order } = view();
    const from = order.indexOf(drag.column);
    const place = Math.round((x - frame.x(0)) / frame.gap);
    const to = Math.min(order.length - 2, Math.max(0, place));
    if (from < order.length - 1 && to !== from) on.order(moved(order, from, to));
  }

  function onMove(event) {
    if (!drag) return;
    const [x, y] = position(event);
    if (drag.kind === "axis") {
      drag.isDrag ||= Math.abs(x - drag.x) > STILL;
      if (drag.isDrag) dragAxis(x);
      return;
    }
    const unit = view().frame.unit(y);
    drag.isDrag ||= Math.abs(unit - drag.unit) > CLICK;
    if (drag.isDrag) dragRange(unit);
  }

  /** A click takes a range away, chooses a category, or clears the axis. */
  function clicked({ column, held, before, unit }) {
    const axis = view().axes[column];
    if (axis.scale === "category") {
      const value = Math.min(axis.values.length - 1, Math.max(0, Math.round(view().shown[column].value(unit))));
      on.picks(column, toggledCategory(axis, before, value), true);
    } else if (held) on.picks(column, before.filter((pick) => pick !== held), true);
    else if (before.length) on.picks(column, [], true);
  }

  function onUp(event) {
    if (!drag) return;
    const done = drag;
    drag = null;
    if (event.type === "pointercancel") {
      if (done.kind === "range") on.picks(done.column, done.before, true);
    } else if (done.kind === "axis") {
      if (!done.isDrag) on.options(done.column);
    } else if (done.isDrag) on.picks(done.column, merged(listOf(done.column)), true);
    else clicked(done);
  }

  function abandon() {
    if (drag?.kind === "range") on.picks(drag.column, drag.before, true);
    drag = null;
  }

  /** Moves ends of a range by keys; the lower end, the upper with Shift, both with Alt. */
  function nudge(event, column, place, step) {
    const list = listOf(column);
    const ranges = list.filter(isRange);
    const held = ranges[place];
    let [low, high] = held ? placesOf(view().shown[column], held) : [0, 1];
    if (event.altKey) {
      const by = Math.min(1 - high, Math.max(-low, step));
      [low, high] = [low + by, high + by];
    } else if (event.shiftKey) high = Math.max(low, clip(high + step));
    else low = Math.min(high, clip(low + step));
    const others = list.filter((pick) => pick !== held);
    const range = between(column, low, high);
    on.picks(column, isWhole(view().axes[column], range) ? others : merged([...others, range]), true);
  }

  function onRangeKey(event, column, place) {
    const up = { ArrowDown: -1, ArrowUp: 1 }[event.key];
    const list = listOf(column);
    const held = list.filter(isRange)[place];
    const isHeld = event.target.closest("[data-range]") !== null;
    if (up) nudge(event, column, place, up * view().shown[column].step);
    else if (event.key === "Delete" || event.key === "Backspace") {
      on.picks(column, isHeld ? list.filter((pick) => pick !== held) : [], true);
    } else if (event.key === "Enter") {
      const free = freePlace(view().shown[column], list);
      on.picks(column, merged([...list, between(column, ...free)]), true);
    } else return false;
    return true;
  }

  function onNameKey(event, column) {
    const { order } = view();
    const from = order.indexOf(column);
    const isParam = from < order.length - 1;
    const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.altKey && along && isParam) {
      const to = from + along;
      if (to >= 0 && to < order.length - 1) on.order(moved(order, from, to));
    } else if (event.key === "Enter" || event.key === " ") on.options(column);
    else if ((event.key === "Delete" || event.key === "Backspace") && isParam) on.hide(column);
    else return false;
    return true;
  }

  function onRail(target, column) {
    on.picks(column, toggledRail(listOf(column), target.dataset.rail), true);
  }

  function onKey(event) {
    const axis = event.target.closest(".axis");
    if (event.key === "Escape" && drag) abandon();
    else if (axis) {
      const column = Number(axis.dataset.column);
      const rail = event.target.closest(".rail");
      const place = Number(event.target.closest("[data-range]")?.dataset.range ?? 0);
      if (rail) {
        if (event.key !== "Enter" && event.key !== " ") return;
        onRail(rail, column);
      } else if (event.target.matches(".lab") ? !onNameKey(event, column)
        : !onRangeKey(event, column, place)) return;
    } else return;
    event.preventDefault();
  }

  host.addEventListener("pointerdown", onDown);
  host.addEventListener("pointermove", onMove);
  host.addEventListener("pointerup", onUp);
  host.addEventListener("pointercancel", onUp);
  host.addEventListener("keydown", onKey);
  host.addEventListener("click", (event) => {
    const rail = event.target.closest(".rail");
    if (rail) onRail(rail, Number(rail.closest(".axis").dataset.column));
  });
  return {
    get isDragging() {
      return drag !== null;
    },
    get isOwnClick() {
      return isOwnClick;
    },
  };
}
