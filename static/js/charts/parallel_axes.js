// The axes of parallel coordinates as SVG: names that can be dragged, ranges that can be brushed,
// both by pointer and by keyboard. Knows where things are, not what they mean for runs.
import { $, build, html } from "../lib/dom.js";
import { moved } from "./parallel_geometry.js";

const STEP = 0.05;
const CLICK = 0.015;
const ZONE = 13;
// Beyond the ends, so that a range can begin at the very end.
const ROOM = 8;

function axisMarkup(axis, frame, place, last, note) {
  const x = frame.x(place);
  const isMetric = axis.name === "__metric";
  const anchor = place === 0 ? "start" : isMetric ? "end" : "middle";
  const side = place === 0 ? -50 : isMetric ? 66 : 0;
  const room = Math.max(6, Math.floor((place === 0 || place === last ? 0.5 : 1) * (frame.gap / 7.4)) + 6);
  const short = axis.label.length > room ? `${axis.label.slice(0, room - 1)}…` : axis.label;
  return html`<g class="axis ${isMetric ? "metric" : ""}" data-column="${axis.column}"
    transform="translate(${x},0)">
    ${isMetric
      ? html`<rect class="bar" x="-1" y="${frame.top}" width="11" rx="2"
          height="${frame.bottom - frame.top}" fill="url(#${axis.gradient})"></rect>`
      : html`<line y1="${frame.top}" y2="${frame.bottom}"></line>`}
    ${axis.ticks.map(([unit, text, full]) => html`<line x1="${isMetric ? 0 : -3}"
      x2="${isMetric ? 14 : 3}" y1="${frame.y(unit)}" y2="${frame.y(unit)}"></line>
      <text x="${isMetric ? 17 : 7}" y="${frame.y(unit) + 4}">${text}<title>${full}</title></text>`)}
    ${frame.rail !== frame.bottom && !isMetric
      && html`<text class="rail" x="7" y="${frame.rail + 4}">n/a</text>`}
    <rect class="zone" tabindex="0" role="slider" aria-orientation="vertical" aria-valuemin="0"
      aria-valuemax="100" aria-label="Range on ${axis.label}" x="${-ZONE}" width="${2 * ZONE}"
      y="${frame.top - ROOM}" height="${frame.bottom - frame.top + 2 * ROOM}"></rect>
    <rect class="brush" x="-8" width="16" rx="2" visibility="hidden"></rect>
    <text class="lab" y="16" x="${side}" text-anchor="${anchor}" tabindex="${isMetric ? "-1" : "0"}"
      role="${isMetric ? "img" : "button"}" aria-label="${isMetric
        ? `Axis ${axis.label}` : `Axis ${axis.label}. Alt and the arrow keys move it.`}">${short}
      <title>${axis.label}</title></text>
    <text class="dist" y="31" x="${side}" text-anchor="${anchor}">${note}</text></g>`;
}

function gradientMarkup(id, isTurned) {
  const stops = [0, 1, 2, 3, 4, 5].map((i) => html`<stop class="seq-${isTurned ? 5 - i : i}"
    offset="${i * 20}%"></stop>`);
  return html`<defs><linearGradient id="${id}" x1="0" x2="0" y1="1" y2="0">${stops}</linearGradient>
    </defs>`;
}

/**
 * Draws axes in `host` and reports `onOrder(order)` and `onRange(column, range | null)`. `say(axis,
 * range)` gives a range in words. Returns {draw, showRanges}.
 */
