// The lines of a chart on two canvases: those that are whole, and those that still grow. Every line
// is a stroke of its own: one path of a thousand lines takes many times as long.
import { token } from "./colours.js";
import { lowerBound } from "./scale.js";

const TAU = 2 * Math.PI;

function canvasIn(host, css) {
  const canvas = document.createElement("canvas");
  canvas.className = css;
  canvas.setAttribute("aria-hidden", "true");
  host.append(canvas);
  return canvas;
}

function prepare(canvas, { width, height }) {
  const density = Math.min(2, window.devicePixelRatio || 1);
  const [wide, high] = [width, height].map((size) => Math.round(size * density));
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  // In memory: an emulated graphics card, as on many virtual desktops, takes 5 s for a thousand lines
  // and keeps every other chart waiting.
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  context.globalAlpha = 1;
  context.lineJoin = "bevel";
  return context;
}

/** Adds one line to the path; returns how many pieces it has. */
function trace(context, line, ys, { x, y }) {
  const first = Math.max(0, lowerBound(line.x, line.size, x.low) - 1);
  let isOpen = false;
  let pieces = 0;
  for (let i = first; i < line.size; i += 1) {
    const py = y.place(ys[i]);
    if (Number.isNaN(py)) isOpen = false;
    else {
      const px = x.place(line.x[i]);
      if (isOpen) {
        context.lineTo(px, py);
        pieces += 1;
      } else context.moveTo(px, py);
      isOpen = true;
    }
    if (line.x[i] > x.high) break;
  }
  return pieces;
}

const SYMBOLS = {
  stopped(context, px, py) {
    context.moveTo(px, py - 3.5);
    context.lineTo(px, py + 3.5);
  },
  failed(context, px, py) {
    context.moveTo(px - 3, py - 3);
    context.lineTo(px + 3, py + 3);
    context.moveTo(px + 3, py - 3);
    context.lineTo(px - 3, py + 3);
  },
  running(context, px, py) {
    context.moveTo(px + 2.7, py);
    context.arc(px, py, 2.7, 0, TAU);
  },
  lone(context, px, py) {
    context.moveTo(px + 2.2, py);
    context.arc(px, py, 2.2, 0, TAU);
  },
  best(context, px, py) {
    for (let i = 0; i <= 10; i += 1) {
      const [radius, angle] = [i % 2 ? 3 : 7, (i * TAU) / 10 - TAU / 4];
      context[i ? "lineTo" : "moveTo"](px + radius * Math.cos(angle), py + radius * Math.sin(angle));
    }
  },
};
const FILLED = new Set(["running", "best", "lone"]);

/** Marks how a line ends, or where it was best. */
function mark(context, kind, px, py) {
  context.beginPath();
  SYMBOLS[kind](context, px, py);
  if (FILLED.has(kind)) context.fill();
  if (kind === "best") {
    context.strokeStyle = token("surface");
    context.lineWidth = 1.2;
  }
  if (kind !== "running" && kind !== "lone") context.stroke();
}

/** A triangle at the edge of the plot for a line that lies beyond it. */
function edge(context, px, top, isUp) {
  const to = isUp ? -6 : 6;
  context.beginPath();
  context.moveTo(px, top + (isUp ? 1 : -1));
  context.lineTo(px - 4, top - to);
  context.lineTo(px + 4, top - to);
  context.fill();
}

/** Draws a line; returns what marks it, if anything. */
function drawLine(context, { line, ys, style, symbol }, frame) {
  context.strokeStyle = style.colour;
  context.lineWidth = style.width;
  context.globalAlpha = style.opacity;
  context.beginPath();
  const pieces = trace(context, line, ys, frame);
  if (pieces) context.stroke();
  return symbol || (line.size && line.x[0] === line.x[line.size - 1] ? "lone" : "");
}

function drawMark(context, { line, ys, style, beyond, peak }, kind, { plot, x, y }) {
  const at = kind === "best" ? peak : line.end();
  if (at < 0) return;
  const [px, py] = [x.place(line.x[at]), y.place(ys[at])];
  const bottom = plot.top + plot.height;
  if (px < plot.left - 1 || px > plot.left + plot.width + 1) return;
  context.strokeStyle = style.colour;
  context.fillStyle = style.colour;
  context.lineWidth = style.width;
  context.globalAlpha = Math.max(style.opacity, 0.6);
  if (beyond) edge(context, px, beyond > 0 ? plot.top : bottom, beyond > 0);
  else if (kind && py >= plot.top - 1 && py <= bottom + 1) mark(context, kind, px, py);
}

/** Lines of the grid, on the lowest canvas. */
function drawGrid(context, frame) {
  const { plot, xTicks, yTicks } = frame;
  context.strokeStyle = token("grid");
  context.lineWidth = 1;
  context.beginPath();
  for (const { at } of xTicks) {
    context.moveTo(Math.round(at) + 0.5, plot.top);
    context.lineTo(Math.round(at) + 0.5, plot.top + plot.height);
  }
  for (const { at } of yTicks) {
    context.moveTo(plot.left, Math.round(at) + 0.5);
    context.lineTo(plot.left + plot.width, Math.round(at) + 0.5);
  }
  context.stroke();
}

/** Makes both canvases in `host`; items are {line, ys, style, symbol, peak, beyond}, lowest first. */
export function createLineCanvases(host) {
  const still = canvasIn(host, "lines-still");
  const moving = canvasIn(host, "lines-moving");

  function draw(canvas, items, frame, withGrid) {
    const context = prepare(canvas, frame);
    if (withGrid) drawGrid(context, frame);
    context.save();
    context.beginPath();
    context.rect(frame.plot.left, frame.plot.top, frame.plot.width, frame.plot.height);
    context.clip();
    const kinds = items.map((item) => drawLine(context, item, frame));
    context.restore();
    // Marks at the edge stay whole.
    items.forEach((item, place) => {
      if (kinds[place] || item.beyond) drawMark(context, item, kinds[place], frame);
    });
  }

  return {
    canvases: [still, moving],
    drawStill: (items, frame) => draw(still, items, frame, true),
    drawMoving: (items, frame) => draw(moving, items, frame, false),
    dim: (isDim) => host.classList.toggle("is-dim", isDim),
  };
}
