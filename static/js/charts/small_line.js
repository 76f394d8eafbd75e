// A small line chart as SVG: one metric of one run, with its lowest and highest value at the side.
import { html } from "../lib/dom.js";
import { formatParam } from "../lib/format.js";

const WIDTH = 260;
const HEIGHT = 84;
const PAD = 6;

/** Places points in the picture; gaps split the line. Pure. */
export function smallPath({ x, y }) {
  const known = y.filter((value) => value !== null && Number.isFinite(value));
  if (!known.length) return null;
  const low = known.reduce((a, b) => Math.min(a, b));
  const high = known.reduce((a, b) => Math.max(a, b));
  const first = x[0];
  const span = x[x.length - 1] - first || 1;
  const px = (value) => PAD + ((value - first) / span) * (WIDTH - 2 * PAD);
  const share = (value) => (high > low ? (value - low) / (high - low) : 0.5);
  const py = (value) => HEIGHT - PAD - share(value) * (HEIGHT - 2 * PAD);
  let path = "";
  let isOpen = false;
  y.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) {
      isOpen = false;
      return;
    }
    path += `${isOpen ? "L" : "M"}${px(x[i]).toFixed(1)},${py(value).toFixed(1)}`;
    isOpen = true;
  });
  const at = y.findLastIndex((value) => value !== null && Number.isFinite(value));
  return { path, low, high, end: [px(x[at]), py(y[at])], last: y[at] };
}

/** The chart of one metric as markup. */
export function smallLine(series) {
  const picture = smallPath(series);
  if (!picture) {
    return html`<figure class="smallchart"><figcaption><span class="mono clip">${series.name}</span><span
      class="faint">no number</span></figcaption></figure>`;
  }
  const { path, low, high, end, last } = picture;
  // Lone points have no length: each is drawn as a dot.
  const isDot = !path.includes("L");
  const drawn = isDot ? path.replace(/M[^M]+/g, "$&h0") : path;
  const said = `${series.name}: last ${formatParam(last)}, from ${formatParam(low)} to ${formatParam(high)}`;
  return html`<figure class="smallchart"><figcaption><span class="mono clip" title="${series.name}">${
    series.name}</span><span class="num"><span class="xs faint">last</span> <span class="metricval">${formatParam(last)}</span></span></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${said}">
    <path class="line${isDot ? " dot" : ""}" d="${drawn}"></path></svg>
    <div class="row between xs faint num"><span>${formatParam(low)} to ${formatParam(high)}</span><span>${
    series.count} value${series.count === 1 ? "" : "s"}</span></div></figure>`;
}
