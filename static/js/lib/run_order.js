// How a table of runs would be sorted now, compared with how it stands. Pure.

const KEYS = {
  number: (run) => run.number,
  state: (run) => run.status,
  best: (run) => run.best?.value ?? null,
  reports: (run) => run.reports,
  duration: (run) => run.duration,
  created: (run) => run.created,
};

function compare(a, b) {
  if (a === b) return 0;
  return a > b ? 1 : -1;
}

/** The numbers of `runs` in the order that a column asks for; runs without a value come last. */
export function sortedNumbers(runs, sort, isDescending) {
  const param = sort.replace(/^params\./, "");
  const key = Object.hasOwn(KEYS, sort)
    ? KEYS[sort] : (run) => run.hyperparameters?.[param] ?? null;
  const sign = isDescending ? -1 : 1;
  return [...runs].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if ((a === null) !== (b === null)) return a === null ? 1 : -1;
    const down = sort === "number" ? sign : 1;
    return sign * compare(a, b) || down * (one.number - other.number);
  }).map((run) => run.number);
}

/** How many rows would have to move: those outside of the longest part that is in order already. */
export function countMoved(shown, wanted) {
  const place = new Map(wanted.map((number, at) => [number, at]));
  const tails = [];
  for (const number of shown) {
    const at = place.get(number);
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tails[middle] < at) low = middle + 1;
      else high = middle;
    }
    tails[low] = at;
  }
  return shown.length - tails.length;
}
