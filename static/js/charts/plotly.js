// plotly.js, fetched when the first chart comes into view: it is large, and tables need none of it.
import { html, render, studioConfig } from "../lib/dom.js";
import { tameLoops } from "./render_loop.js";

let loading = null;

/**
 * Lets the canvas on which the library measures letters live in memory: it reads pixels back, and
 * browsers warn about that otherwise. Only while the library starts.
 */
async function withReadableCanvas(start) {
  const { prototype } = HTMLCanvasElement;
  const original = prototype.getContext;
  prototype.getContext = function getContext(kind, options) {
    const isFlat = kind === "2d" && options === undefined;
    return original.call(this, kind, isFlat ? { willReadFrequently: true } : options);
  };
  try {
    return await start();
  } finally {
    prototype.getContext = original;
  }
}

/** Resolves to Plotly; the file is no module, it sets window.Plotly. */
export function loadPlotly() {
  loading ??= withReadableCanvas(() => import(studioConfig().plotly)).then(
    () => {
      tameLoops();
      return window.Plotly;
    },
    (error) => {
      loading = null;
      throw new Error(`The chart library could not be loaded. ${error.message}`);
    },
  );
  return loading;
}

/** Whether the browser can draw in three dimensions. */
export function hasWebGl() {
  const canvas = document.createElement("canvas");
  return Boolean(canvas.getContext("webgl2") ?? canvas.getContext("webgl"));
}

/** A view in place of a chart in three dimensions that the browser cannot draw. */
export function createFlatView(host) {
  render(host, html`<div class="chart-note"><p>3-D needs WebGL, which is off in this browser. The
    <a href="#title-scatter_2d">2-D scatter</a> and the table show the same runs.</p></div>`);
  const nothing = async () => {};
  return { show: nothing, resize: nothing, redraw: nothing, png: nothing };
}
