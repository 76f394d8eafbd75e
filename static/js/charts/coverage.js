// Where each sweep looked: for every hyperparameter one strip a sweep, one tick a run. Drawn here on
// small canvases: thousands of ticks are too much for a chart of elements.
import { $, $$, build, html } from "../lib/dom.js";
import { goodnessColour, token } from "./colours.js";

const SHADES = 12;
const HEIGHT = 20;
const MOST_TICKS = 6;
const FONT_SIZE = 12;

/** The ticks whose texts fit below a strip: all of a few, else the ends and the middle. */
function fewTicks(ticks) {
  if (ticks.length <= MOST_TICKS) return ticks;
  return [ticks[0], ticks[ticks.length >> 1], ticks.at(-1)];
}

function drawStrip(canvas, strip) {
  const density = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(HEIGHT * density);
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  context.fillStyle = token("sunken");
  context.fillRect(0, 5, width, HEIGHT - 7);
  const place = (unit) => 4 + unit * (width - 8);
  // From no value and the worst to the best, so that good runs lie on top.
  const shades = Array.from({ length: SHADES + 1 }, () => []);
  for (let i = 0; i < strip.x.length; i += 1) {
    if (!Number.isFinite(strip.x[i]) || strip.x[i] === null) continue;
    const shade = strip.shade[i];
    const isKnown = shade !== null && Number.isFinite(shade);
    shades[isKnown ? 1 + Math.min(SHADES - 1, Math.floor(shade * SHADES)) : 0].push(strip.x[i]);
  }
  shades.forEach((units, shade) => {
    if (!units.length) return;
    context.beginPath();
    for (const unit of units) {
      context.moveTo(place(unit), 6);
      context.lineTo(place(unit), HEIGHT - 3);
    }
    context.lineWidth = 1.6;
    context.strokeStyle = shade ? goodnessColour((shade - 0.5) / SHADES) : token("run-dim");
    context.stroke();
  });
  if (strip.best === null) return;
  const x = place(strip.best);
  context.fillStyle = token("best-line");
  context.beginPath();
  context.moveTo(x - 5, 0);
  context.lineTo(x + 5, 0);
  context.lineTo(x, 8);
  context.fill();
}

/** One hyperparameter: its name, a strip for each sweep that searches it, a few ticks. */
function figureOf(axis, strips) {
  const figure = build(html`<figure><figcaption class="mono"><bdi>${axis.name}</bdi>${
    axis.scale === "log" && html` <span class="faint">log</span>`}</figcaption>${strips.map(
    (strip) => html`<div class="striprow" data-place="${strip.place}"><span class="keyplace"></span>
    <canvas></canvas></div>`)}<div class="stripticks"></div></figure>`);
  $$(".striprow", figure).forEach((row) => {
    const key = $(`.legend [data-place="${row.dataset.place}"] .key`);
    if (key) $(".keyplace", row).append(key.cloneNode(true));
  });
  const shown = fewTicks(axis.ticks);
  shown.forEach(([unit, text]) => {
    const label = build(html`<span>${text}</span>`);
    // At the ends a text stands inside, or the next strip would be in its way.
    if (unit < 0.08) label.className = "first";
    else if (unit > 0.92) label.className = "last";
    else label.style.left = `${(100 * unit).toFixed(2)}%`;
    $(".stripticks", figure).append(label);
  });
  return figure;
}

/** The strips as one picture: names, canvases, ticks and the colours of the sweeps. */
function pictureOf(box) {
  const scale = 2;
  const frame = box.getBoundingClientRect();
  const picture = document.createElement("canvas");
  picture.width = Math.ceil(frame.width * scale);
  picture.height = Math.ceil(frame.height * scale);
  const context = picture.getContext("2d");
  context.scale(scale, scale);
  context.fillStyle = token("surface");
  context.fillRect(0, 0, frame.width, frame.height);
  context.font = `${FONT_SIZE}px ${getComputedStyle(box).fontFamily}`;
  const at = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return [left - frame.left, top - frame.top, width, height];
  };
  context.fillStyle = token("text");
  for (const label of $$("figcaption, .stripticks span", box)) {
    const [x, y, , height] = at(label);
    context.fillText(label.textContent, x, y + height - 4);
  }
  for (const row of $$(".striprow", box)) {
    const [x, y] = at(row);
    context.fillStyle = token(`cat-${Number(row.dataset.place) + 1}`);
    context.fillRect(x, y + 8, 12, 4);
    const canvas = $("canvas", row);
    const [cx, cy, width, height] = at(canvas);
    context.drawImage(canvas, cx, cy, width, height);
  }
  return new Promise((resolve) => {
    picture.toBlob(resolve, "image/png");
  });
}

/** A view of the strips in `host`; sweeps that are pointed at stay, the others fade. */
export function createCoverageView(host, selection, name) {
  const box = build(html`<div class="strips"></div>`);
  host.append(box);
  let figure = null;

  function redraw() {
    if (!figure || !host.clientWidth) return;
    const canvases = $$("canvas", box);
    figure.shown.forEach((strip, at) => drawStrip(canvases[at], strip));
  }

  function fade() {
    for (const row of $$(".striprow", box)) {
      const isOther = selection.run !== null && Number(row.dataset.place) !== selection.run;
      row.classList.toggle("is-dim", isOther);
    }
  }

  box.addEventListener("pointerover", (event) => {
    const row = event.target.closest(".striprow");
    selection.hover(row ? Number(row.dataset.place) : null, name);
  });
  box.addEventListener("pointerleave", () => selection.hover(null, name));
  selection.subscribe(fade);

  return {
    async show(next) {
      const groups = next.meta.axes.map((axis) => [
        axis, next.data.filter((strip) => strip.name === axis.name),
      ]);
      figure = { shown: groups.flatMap(([, strips]) => strips) };
      box.replaceChildren(...groups.map(([axis, strips]) => figureOf(axis, strips)));
      redraw();
    },
    resize: redraw,
    redraw,
    png: () => pictureOf(box),
  };
}
