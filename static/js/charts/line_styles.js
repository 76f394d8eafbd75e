// How the lines of runs look: grouped by what became of them, coloured by status, value or parameter.
import { formatParam } from "../lib/format.js";
import { goodnessColour, token } from "./colours.js";

const ORDER = ["waiting", "completed", "canceled", "stopped", "failed", "running"];
const WAITING = new Set(["NotStarted", "Queued", "Starting"]);
const ENDED = new Set(["Completed", "Failed", "Canceled"]);
const SYMBOLS = { stopped: "stopped", failed: "failed", running: "running" };
const MANY_LINES = 300;
const THIN = 0.6;
const PALETTE = 8;
const COLOURED = 0.85;

/** The group of a run as the feed tells of it; the same rule as experiments/charts/styles.py. */
export function groupOf({ status, end_reason: reason, last }) {
  const isStopped = reason === "policy";
  if (WAITING.has(status)) return "waiting";
  if (!ENDED.has(status)) return isStopped ? "stopped" : "running";
  if (status === "Failed" || (typeof last === "string" && last)) return "failed";
  if (status === "Canceled") return isStopped ? "stopped" : "canceled";
  return "completed";
}

/** [worst, best] of the scale: from the 20th percentile on, so that one bad run flattens nothing. */
export function domainOf(values, goal) {
  const known = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!known.length) return [0, 1];
  const fifth = Math.floor(0.2 * (known.length - 1) + 0.5);
  return goal === "maximize"
    ? [known[fifth], known[known.length - 1]]
    : [known[known.length - 1 - fifth], known[0]];
}

function shareIn([from, to], value) {
  if (!Number.isFinite(value)) return NaN;
  return to === from ? 1 : Math.min(1, Math.max(0, (value - from) / (to - from)));
}

function byValue(known, goal, text) {
  const runs = known.ranked();
  const domain = domainOf(runs.map((run) => run.value), goal);
  return {
    colourOf: (run) => goodnessColour(shareIn(domain, known.get(run)?.value ?? NaN)),
    legend: { kind: "scale", from: text(domain[0]), to: text(domain[1]) },
  };
}

function byNumber(values, isLog) {
  const map = isLog ? Math.log : (value) => value;
  const found = [...values.values()].filter((value) => Number.isFinite(map(value)));
  const [low, high] = [Math.min(...found), Math.max(...found)];
  const domain = [map(low), map(high)];
  return {
    colourOf: (run) => goodnessColour(shareIn(domain, map(values.get(run) ?? NaN))),
    legend: { kind: "scale", from: formatParam(low, 3), to: formatParam(high, 3) },
  };
}

function byChoice(values) {
  const order = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : a < b ? -1 : 1);
  const words = [...new Set([...values.values()].sort(order).map((value) => formatParam(value)))];
  const colour = (word) => {
    const place = words.indexOf(word);
    return token(place >= 0 && place < PALETTE ? `cat-${place + 1}` : "quiet");
  };
  return {
    colourOf: (run) => colour(values.has(run) ? formatParam(values.get(run)) : null),
    legend: { kind: "words", words: words.map((word, place) => [word, place < PALETTE ? place + 1 : 0]) },
  };
}

/**
 * How `mode` colours runs: {colourOf(run), legend}; null when lines keep the colour of their status.
 * Modes are "" (status), "metric", and "param:<name>" with the distribution of that parameter.
 */
export function colouring(mode, { known, goal, space, names }) {
  if (mode === "metric") return byValue(known, goal, known.valueText);
  if (!mode.startsWith("param:")) return null;
  const name = mode.slice("param:".length);
  const place = names.indexOf(name);
  if (place < 0) return null;
  const values = new Map(known.ranked().map((run) => [run.number, run.params[place]])
    .filter(([, value]) => value !== null && value !== undefined));
  const isNumeric = [...values.values()].every((value) => typeof value === "number");
  if (!isNumeric || /^q?choice/.test(space[name] ?? "")) return byChoice(values);
  return byNumber(values, /^q?log/.test(space[name] ?? ""));
}

/**
 * The members of the chart, lowest first: others, running ones, the best. `numbers` are the runs that
 * are drawn, `lineOf(run)` their line, `groupOfRun(run)` their group.
 */
export function membersOf({ numbers, lineOf, groupOfRun, best, styles, colours, isPrimary }) {
  const byGroup = new Map(ORDER.map((group) => [group, []]));
  for (const number of numbers) {
    if (number !== best) byGroup.get(groupOfRun(number))?.push(number);
  }
  const thin = numbers.length > MANY_LINES ? THIN : 1;
  const found = [];
  const add = (number, group, look, factor) => {
    const line = lineOf(number);
    if (!line?.size) return;
    const isBest = group === "best";
    const isColoured = colours && !isBest;
    found.push({
      line, number, group, isMoving: isBest || group === "running",
      symbol: isBest ? (isPrimary ? "best" : "") : SYMBOLS[group] ?? "",
      style: {
        colour: isColoured ? colours.colourOf(number) : token(look.colour.replace("token:", "")),
        width: look.width * factor, opacity: isColoured ? Math.max(COLOURED, look.opacity) : look.opacity,
      },
    });
  };
  for (const [group, members] of byGroup) {
    for (const number of members) add(number, group, styles[group], thin);
  }
  if (best !== null && numbers.includes(best)) add(best, "best", styles.best, 1);
  return found;
}
