// The state of one sweep in the browser, kept up by the frames of its feed. Knows no page, draws
// nothing: a frame goes in, what changed comes out.
import { toNumber } from "./format.js";

/**
 * @typedef {object} Changes what one or several frames changed
 * @property {boolean} sweep the sweep's own state
 * @property {boolean} best there is a new best run or value
 * @property {Set<number>} runs numbers of runs with any change
 * @property {Set<number>} moved numbers of runs that are new or whose status changed
 * @property {Set<number>} scored numbers of runs that are new or whose best value changed
 * @property {Map<string, Set<number>>} metrics runs with new points, by metric
 * @property {object[]} log new lines of the log, oldest first
 * @property {Set<string>} gaps metrics with points missing in between: fetch them again
 */

/** @returns {Changes} */
export function noChanges() {
  return {
    sweep: false, best: false, runs: new Set(), moved: new Set(), scored: new Set(),
    metrics: new Map(), log: [], gaps: new Set(),
  };
}

/** Adds `more` to `changes`; the log stays in order. */
export function mergeChanges(changes, more) {
  changes.sweep ||= more.sweep;
  changes.best ||= more.best;
  for (const name of ["runs", "moved", "scored", "gaps"]) {
    more[name].forEach((value) => changes[name].add(value));
  }
  for (const [metric, numbers] of more.metrics) {
    const known = changes.metrics.get(metric) ?? new Set();
    numbers.forEach((number) => known.add(number));
    changes.metrics.set(metric, known);
  }
  changes.log.push(...more.log);
  return changes;
}

/** The state at `cursor`: the sweep as the page shows it, no run and no point known yet. */
export function createState({ cursor = 0, sweep = {}, best = null } = {}) {
  return { cursor, sweep, best, runs: new Map(), curves: new Map(), only: null };
}

/** Starts to keep the points of a metric; call it before its chart is fetched, or points get lost. */
export function watchMetric(state, metric) {
  if (!state.curves.has(metric)) state.curves.set(metric, new Map());
}

/** Keeps the points of every metric of one run, and those of no other run. */
export function watchRun(state, number) {
  state.only = number;
}

function curvesFor(state, { metric, number }) {
  if (state.only === null) return state.curves.get(metric);
  if (number !== state.only) return undefined;
  watchMetric(state, metric);
  return state.curves.get(metric);
}

/** Forgets the points below `count` of a run: a chart has them now. */
export function dropPoints(state, metric, number, count) {
  const curve = state.curves.get(metric)?.get(number);
  const extra = curve ? Math.min(count - curve.first, curve.values.length) : 0;
  if (extra <= 0) return;
  curve.first += extra;
  for (const name of ["values", "times", "steps"]) curve[name]?.splice(0, extra);
}

function appendPoints(curves, event) {
  let curve = curves.get(event.number);
  if (!curve) {
    curve = { first: event.first, values: [], steps: event.steps && [], times: [] };
    curves.set(event.number, curve);
  }
  const known = curve.first + curve.values.length;
  if (event.first > known) return "gap";
  const fresh = event.values.slice(known - event.first);
  if (!fresh.length) return "seen";
  const at = event.values.length - fresh.length;
  curve.values.push(...fresh.map(toNumber));
  curve.times.push(...event.times.slice(at));
  if (event.steps) {
    curve.steps ??= curve.values.slice(0, -fresh.length).map(() => null);
    curve.steps.push(...event.steps.slice(at).map(toNumber));
  } else curve.steps?.push(...fresh.map(() => null));
  return "new";
}

const REDUCERS = {
  sweep(state, event, changes) {
    state.sweep = { ...state.sweep, ...event.sweep };
    changes.sweep = true;
  },
  run(state, event, changes) {
    const { number } = event.run;
    const before = state.runs.get(number);
    state.runs.set(number, event.run);
    changes.runs.add(number);
    if (before?.status !== event.run.status) changes.moved.add(number);
    if (!before || before.best?.value !== event.run.best?.value) changes.scored.add(number);
  },
  best(state, event, changes) {
    state.best = { id: event.run, number: event.number, value: toNumber(event.value) };
    changes.best = true;
  },
  metrics(state, event, changes) {
    const curves = curvesFor(state, event);
    if (!curves) return;
    const found = appendPoints(curves, event);
    if (found === "gap") {
      // Never guess: forget what is known, the chart is asked for again.
      curves.delete(event.number);
      changes.gaps.add(event.metric);
    }
    if (found === "seen") return;
    const numbers = changes.metrics.get(event.metric) ?? new Set();
    changes.metrics.set(event.metric, numbers.add(event.number));
  },
  log(state, event, changes) {
    changes.log.push(event);
  },
  decision() {
    // The run event beside it carries the decision; the log event its sentence.
  },
};

/**
 * Takes a frame {cursor, events} into the state and returns what it changed. Events up to the known
 * cursor were seen before and are passed over; kinds of a newer server are, too.
 *
 * @returns {Changes}
 */
export function applyFrame(state, frame) {
  const changes = noChanges();
  for (const event of frame.events) {
    if (event.cursor > state.cursor) REDUCERS[event.type]?.(state, event, changes);
  }
  state.cursor = Math.max(state.cursor, frame.cursor);
  return changes;
}
