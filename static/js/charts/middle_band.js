// The middle half of all runs: between the quartiles, at each interval, of the runs that got there. Pure.

// Fewer say nothing about a middle.
const LEAST_RUNS = 5;
const MOST_PLACES = 120;

function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

/** The last value of a line up to `x`; NaN where it has not got there, or has none yet. */
function valueAt({ x: xs, y: ys, size }, x) {
  if (!size || xs[size - 1] < x) return NaN;
  let [low, high] = [0, size];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle + 1;
    else high = middle;
  }
  let at = low - 1;
  while (at >= 0 && Number.isNaN(ys[at])) at -= 1;
  return at < 0 ? NaN : ys[at];
}

/** The band of `lines` ({x, y, size} over intervals) as {x, low, high}; null of too few runs. */
export function middleBand(lines) {
  const longest = lines.reduce((most, { x, size }) => Math.max(most, size ? x[size - 1] : 0), 0);
  const every = Math.max(1, Math.ceil(longest / MOST_PLACES));
  const band = { x: [], low: [], high: [] };
  for (let x = 1; x <= longest; x += every) {
    const values = lines.map((line) => valueAt(line, x)).filter(Number.isFinite).sort((a, b) => a - b);
    if (values.length < LEAST_RUNS) continue;
    band.x.push(x);
    band.low.push(quantile(values, 0.25));
    band.high.push(quantile(values, 0.75));
  }
  return band.x.length > 1 ? band : null;
}
