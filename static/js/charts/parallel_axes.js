// The axes of parallel coordinates as SVG: names, ticks, rails for what is missing, and what is picked
// on them. Draws only; parallel_brush.js has the pointer and the keys.
import { $, $$, build, focusedIn, html, render } from "../lib/dom.js";
import { pickText, picksText, placesOf } from "./parallel_ranges.js";
import { METRIC, scaleNote } from "./parallel_scales.js";

const ZONE = 13;
// Beyond the ends, so that a range can begin at the very end.
const ROOM = 8;
const GRIP = 10;
const CHAR = 7.2;
const SMALL_CHAR = 5.7;
const LEAST_BETWEEN_TICKS = 12;

/** Cuts the middle out of a text: names often differ at their end only. */
export function shortened(text, length) {
  if (text.length <= length) return text;
  const tail = Math.floor((length - 1) / 2);
  return `${text.slice(0, length - 1 - tail)}…${text.slice(text.length - tail)}`;
}

/** Ticks that have room for their text; the first and the last always have. */
function roomyTicks(ticks, frame) {
  const sorted = [...ticks].sort((a, b) => a[0] - b[0]);
  const height = frame.bottom - frame.top;
  const every = Math.ceil((sorted.length * LEAST_BETWEEN_TICKS) / height) || 1;
  return sorted.map(([unit, text, full], i) => [unit, i % every === 0 ? text : "", full]);
}

function tickMarkup([unit, text, full], isMetric, frame, room) {
  const y = frame.y(unit);
  return html`<line x1="${isMetric ? 0 : -3}" x2="${isMetric ? 14 : 3}" y1="${y}" y2="${y}"></line>${
    text && html`<text x="${isMetric ? 17 : 7}" y="${y + 4}">${shortened(text, room)}<title>${
      full}</title></text>`}`;
}

function railMarkup(axis, name, place, frame) {
  const y = frame.y(-1 - place);
  return html`<g class="rail" data-rail="${name}" tabindex="0" role="button" aria-pressed="false"
    aria-label="Runs ${name === "failed" ? "that failed" : `without a value of ${axis.label}`}">
    <rect x="-${ZONE}" width="${ZONE + 6.2 * name.length + 10}" y="${y - 10}" height="20" rx="4"></rect>
    <line x1="-4" x2="4" y1="${y}" y2="${y}"></line><text x="7" y="${y + 4}">${name}</text></g>`;
}

function nameMarkup(axis, shown, place, { frame, order, note }) {
  const isMetric = axis.name === METRIC;
  const isFirst = place === 0;
  const anchor = isFirst ? "start" : isMetric ? "end" : "middle";
  const x = isFirst ? -50 : isMetric ? 66 : 0;
  const width = (isFirst || place === order.length - 1 ? frame.gap / 2 + 50 : frame.gap) - 8;
  const distribution = note[axis.name] ?? "";
  const isShort = scaleNote(distribution, shown, false).length * SMALL_CHAR > width;
  const below = scaleNote(distribution, shown, isShort);
  return html`<text class="lab" y="16" x="${x}" text-anchor="${anchor}" tabindex="0" role="button"
    aria-haspopup="true" aria-label="Axis ${axis.label}. Enter opens its options${isMetric ? ""
      : ", Alt and the arrow keys move it, Delete hides it"}.">${
      shortened(axis.label, Math.floor(width / CHAR))}<title>${axis.label}</title></text>
    <text class="dist" y="31" x="${x}" text-anchor="${anchor}">${
      shortened(below, Math.floor(width / SMALL_CHAR))}<title>${
      scaleNote(distribution, shown, false)}</title></text>`;
}

function axisMarkup(column, place, state) {
  const { axes, shown, rails, frame, gradient } = state;
  const axis = axes[column];
  const isMetric = axis.name === METRIC;
  const height = frame.bottom - frame.top;
  const room = Math.max(5, Math.floor((isMetric ? 60 : frame.gap - 14) / 6));
  return html`<g class="axis ${isMetric ? "metric" : ""}" data-column="${column}"
    transform="translate(${frame.x(place)},0)">
    ${isMetric
      ? html`<rect class="bar" x="-1" y="${frame.top}" width="11" rx="2" height="${height}"
          fill="url(#${gradient})"></rect>`
      : html`<line y1="${frame.top}" y2="${frame.bottom}"></line>`}
    ${roomyTicks(shown[column].ticks, frame).map((tick) => tickMarkup(tick, isMetric, frame, room))}
    <rect class="zone" tabindex="0" role="slider" aria-orientation="vertical" aria-valuemin="0"
      aria-valuemax="100" aria-label="Ranges on ${axis.label}. The arrow keys narrow, Enter adds one,
      Delete clears." x="${-ZONE}" width="${2 * ZONE}" y="${frame.top - ROOM}" height="${
      height + 2 * ROOM}"></rect>
    <g class="ranges"></g>
    ${rails[column].map((name, i) => railMarkup(axis, name, i, frame))}
    ${nameMarkup(axis, shown[column], place, state)}</g>`;
}

