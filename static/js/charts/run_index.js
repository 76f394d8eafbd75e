// Which points of a figure belong to which run, by the run numbers in `customdata`. Pure.

/** @typedef {{x: ArrayLike<number>, y: ArrayLike<number>, z?: ArrayLike<number>}} Points */

/** Maps run numbers to [trace, start, end] pieces; traces without run numbers are left out. */
export function indexRuns(traces) {
  const index = new Map();
  traces.forEach((trace, number) => {
    const owners = trace.customdata;
    if (!owners?.length) return;
    let start = 0;
    for (let i = 1; i <= owners.length; i += 1) {
      if (i < owners.length && owners[i] === owners[start]) continue;
      const pieces = index.get(owners[start]) ?? [];
      pieces.push([number, start, i]);
      index.set(owners[start], pieces);
      start = i;
    }
  });
  return index;
}

/** Lying bars as lines from end to end. */
function barsOf(trace, start, end) {
  const lines = [];
  for (let i = start; i < end; i += 1) {
    const from = trace.base[i];
    lines.push({ x: [from, from + trace.x[i]], y: [trace.y[i], trace.y[i]] });
  }
  return lines;
}

/**
 * Where a run stands in a figure: {lines, points}, both lists of Points. Markers that only end or
 * mark a line are left out when there is a line.
 */
export function locateRun(traces, index, run) {
  const found = { lines: [], points: [] };
  for (const [number, start, end] of index.get(run) ?? []) {
    const trace = traces[number];
    if (trace.type === "bar") {
      found.lines.push(...barsOf(trace, start, end));
      continue;
    }
    const piece = { x: trace.x.slice(start, end), y: trace.y.slice(start, end) };
    if (trace.z) piece.z = trace.z.slice(start, end);
    found[trace.mode === "lines" ? "lines" : "points"].push(piece);
  }
  return found;
}

/** The traces with the points of `runs` only; traces without run numbers stay whole. */
export function keepRuns(traces, runs) {
  return traces.map((trace) => {
    const owners = trace.customdata;
    if (!owners?.length) return trace;
    const kept = [];
    for (let i = 0; i < owners.length; i += 1) if (runs.has(owners[i])) kept.push(i);
    const pick = (values) =>
      (values?.length === owners.length && typeof values !== "string"
        ? kept.map((i) => values[i])
        : values);
    const copy = { ...trace };
    for (const key of ["x", "y", "z", "customdata", "text"]) if (key in copy) copy[key] = pick(copy[key]);
    if (copy.marker) {
      copy.marker = { ...copy.marker, color: pick(copy.marker.color), symbol: pick(copy.marker.symbol) };
    }
    return copy;
  });
}
