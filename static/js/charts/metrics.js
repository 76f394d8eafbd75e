// The metrics chart between two answers of the server: points of running runs are added as they
// arrive. Pure: takes a decoded figure and the points of the feed, gives new traces.

const OPEN_GROUPS = new Set(["running", "best"]);

/** How many points may be added before the server should cut the lines again. */
export const MANY_POINTS = 4000;

function finite(value) {
  return value !== null && Number.isFinite(value);
}

/** The lines that may still grow, out of the traces: run number -> {group, xs, ys}. */
function openLines(figure) {
  const lines = new Map();
  for (const trace of figure.data) {
    if (trace.mode !== "lines" || !OPEN_GROUPS.has(trace.name)) continue;
    for (let i = 0; i < trace.y.length; i += 1) {
      const run = trace.customdata[i];
      const line = lines.get(run) ?? { group: trace.name, xs: [], ys: [] };
      line.xs.push(trace.x[i]);
      line.ys.push(Number.isFinite(trace.y[i]) ? trace.y[i] : null);
      lines.set(run, line);
    }
  }
  for (const line of lines.values()) {
    // The gap between two lines of a trace belongs to the first of them, and has no place.
    if (line.xs.length && !Number.isFinite(line.xs.at(-1))) {
      line.xs.pop();
      line.ys.pop();
    }
  }
  return lines;
}

/** Where the point of ordinal `at` stands on the x axis; null when that is not known. */
function xOf(curve, at, figure, isWhole) {
  if (figure.meta.x === "interval") return curve.first + at + 1;
  if (figure.meta.x === "step") return curve.steps?.[at] ?? null;
  return isWhole ? curve.times[at] - curve.times[0] : null;
}

/** Adds what the figure does not have yet; returns how many points, -1 when it must be fetched. */
function grow(line, curve, known, figure) {
  const isWhole = curve.first === 0 && known === 0;
  let added = 0;
  for (let at = Math.max(0, known - curve.first); at < curve.values.length; at += 1) {
    const x = xOf(curve, at, figure, isWhole);
    if (x === null) {
      if (figure.meta.x === "time") return -1;
      continue;
    }
    line.xs.push(x);
    line.ys.push(finite(curve.values[at]) ? curve.values[at] : null);
    added += 1;
  }
  return added;
}

function joined(lines) {
  const trace = { x: [], y: [], customdata: [] };
  for (const [run, line] of lines) {
    if (trace.x.length) {
      trace.x.push(trace.x.at(-1));
      trace.y.push(null);
      trace.customdata.push(trace.customdata.at(-1));
    }
    trace.x.push(...line.xs);
    trace.y.push(...line.ys);
    for (let i = 0; i < line.xs.length; i += 1) trace.customdata.push(run);
  }
  return trace;
}

function ends(lines) {
  const found = lines.map(([run, line]) => [run, line, line.ys.findLastIndex(finite)]);
  const shown = found.filter(([, , at]) => at >= 0);
  return {
    x: shown.map(([, line, at]) => line.xs[at]),
    y: shown.map(([, line, at]) => line.ys[at]),
    customdata: shown.map(([run]) => run),
  };
}

function peak(lines, goal) {
  const marks = ends(lines);
  const better = goal === "maximize" ? (a, b) => a > b : (a, b) => a < b;
  const byRun = new Map(lines);
  marks.customdata.forEach((run, place) => {
    const line = byRun.get(run);
    line.ys.forEach((y, at) => {
      if (finite(y) && better(y, marks.y[place])) [marks.x[place], marks.y[place]] = [line.xs[at], y];
    });
  });
  return marks;
}

function running(style) {
  return [
    {
      type: "scatter", mode: "lines", name: "running", connectgaps: false, opacity: 1,
      line: { color: "token:running", width: 1.9 }, hovertemplate: style.hovertemplate,
    },
    {
      type: "scatter", mode: "markers", name: "running ends", hoverinfo: "skip",
      marker: { symbol: "circle", size: 5.5, color: "token:running" },
    },
  ];
}

/**
 * The traces of `figure` with the points of `curves` (run number -> {first, values, steps, times})
 * added; `goal` when the metric is the primary one. Returns {data, added, isStale}; stale means
 * that only the server can tell.
 */
export function growLines(figure, curves, goal = "") {
  if (figure.meta.x === "run") return { data: figure.data, added: 0, isStale: curves.size > 0 };
  const lines = openLines(figure);
  let added = 0;
  let isStale = false;
  for (const [run, curve] of curves) {
    const known = figure.meta.lines?.[run];
    if (known && !lines.has(run)) {
      isStale ||= curve.first + curve.values.length > known.n;
      continue;
    }
    const line = lines.get(run) ?? { group: "running", xs: [], ys: [] };
    const count = grow(line, curve, known?.n ?? 0, figure);
    if (count < 0) isStale = true;
    else added += count;
    if (count > 0) lines.set(run, line);
  }
  if (!added) return { data: figure.data, added, isStale };
  return { data: withLines(figure, lines, goal), added, isStale };
}

function withLines(figure, lines, goal) {
  const of = (group) => [...lines].filter(([, line]) => line.group === group);
  const data = [...figure.data];
  if (!data.some((trace) => trace.name === "running")) {
    const style = data.find((trace) => trace.mode === "lines" && trace.hovertemplate) ?? {};
    data.splice(-1, 0, ...running(style));
  }
  const shapes = {
    running: () => joined(of("running")),
    best: (trace) => (trace.mode === "lines" ? joined(of("best")) : trace),
    "running ends": () => ends(of("running")),
    "best ends": () => (goal ? peak : ends)(of("best"), goal),
  };
  return data.map((trace) => (shapes[trace.name] ? { ...trace, ...shapes[trace.name](trace) } : trace));
}
