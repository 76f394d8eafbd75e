// The lines of parallel coordinates on three canvases: those outside the ranges below, those inside
// above, highlighted ones on top. A hover redraws only the uppermost.
import { goodnessColour, token } from "./colours.js";
import { traceLine } from "./parallel_geometry.js";

const SHADES = 24;
// From so many lines on they are one pixel of the screen wide, which is drawn many times as fast.
const MANY = 150;

function canvasIn(host, css) {
  const canvas = document.createElement("canvas");
  canvas.className = css;
  canvas.setAttribute("aria-hidden", "true");
  host.append(canvas);
  return canvas;
}

function prepare(canvas, frame) {
  const density = window.devicePixelRatio || 1;
  const [width, height] = [frame.width, frame.height].map((size) => Math.round(size * density));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    canvas.style.width = `${frame.width}px`;
    canvas.style.height = `${frame.height}px`;
  }
  // In memory: a thousand curves take a processor 20 ms, and a graphics card that is emulated, as on
  // many virtual desktops, 4 s.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, frame.width, frame.height);
  context.lineJoin = "round";
  return context;
}

/** The rows as [colour, opacity, rows], worst first, so that good runs lie on top. */
function shadesOf({ chart }, rows) {
  const bins = new Map();
  const into = (key, colour, opacity, row) => {
    if (!bins.has(key)) bins.set(key, [colour, opacity, []]);
    bins.get(key)[2].push(row);
  };
  for (const row of rows) {
    const good = chart.goodness[row];
    const group = chart.groups[row];
    if (Number.isNaN(good)) into(group, token(group === "failed" ? "failed" : "quiet"), 0.7, row);
    else {
      const shade = Math.min(SHADES - 1, Math.floor(good * SHADES));
      const isStopped = group === "stopped";
      into(`${shade} ${isStopped}`, goodnessColour((shade + 0.5) / SHADES), isStopped ? 0.5 : 0.85, row);
    }
  }
  return bins.values();
}

/** Makes the canvases in `host`. What is drawn is {chart, frame, units, order, shown, inside}. */
export function createLines(host) {
  const rest = canvasIn(host, "pc-rest");
  const all = canvasIn(host, "pc-lines");
  const top = canvasIn(host, "pc-top");
  let restKey = null;

  function stroke(context, { frame, units, order }, rows, style) {
    context.strokeStyle = style.colour;
    context.globalAlpha = style.opacity;
    context.lineWidth = style.width;
    context.beginPath();
    for (const row of rows) traceLine(context, frame, units, row, order);
    context.stroke();
  }

  /** All runs as a faint background; the same whatever is picked, so that it is drawn once. */
  function drawRest(drawing, isNeeded, width) {
    rest.hidden = !isNeeded;
    if (!isNeeded || restKey === drawing.units) return;
    restKey = drawing.units;
    const context = prepare(rest, drawing.frame);
    stroke(context, drawing, drawing.shown, { colour: token("run-dim"), opacity: 0.45, width });
  }

  /** Draws `inside` in the colour of their values, the other `shown` ones as a faint background. */
  function drawAll(drawing) {
    const { frame, shown, inside } = drawing;
    const width = shown.length > MANY ? 1 / (window.devicePixelRatio || 1) : 1.25;
    drawRest(drawing, inside.length < shown.length, width);
    const context = prepare(all, frame);
    for (const [colour, opacity, rows] of shadesOf(drawing, inside)) {
      stroke(context, drawing, rows, { colour, opacity, width });
    }
    context.globalAlpha = 1;
  }

  /** Draws the best run, the pinned ones and the highlighted one over the others. */
  function drawTop({ frame, units, order }, { best, pins, highlighted }) {
    const context = prepare(top, frame);
    const over = (row, colour, width, dash = []) => {
      if (row < 0) return;
      context.beginPath();
      traceLine(context, frame, units, row, order);
      context.lineWidth = width + 2;
      context.strokeStyle = token("surface");
      context.setLineDash([]);
      context.stroke();
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.setLineDash(dash);
      context.stroke();
    };
    over(best, token("best-line"), 3);
    // From the fifth on colours come close for some eyes: the dash tells them apart.
    pins.forEach((row, place) => over(row, token(`cat-${place + 1}`), 2.6, place > 3 ? [7, 4] : []));
    if (highlighted >= 0) {
      over(highlighted, token(highlighted === best ? "best-line" : "hl"), 3.4);
    }
    host.classList.toggle("is-dim", highlighted >= 0);
  }

  return {
    drawAll,
    drawTop,
    /** Forgets what was drawn once: the colours of the theme are others now. */
    forget() {
      restKey = null;
    },
    get canvases() {
      return [...(rest.hidden ? [] : [rest]), all, top];
    },
  };
}
