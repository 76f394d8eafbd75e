// The metrics chart coloured by how good each run is, instead of by its status. Pure.

const SHADES = 6;
const KEPT = new Set(["best", "best ends", "limit", "highlight", "edge"]);

/** [worst, best] of the scale: from the 20th percentile on, so that one bad run flattens nothing. */
export function domainOf(values, goal) {
  const known = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!known.length) return [0, 1];
  const fifth = Math.floor(0.2 * (known.length - 1) + 0.5);
  return goal === "maximize"
    ? [known[fifth], known[known.length - 1]]
    : [known[known.length - 1 - fifth], known[0]];
}

function shadeOf(value, [worst, best]) {
  if (!Number.isFinite(value)) return 0;
  const share = best === worst ? 1 : (value - worst) / (best - worst);
  return Math.round(Math.min(1, Math.max(0, share)) * (SHADES - 1));
}

/** The traces with one trace a shade instead of one a status; `valueOf(run)` is its best value. */
export function colourByValue(traces, valueOf, goal) {
  const lines = traces.filter((t) => t.mode === "lines" && t.customdata && !KEPT.has(t.name));
  const runs = [...new Set(lines.flatMap((trace) => [...trace.customdata]))];
  const domain = domainOf(runs.map(valueOf), goal);
  const shades = Array.from({ length: SHADES }, () => ({ x: [], y: [], customdata: [] }));
  for (const trace of lines) {
    for (let i = 0; i < trace.customdata.length; i += 1) {
      const run = trace.customdata[i];
      const shade = shades[shadeOf(valueOf(run), domain)];
      // A gap wherever the next point belongs to another run.
      if (shade.customdata.length && shade.customdata.at(-1) !== run && shade.y.at(-1) !== null) {
        shade.x.push(shade.x.at(-1));
        shade.y.push(null);
        shade.customdata.push(shade.customdata.at(-1));
      }
      shade.x.push(trace.x[i]);
      shade.y.push(Number.isFinite(trace.y[i]) ? trace.y[i] : null);
      shade.customdata.push(run);
    }
  }
  const drawn = shades.flatMap((points, shade) => (points.x.length ? [{
    ...points, type: "scatter", mode: "lines", name: `shade ${shade}`, connectgaps: false,
    opacity: 0.9, line: { color: `token:seq-${shade}`, width: 1.5 },
    hovertemplate: lines[0].hovertemplate,
  }] : []));
  return [...drawn, ...traces.filter((trace) => KEPT.has(trace.name))];
}
