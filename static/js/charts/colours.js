// Colours of charts: "token:best-line" stands for the custom property --best-line of the theme.

const PREFIX = "token:";
const STOPS = [0, 1, 2, 3, 4, 5];
const cache = new Map();
let home = null;
let probe = null;

/** Forgets all colours: the theme is another one now. */
export function forgetColours() {
  cache.clear();
}

/** Takes the colours as they are within `element`: a page that is not ours knows no tokens. */
export function usePaletteOf(element) {
  if (home === element && probe?.isConnected) return;
  probe?.remove();
  home = element;
  probe = null;
  forgetColours();
}

/** The colour of a token in the theme that shows now, as rgb(...). */
export function token(name) {
  if (cache.has(name)) return cache.get(name);
  if (!probe) {
    // light-dark() is only resolved on an element.
    probe = document.createElement("span");
    probe.hidden = true;
    (home ?? document.body).append(probe);
  }
  probe.style.color = `var(--${name})`;
  const colour = getComputedStyle(probe).color;
  cache.set(name, colour);
  return colour;
}

function parts(colour) {
  return colour.match(/[\d.]+/g).slice(0, 3).map(Number);
}

/** The colour of a metric value: 0 is worst, 1 is best and farthest from the background. */
export function goodnessColour(share) {
  const at = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0)) * 5;
  const low = Math.min(4, Math.floor(at));
  const [from, to] = [low, low + 1].map((stop) => parts(token(`seq-${stop}`)));
  return `rgb(${from.map((v, i) => Math.round(v + (to[i] - v) * (at - low))).join(",")})`;
}

function resolveText(text) {
  if (!text.startsWith(PREFIX)) return text;
  const name = text.slice(PREFIX.length);
  return name === "seq" ? STOPS.map((i) => [i / 5, token(`seq-${i}`)]) : token(name);
}

/** A copy of a figure's part in which every token is a colour of the theme. */
export function resolveColours(value) {
  if (typeof value === "string") return resolveText(value);
  if (Array.isArray(value)) {
    return ["string", "object"].includes(typeof value[0]) ? value.map(resolveColours) : value;
  }
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, resolveColours(inner)]),
  );
}

/** Calls `listener` when the theme changes, after the old colours are forgotten. */
export function onTheme(listener) {
  const changed = () => {
    forgetColours();
    listener();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  addEventListener("themechange", changed);
}
