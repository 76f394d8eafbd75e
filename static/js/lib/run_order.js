// How rows stand on a page, compared with how they would stand now. Pure.

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

/**
 * What a newer page has against the one that is shown: {moved, added, gone}, the rows in `added` in
 * their order; `isLonger`: nothing stands elsewhere, rows only came at the end.
 */
export function compareOrder(shown, fresh) {
  const here = new Set(shown);
  const there = new Set(fresh);
  const kept = shown.filter((row) => there.has(row));
  const added = fresh.filter((row) => !here.has(row));
  const moved = countMoved(kept, fresh.filter((row) => here.has(row)));
  const gone = shown.length - kept.length;
  const isLonger = !gone && shown.every((row, at) => fresh[at] === row);
  return { moved, added, gone, isLonger };
}

/** Where to go on when the rows in `ids` are gone: at the next one that stays, or the last, or none. */
export function rowAfter(shown, ids) {
  const gone = new Set(ids);
  const first = Math.max(0, shown.findIndex((row) => gone.has(row)));
  const stays = (row) => !gone.has(row);
  return shown.slice(first).find(stays) ?? shown.filter(stays).at(-1) ?? null;
}