export function createAxes(host, { onOrder, onRange, say }) {
  let shown = { axes: [], order: [], ranges: new Map(), frame: null };
  let svg = null;
  let drag = null;

  function draw({ axes, order, ranges, frame, isTurned, noteOf }) {
    const focused = svg?.contains(document.activeElement) ? document.activeElement : null;
    const column = focused?.closest("[data-column]")?.dataset.column;
    const css = focused?.classList[0];
    shown = { axes, order, ranges, frame };
    const gradient = axes[axes.length - 1].gradient;
    const last = order.length - 1;
    const next = build(html`<svg class="pc-axes" width="${frame.width}" height="${frame.height}"
      viewBox="0 0 ${frame.width} ${frame.height}" role="group" aria-label="Axes">
      ${gradientMarkup(gradient, isTurned)}
      ${order.map((c, place) => axisMarkup(axes[c], frame, place, last, noteOf(axes[c])))}</svg>`);
    if (svg) svg.replaceWith(next);
    else host.append(next);
    svg = next;
    svg.addEventListener("pointerdown", onDown);
    svg.addEventListener("keydown", onKey);
    showRanges(ranges);
    if (css) $(`[data-column="${column}"] .${css}`, svg)?.focus();
  }

  function showRanges(ranges) {
    shown.ranges = ranges;
    const { frame } = shown;
    for (const group of svg.querySelectorAll(".axis")) {
      const column = Number(group.dataset.column);
      const range = ranges.get(column);
      const [low, high] = range ? [Math.min(...range), Math.max(...range)] : [0, 1];
      const brush = $(".brush", group);
      const zone = $(".zone", group);
      brush.setAttribute("visibility", range ? "visible" : "hidden");
      brush.setAttribute("y", frame.y(high));
      brush.setAttribute("height", Math.max(1, frame.y(low) - frame.y(high)));
      zone.setAttribute("aria-valuenow", Math.round(100 * low));
      zone.setAttribute("aria-valuetext", range ? say(shown.axes[column], range) : "all values");
    }
  }

  function position(event) {
    const box = svg.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  function onDown(event) {
    const axis = event.target.closest(".axis");
    const kind = event.target.closest(".zone") ? "range" : event.target.closest(".lab") ? "move" : "";
    if (!axis || !kind || event.button !== 0 || (kind === "move" && axis.matches(".metric"))) return;
    const [x, y] = position(event);
    drag = { kind, column: Number(axis.dataset.column), from: shown.frame.unit(y), x, isDrag: false };
    // On the host: the SVG is replaced while an axis moves.
    host.setPointerCapture(event.pointerId);
    event.preventDefault();
    event.target.closest(".zone, .lab").focus({ preventScroll: true });
  }

  function onMove(event) {
    if (!drag) return;
    const [x, y] = position(event);
    if (drag.kind === "range") {
      const to = shown.frame.unit(y);
      drag.isDrag ||= Math.abs(to - drag.from) > CLICK;
      if (drag.isDrag) onRange(drag.column, [drag.from, to]);
      return;
    }
    const from = shown.order.indexOf(drag.column);
    const place = Math.round((x - shown.frame.x(0)) / shown.frame.gap);
    const to = Math.min(shown.order.length - 2, Math.max(0, place));
    if (to !== from) onOrder(moved(shown.order, from, to));
  }

  function onUp() {
    if (drag?.kind === "range" && !drag.isDrag) onRange(drag.column, null);
    drag = null;
  }

  function onKey(event) {
    const axis = event.target.closest(".axis");
    if (!axis) return;
    const column = Number(axis.dataset.column);
    const isZone = event.target.matches(".zone");
    const along = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const up = { ArrowDown: -STEP, ArrowUp: STEP }[event.key];
    if (!isZone && event.altKey && along) {
      const from = shown.order.indexOf(column);
      const to = from + along;
      if (to >= 0 && to < shown.order.length - 1) onOrder(moved(shown.order, from, to));
    } else if (isZone && up) {
      const range = shown.ranges.get(column) ?? [0, 1];
      const [low, high] = [Math.min(...range), Math.max(...range)];
      onRange(column, event.shiftKey
        ? [low, Math.min(1, Math.max(low, high + up))]
        : [Math.max(0, Math.min(high, low + up)), high]);
    } else if (isZone && (event.key === "Delete" || event.key === "Backspace")) {
      onRange(column, null);
    } else return;
    event.preventDefault();
  }

  host.addEventListener("pointermove", onMove);
  host.addEventListener("pointerup", onUp);
  host.addEventListener("pointercancel", onUp);
  return {
    draw,
    showRanges,
    get isDragging() {
      return drag !== null;
    },
    get svg() {
      return svg;
    },
  };
}
