// Highlighted and pinned runs on top of a two-dimensional chart: drawn here in a few milliseconds,
// where a redraw of the whole chart would take hundreds.

const SVG = "http://www.w3.org/2000/svg";
let made = 0;

function element(name, attributes, parent) {
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
    if (y === null || !Number.isFinite(y)) {
      isOpen = false;
      continue;
    }
    const [px, py] = place(piece.x[i], y);
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

/** Makes the layer over a Plotly chart; `draw(plot, marks)` shows [{css, lines, points}]. */
export function createOverlay(host) {
  made += 1;
  const id = `overlay-${made}`;
  const svg = element("svg", { class: "chart-overlay", "aria-hidden": "true" }, host);
  const clip = element("rect", {}, element("clipPath", { id }, element("defs", {}, svg)));
  const group = element("g", { "clip-path": `url(#${id})` }, svg);

  function draw(plot, marks) {
    const axes = plot._fullLayout;
    group.replaceChildren();
    if (!marks.length || !axes?.xaxis?.d2p) return;
    const { xaxis, yaxis } = axes;
    const margin = 6;
    clip.setAttribute("x", xaxis._offset - margin);
    clip.setAttribute("y", yaxis._offset - margin);
    clip.setAttribute("width", xaxis._length + 2 * margin);
    clip.setAttribute("height", yaxis._length + 2 * margin);
    const place = (x, y) => [xaxis._offset + xaxis.d2p(x), yaxis._offset + yaxis.d2p(y)];
    for (const { css, lines, points } of marks) {
      for (const line of lines) {
        element("path", { class: `run-line ${css}`, d: pathOf(line, place) }, group);
      }
      // A line shows where it ends; a run that is a point gets a ring.
      const ends = lines.map(lastPoint).filter(Boolean).map((point) => [point, 3.5]);
      const rings = lines.length ? [] : points.map((piece) => [lastPoint(piece), 8]);
      for (const [point, radius] of [...ends, ...rings]) {
        if (!point) continue;
        const [cx, cy] = place(...point);
        const kind = radius > 4 ? "run-ring" : "run-end";
        element("circle", { class: `${kind} ${css}`, cx, cy, r: radius }, group);
      }
    }
  }

  return { draw, clear: () => group.replaceChildren() };
}
