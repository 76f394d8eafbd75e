"""Many curves end to end in flat arrays, cut together to what one picture can show.

Whole arrays at once: a thousand curves take milliseconds, where a loop takes a tenth of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.charts.formats import typed_array

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Keeps the charts page of 1000 runs below 2.5 MB with the chart library, all of it compressed.
MOST_POINTS: Final = 84_000
LEAST_POINTS: Final = 100
# Up to here values are sent to the last bit; beyond, to seven digits of their distance to `base`.
_EXACT_POINTS: Final = 32_000
_EARLY: Final = (1, 2, 3, 5, 8, 12, 18)
_INTEGERS: Final = (("u1", 1 << 8), ("u2", 1 << 16), ("u4", 1 << 32))


@dataclass(frozen=True, slots=True)
class Bundle:
    """Curves of runs: `numbers` and `counts` are `(r,)`, `x` and `y` `(n,)` with n their sum.

    No count is 0. `y` is NaN where there is a gap.
    """

    numbers: IntArray
    counts: IntArray
    x: FloatArray
    y: FloatArray

    @property
    def starts(self) -> IntArray:
        """Return where each run begins in `x` and `y`: `(r,)`."""
        return np.cumsum(self.counts) - self.counts

    def owners(self) -> NDArray[np.int32]:
        """Return the place of the run of each point: `(n,)`."""
        return np.repeat(np.arange(self.counts.size, dtype=np.int32), self.counts)

    def keep(self, kept: BoolArray) -> Bundle:
        """Return the curves with these points alone; runs without any are left out."""
        if not kept.size or kept.all():
            return self
        counts = np.add.reduceat(kept, self.starts, dtype=np.int64)
        has_any = counts > 0
        return Bundle(self.numbers[has_any], counts[has_any], self.x[kept], self.y[kept])


def by_step(bundle: Bundle) -> Bundle:
    """Return the curves over their steps: in order, without points that have none.

    A step that was logged twice counts as logged last.
    """
    known = bundle.keep(np.isfinite(bundle.x))
    if not known.x.size:
        return Bundle(known.numbers[:0], known.counts[:0], known.x[:0], known.y[:0])
    owners = known.owners()
    is_same = owners[1:] == owners[:-1]
    if not bool(np.all((np.diff(known.x) > 0) | ~is_same)):
        order = np.lexsort((known.x, owners))
        known = Bundle(known.numbers, known.counts, known.x[order], known.y[order])
    return known.keep(np.append((np.diff(known.x) > 0) | ~is_same, True))


def since_first(bundle: Bundle) -> tuple[Bundle, FloatArray]:
    """Return the curves over the time since the first report of each run, and those times."""
    begins = bundle.x[bundle.starts] if bundle.x.size else bundle.x
    since = bundle.x - np.repeat(begins, bundle.counts)
    return Bundle(bundle.numbers, bundle.counts, since, bundle.y), begins


def inside(bundle: Bundle, low: float, high: float) -> Bundle:
    """Return the part of the curves between two x, and one point more on either side."""
    near = (bundle.x >= low) & (bundle.x <= high)
    if near.all():
        return bundle
    owners = bundle.owners()
    is_same = owners[1:] == owners[:-1]
    wide = near.copy()
    wide[1:] |= near[:-1] & is_same
    wide[:-1] |= near[1:] & is_same
    return bundle.keep(wide)


def cut(bundle: Bundle, most: int = MOST_POINTS) -> Bundle:
    """Cut the curves to about `most` points: lowest, highest and last of buckets of equal length.

    First points stay, and so do gaps: a bucket with a gap keeps one. Of the first bucket more
    stay. Buckets are as long for a short run as for a long one, so that all lines are as fine.
    """
    if bundle.y.size <= most:
        return bundle
    size = -(-3 * bundle.y.size // most)
    rows = -(-bundle.counts // size)
    begins = (np.cumsum(rows) - rows) * size  # where each run begins once padded to whole buckets
    places = np.arange(bundle.y.size) + np.repeat(begins - bundle.starts, bundle.counts)
    padded = np.full(int(rows.sum()) * size, np.nan)
    padded[places] = bundle.y
    table = padded.reshape(-1, size)  # (buckets, size)
    first = np.arange(table.shape[0]) * size
    kept = np.zeros(padded.size, dtype=np.bool_)
    has_gaps = bool(np.isnan(bundle.y).any())
    unknown = np.isnan(table)
    kept[first + np.where(unknown, np.inf, table).argmin(axis=1)] = True
    kept[first + np.where(unknown, -np.inf, table).argmax(axis=1)] = True
    kept[first + size - 1] = True
    # Curves bend most where they begin: some more points of their first bucket.
    for offset in (0, *(n for n in _EARLY if n < size)):
        kept[(begins + offset)[bundle.counts > offset]] = True
    kept[begins + bundle.counts - 1] = True
    if has_gaps:
        holes = np.zeros(padded.size, dtype=np.bool_)
        holes[places] = np.isnan(bundle.y)
        shaped = holes.reshape(-1, size)
        kept[(first + shaped.argmax(axis=1))[shaped.any(axis=1)]] = True
    return bundle.keep(kept[places])


def pack(bundle: Bundle) -> dict[str, Any]:
    """Return the curves as JSON carries them: base64 of typed arrays, x as differences.

    `xs` hold whole numbers as the difference to the point before, the first of a run to 0; other
    numbers as they are. `ys` are to be added to `base`.
    """
    base = 0.0
    if bundle.y.size > _EXACT_POINTS:
        known = bundle.y[np.isfinite(bundle.y)]
        base = float(np.median(known[:: max(1, known.size // 1000)])) if known.size else 0.0
        with np.errstate(over="ignore"):
            ys = typed_array(bundle.y - base, "f4")
    else:
        ys = typed_array(bundle.y, "f8")
    return {
        "numbers": bundle.numbers.tolist(),
        "counts": typed_array(bundle.counts, "u4"),
        "xs": _packed_x(bundle),
        "ys": ys,
        "base": base,
    }


def _packed_x(bundle: Bundle) -> dict[str, Any]:
    if not bundle.x.size:
        return {**typed_array(bundle.x, "f8"), "is_delta": False}
    deltas = np.diff(bundle.x, prepend=0.0)
    deltas[bundle.starts] = bundle.x[bundle.starts]
    top = float(deltas.max())
    fits = [name for name, limit in _INTEGERS if top < limit]
    if fits and deltas.min() >= 0 and bool(np.all(deltas == np.floor(deltas))):
        return {**typed_array(deltas, fits[0]), "is_delta": True}
    return {**typed_array(bundle.x, "f8"), "is_delta": False}