function gradientMarkup(id, isTurned) {
  const stops = [0, 1, 2, 3, 4, 5].map((i) => html`<stop class="seq-${isTurned ? 5 - i : i}"
    offset="${i * 20}%"></stop>`);
  return html`<defs><linearGradient id="${id}" x1="0" x2="0" y1="1" y2="0">${stops}</linearGradient>
    </defs>`;
}

function rangeMarkup(axis, { places: [low, high], text, place, count }, frame) {
  const [top, bottom] = [frame.y(high), frame.y(low)];
  const height = Math.max(2, bottom - top);
  return html`<g class="range" data-range="${place}">
    <rect class="brush" x="-8" width="16" rx="2" y="${top}" height="${height}" tabindex="0"
      role="slider" aria-orientation="vertical" aria-valuemin="0" aria-valuemax="100" aria-valuenow="${
      Math.round(100 * low)}" aria-valuetext="${text}" aria-label="Range ${place + 1} of ${count} on ${
      axis.label}. Arrows move its lower end, with Shift the upper, with Alt both; Delete removes it."></rect>
    <rect class="grip" data-end="high" x="${-ZONE}" width="${2 * ZONE}" y="${top - GRIP / 2}" height="${GRIP}"></rect>
    <rect class="grip" data-end="low" x="${-ZONE}" width="${2 * ZONE}" y="${bottom - GRIP / 2}" height="${GRIP}"></rect>
    </g>`;
}

/** Draws the axes in `host`. `draw(state)` draws all, `showPicks(picks)` what is picked. */
export function createAxes(host) {
  let state = null;
  let svg = null;
  const drawn = new Map();

  /** What has the focus, to find it again after the SVG was made anew. */
  function focusPath() {
    const focused = svg && focusedIn(svg);
    if (!focused) return "";
    const { column } = focused.closest("[data-column]").dataset;
    const within = focused.closest("[data-range]")?.dataset.range;
    const rail = focused.dataset.rail ? `[data-rail="${focused.dataset.rail}"]` : "";
    return `[data-column="${column}"] ${within ? `[data-range="${within}"] ` : ""}.${
      focused.classList[0]}${rail}`;
  }

  function draw(next) {
    const path = focusPath();
    state = next;
    const { frame, order, axes } = state;
    const made = build(html`<svg class="pc-axes" width="${frame.width}" height="${frame.height}"
      viewBox="0 0 ${frame.width} ${frame.height}" role="group" aria-label="Axes">
      ${gradientMarkup(state.gradient, state.isTurned)}
      ${order.map((column, place) => axisMarkup(column, place, state))}</svg>`);
    if (svg) svg.replaceWith(made);
    else host.append(made);
    svg = made;
    drawn.clear();
    showPicks(state.picks, axes);
    if (path) $(path, svg)?.focus({ preventScroll: true });
  }

  function showAxis(group, column, picks) {
    const axis = state.axes[column];
    const ranges = picks.filter((pick) => typeof pick !== "string").map((range, place, all) => ({
      places: placesOf(state.shown[column], range), place, count: all.length,
      text: pickText(axis, range, state.decimals),
    }));
    const path = focusPath();
    render($(".ranges", group), html`${ranges.map((range) => rangeMarkup(axis, range, state.frame))}`);
    const zone = $(".zone", group);
    zone.setAttribute("aria-valuenow", Math.round(100 * (ranges[0]?.places[0] ?? 0)));
    zone.setAttribute("aria-valuetext", picksText(axis, picks, state.decimals) || "all values");
    for (const rail of $$(".rail", group)) {
      rail.setAttribute("aria-pressed", String(picks.includes(rail.dataset.rail)));
    }
    // A range that is gone leaves the focus to its axis.
    if (path && !focusedIn(svg)) ($(path, svg) ?? zone).focus({ preventScroll: true });
  }

  function showPicks(picks) {
    state.picks = picks;
    for (const group of svg.children) {
      if (!group.dataset.column) continue;
      const column = Number(group.dataset.column);
      const list = picks.get(column) ?? [];
      const key = JSON.stringify(list.map(String));
      if (drawn.get(column) === key) continue;
      drawn.set(column, key);
      showAxis(group, column, list);
    }
  }

  return {
    draw,
    showPicks,
    get svg() {
      return svg;
    },
  };
}
