// Highlighted and pinned runs on top of a two-dimensional chart: drawn here in a few milliseconds,
// where a redraw of the whole chart would take hundreds.

const SVG = "http://www.w3.org/2000/svg";
let made = 0;

/** Makes an SVG element in `parent`. */
export function svgElement(name, attributes, parent) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  parent?.append(node);
  return node;
}

function pathOf(piece, place) {
  let path = "";
  let isOpen = false;
  for (let i = 0; i < piece.x.length; i += 1) {
    const y = piece.y[i];
    const [px, py] = y === null || !Number.isFinite(y) ? [NaN, NaN] : place(piece.x[i], y);
    // A gap, or what a log axis cannot show.
    if (!Number.isFinite(py)) {
      isOpen = false;
      continue;
    }
    path += `${isOpen ? "L" : "M"}${px.toFixed(1)},${py.toFixed(1)}`;
    isOpen = true;
  }
  return path;
}

function lastPoint(piece) {
  for (let i = piece.x.length - 1; i >= 0; i -= 1) {
    if (piece.y[i] !== null && Number.isFinite(piece.y[i])) return [piece.x[i], piece.y[i]];
  }
  return null;
}

/** The plot of a Plotly chart as the layer needs it; null while it has no two axes. */
export function plotFrame(plot) {
  const { xaxis, yaxis } = plot._fullLayout ?? {};
  if (!xaxis?.d2p) return null;
  return {
    left: xaxis._offset, top: yaxis._offset, width: xaxis._length, height: yaxis._length,
    place: (x, y) => [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)],
  };
}

/**
 * Makes the layer over a chart; `draw(frame, marks)` shows [{css, lines, points, radius}] in a frame
 * of {left, top, width, height, place(x, y)}.
 */
export function createOverlay(host) {
  made += 1;
  const id = `overlay-${made}`;
  const svg = svgElement("svg", { class: "chart-overlay", "aria-hidden": "true" }, host);
  const clip = svgElement("rect", {}, svgElement("clipPath", { id }, svgElement("defs", {}, svg)));
  const group = svgElement("g", { "clip-path": `url(#${id})` }, svg);

  function draw(frame, marks) {
    group.replaceChildren();
    if (!marks.length || !frame) return;
    const margin = frame.margin ?? 6;
    clip.setAttribute("x", frame.left - margin);
    clip.setAttribute("y", frame.top - margin);
    clip.setAttribute("width", frame.width + 2 * margin);
    clip.setAttribute("height", frame.height + 2 * margin);
    const { place } = frame;
    for (const { css, lines, points, radius: ring = 8 } of marks) {
      for (const line of lines) {
        svgElement("path", { class: `run-line ${css}`, d: pathOf(line, place) }, group);
      }
      // A line shows where it ends; a run that is a point gets a ring.
      const ends = lines.map(lastPoint).filter(Boolean).map((point) => [point, 3.5]);
      const rings = lines.length ? [] : points.map((piece) => [lastPoint(piece), ring]);
      for (const [point, radius] of [...ends, ...rings]) {
        if (!point) continue;
        const [cx, cy] = place(...point);
        const kind = radius === 3.5 ? "run-end" : "run-ring";
        svgElement("circle", { class: `${kind} ${css}`, cx, cy, r: radius }, group);
      }
    }
  }

  return { draw, svg, clear: () => group.replaceChildren() };
}
