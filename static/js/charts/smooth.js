// Smoothing of a curve: an exponential mean that starts at the first value and leaves gaps. Pure.

/**
 * The smoothed values of a line {x, y, size, reports}: `weight` (0 to below 1) is what the mean keeps
 * from one report to the next. Between the points of a cut line lie several reports: they count.
 */
export function smoothed(line, weight, isByReport) {
  const { x, y, size } = line;
  const usual = Math.max(1, line.reports / Math.max(1, size));
  const found = new Float64Array(size);
  let mean = 0;
  let known = 0;
  for (let i = 0; i < size; i += 1) {
    if (Number.isNaN(y[i])) {
      found[i] = NaN;
      continue;
    }
    let reports = isByReport ? x[i] - x[i - 1] : usual;
    if (!i) reports = 1;
    const kept = weight ** reports;
    mean = kept * mean + (1 - kept) * y[i];
    known = kept * known + (1 - kept);
    found[i] = mean / known;
  }
  return found;
}
