// The curves of a sweep in the browser: unpacked from the server's arrays, grown by the feed. Pure.
import { decode } from "./arrays.js";

/** How many points may be added before the server should cut the curves again. */
export const MANY_POINTS = 20000;

let made = 0;

function xsOf(packed, counts) {
  const raw = decode(packed);
  if (!packed.is_delta) return Float64Array.from(raw);
  const xs = new Float64Array(raw.length);
  let at = 0;
  for (const count of counts) {
    let x = 0;
    for (const end = at + count; at < end; at += 1) {
      x += raw[at];
      xs[at] = x;
    }
  }
  return xs;
}

function ysOf(packed, base) {
  const ys = Float64Array.from(decode(packed));
  for (let i = 0; i < ys.length; i += 1) {
    ys[i] += base;
    if (!Number.isFinite(ys[i])) ys[i] = NaN;
  }
  return ys;
}

/** One run: the first `size` of `x` and `y` count; `reports` are those of the run up to there. */
class Line {
  constructor(number, x, y, reports, begin) {
    this.number = number;
    this.x = x;
    this.y = y;
    this.size = x.length;
    this.reports = reports;
    this.begin = begin;
  }

  push(x, y) {
    if (this.size === this.x.length) {
      for (const name of ["x", "y"]) {
        const grown = new Float64Array(Math.max(32, Math.ceil(this.size * 1.5)));
        grown.set(this[name]);
        this[name] = grown;
      }
    }
    this.x[this.size] = x;
    this.y[this.size] = y;
    this.size += 1;
  }

  /** The values of the run, gaps left out. */
  values() {
    return [...this.y.subarray(0, this.size)].filter((y) => !Number.isNaN(y));
  }

  /** The place of the last point that has a value; -1 when there is none. */
  end() {
    let at = this.size - 1;
    while (at >= 0 && Number.isNaN(this.y[at])) at -= 1;
    return at;
  }

  /** The place of the best value; -1 when there is none. */
  peak(goal) {
    let best = -1;
    for (let i = 0; i < this.size; i += 1) {
      const y = this.y[i];
      if (Number.isNaN(y)) continue;
      if (best < 0 || (goal === "minimize" ? y < this.y[best] : y > this.y[best])) best = i;
    }
    return best;
  }
}

/** All curves of one metric over one x; `added` counts the points that came by the feed. */
export class CurveLines {
  constructor({ metric, x, low = null, high = null, isWhole = true }) {
    made += 1;
    Object.assign(this, { metric, x, low, high, isWhole, serial: made });
    this.lines = new Map();
    this.added = 0;
  }

  /** The line of a run. */
  get(number) {
    return this.lines.get(number);
  }

  /**
   * Adds the points of `curve` ({first, values, steps, times}) that are not known yet. Returns how
   * many, or -1 when only the server can tell: points in between are missing, or out of order.
   */
  append(number, curve) {
    let line = this.lines.get(number);
    const known = line?.reports ?? 0;
    if (curve.first > known) return -1;
    const total = curve.first + curve.values.length;
    if (total <= known) return 0;
    line ??= new Line(number, new Float64Array(0), new Float64Array(0), 0, curve.times[0]);
    const before = line.size;
    for (let at = known - curve.first; at < curve.values.length; at += 1) {
      const x = this.placeOf(curve, at, line);
      if (x === null) continue;
      if (line.size && x <= line.x[line.size - 1]) return -1;
      const y = curve.values[at];
      line.push(x, y !== null && Number.isFinite(y) ? y : NaN);
    }
    line.reports = total;
    this.lines.set(number, line);
    this.added += line.size - before;
    return line.size - before;
  }

  placeOf(curve, at, line) {
    if (this.x === "interval") return curve.first + at + 1;
    if (this.x === "step") return curve.steps?.[at] ?? null;
    return curve.times[at] - line.begin;
  }

}

/** The curves of an answer of `/curves`. */
export function unpackCurves(answer) {
  const found = new CurveLines({
    metric: answer.metric, x: answer.x, low: answer.low, high: answer.high,
    isWhole: answer.is_whole,
  });
  const counts = decode(answer.counts);
  const xs = xsOf(answer.xs, counts);
  const ys = ysOf(answer.ys, answer.base);
  let start = 0;
  answer.numbers.forEach((number, place) => {
    const end = start + counts[place];
    found.lines.set(number, new Line(
      number, xs.subarray(start, end), ys.subarray(start, end), answer.reports[place],
      answer.begins?.[place] ?? null,
    ));
    start = end;
  });
  return found;
}
