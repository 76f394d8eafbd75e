// What is worked out of lines and kept until they grow: smoothed values, least and greatest value.
import { smoothed } from "./smooth.js";

/** Makes the memory; lines that are not used any more are forgotten by themselves. */
export function createLineMemory() {
  const values = new WeakMap();
  const extents = new WeakMap();

  function ysOf(line, weight, isByReport) {
    if (!weight) return line.y;
    const key = `${line.size} ${weight}`;
    let kept = values.get(line);
    if (kept?.key !== key) {
      kept = { key, ys: smoothed(line, weight, isByReport) };
      values.set(line, kept);
    }
    return kept.ys;
  }

  function extentOf(line) {
    let kept = extents.get(line);
    if (kept?.size !== line.size) {
      let [low, high] = [Infinity, -Infinity];
      for (let i = 0; i < line.size; i += 1) {
        if (line.y[i] < low) low = line.y[i];
        if (line.y[i] > high) high = line.y[i];
      }
      kept = { size: line.size, range: [low, high] };
      extents.set(line, kept);
    }
    return kept.range;
  }

  return { ysOf, extentOf };
}
