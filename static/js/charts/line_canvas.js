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

function prepare(canvas, { width, height, plot }) {
  const density = Math.min(2, window.devicePixelRatio || 1);
  const [wide, high] = [width, height].map((size) => Math.round(size * density));
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  context.globalAlpha = 1;
  context.save();
  context.beginPath();
  // A little more than the plot: marks at its edge stay whole.
  context.rect(plot.left - 6, plot.top - 6, plot.width + 12, plot.height + 12);
  context.clip();
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

function drawOne(context, item, frame) {
  const { line, ys, style } = item;
  context.strokeStyle = style.colour;
  context.fillStyle = style.colour;
  context.lineWidth = style.width;
  context.globalAlpha = style.opacity;
  context.beginPath();
  const pieces = trace(context, line, ys, frame);
  if (pieces) context.stroke();
  const at = item.symbol === "best" ? item.peak : line.end();
  if (at < 0) return;
  const [px, py] = [frame.x.place(line.x[at]), frame.y.place(ys[at])];
  context.globalAlpha = Math.max(style.opacity, 0.6);
  if (item.beyond) {
    const { plot } = frame;
    edge(context, px, item.beyond > 0 ? plot.top : plot.top + plot.height, item.beyond > 0);
  } else if (item.symbol) mark(context, item.symbol, px, py);
  else if (!pieces && line.size && line.x[0] === line.x[line.size - 1]) mark(context, "lone", px, py);
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
    for (const item of items) drawOne(context, item, frame);
    context.restore();
  }

  return {
    canvases: [still, moving],
    drawStill: (items, frame) => draw(still, items, frame, true),
    drawMoving: (items, frame) => draw(moving, items, frame, false),
    dim: (isDim) => host.classList.toggle("is-dim", isDim),
  };
}
