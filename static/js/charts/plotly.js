// plotly.js, fetched when the first chart comes into view: it is large, and tables need none of it.
import { studioConfig } from "../lib/dom.js";

let loading = null;

/** Resolves to Plotly; the file is no module, it sets window.Plotly. */
export function loadPlotly() {
  loading ??= import(studioConfig().plotly).then(
    () => window.Plotly,
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
