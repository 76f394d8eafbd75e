// The lines of parallel coordinates on two canvases: all runs below, highlighted ones on top. A
// hover redraws only the upper one.
import { goodnessColour, token } from "./colours.js";
import { traceLine } from "./parallel_geometry.js";

const SHADES = 24;

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
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, frame.width, frame.height);
  context.lineJoin = "round";
  return context;
}

/** Makes both canvases in `host`. */
export function createLines(host) {
  const all = canvasIn(host, "pc-lines");
  const top = canvasIn(host, "pc-top");

  /** Draws every run: `inside` in the colour of its value, the others as a faint background. */
  function drawAll(chart, inside) {
    const { frame, units, order, drawn, goodness, groups } = chart;
    const context = prepare(all, frame);
    const isInside = new Set(inside);
    const stroke = (rows, colour, opacity, width = 1.25) => {
      if (!rows.length) return;
      context.beginPath();
      for (const row of rows) traceLine(context, frame, units, row, order);
      context.strokeStyle = colour;
      context.globalAlpha = opacity;
      context.lineWidth = width;
      context.stroke();
    };
    stroke(drawn.filter((row) => !isInside.has(row)), token("run-dim"), 0.45);
    const shades = Array.from({ length: SHADES }, () => [[], []]);
    for (const row of drawn) {
      if (!isInside.has(row)) continue;
      const shade = Math.min(SHADES - 1, Math.floor(goodness[row] * SHADES));
      shades[shade][groups[row] === "stopped" ? 0 : 1].push(row);
    }
    // Rows come worst first, and so do the shades: good runs lie on top.
    shades.forEach(([stopped, others], shade) => {
      const colour = goodnessColour((shade + 0.5) / SHADES);
      stroke(stopped, colour, 0.5);
      stroke(others, colour, 0.85);
    });
    context.globalAlpha = 1;
  }

  /** Draws the best run, the pinned ones and the highlighted one over the others. */
  function drawTop(chart, { best, pins, highlighted }) {
    const { frame, units, order } = chart;
    const context = prepare(top, frame);
    const stroke = (row, colour, width) => {
      if (row < 0) return;
      context.beginPath();
      traceLine(context, frame, units, row, order);
      context.lineWidth = width + 2;
      context.strokeStyle = token("surface");
      context.stroke();
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    };
    stroke(best, token("best-line"), 3);
    pins.forEach((row, place) => stroke(row, token(`cat-${place + 1}`), 2.6));
    if (highlighted >= 0) {
      stroke(highlighted, token(highlighted === best ? "best-line" : "hl"), 3.4);
    }
    all.classList.toggle("is-dim", highlighted >= 0);
  }

  return { drawAll, drawTop, canvases: [all, top] };
}
