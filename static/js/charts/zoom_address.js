// The zoom of a chart in the address, and how it compares with the part that was fetched.
import { getParam, replaceParams } from "../lib/url_state.js";

const WAIT_MS = 250;
const MARGIN = 0.1;

/** "0,10,0.5,0.9" as {x: [0, 10], y: [0.5, 0.9]}; null when it is none. Pure. */
export function readZoom(text) {
  const numbers = text.split(",").map(Number);
  if (!text || numbers.length !== 4 || !numbers.every(Number.isFinite)) return null;
  const [left, right, low, high] = numbers;
  return left < right && low < high ? { x: [left, right], y: [low, high] } : null;
}

/** The zoom as it stands in the address. Pure. */
export function writeZoom(zoom) {
  return zoom ? [...zoom.x, ...zoom.y].map((value) => Number(value.toPrecision(7))).join(",") : "";
}

/** A range with a margin on both sides: moving a little needs no new points. Pure. */
export function widened([low, high]) {
  const room = (high - low) * MARGIN;
  return [low - room, high + room];
}

/** Whether the fetched part holds a range. Pure. */
export function fitsIn([low, high], part) {
  return (part.low ?? -Infinity) <= low && (part.high ?? Infinity) >= high;
}

/** The zoom under `key` of the address: {value, set(zoom)}; the address follows a little later. */
export function createZoomAddress(key) {
  let value = readZoom(getParam(key));
  let waiting = 0;
  return {
    get value() {
      return value;
    },
    set(zoom) {
      value = zoom;
      clearTimeout(waiting);
      waiting = setTimeout(() => replaceParams({ [key]: writeZoom(zoom) }), WAIT_MS);
    },
  };
}
