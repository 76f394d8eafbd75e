// The metrics chart of the widget: the same lines as on the studio's pages, drawn from what the kernel
// sent.
import { CurveLines, unpackCurves } from "../charts/curve_lines.js";
import { extentOf } from "../charts/line_domain.js";
import { groupOf, membersOf } from "../charts/line_styles.js";
import { createLineView } from "../charts/line_view.js";
import { captionOf, limitWords, placeText, pointTip } from "../charts/line_words.js";
import { $, $$, html, render } from "../lib/dom.js";
import { formatMetric, metricDigits } from "../lib/format.js";

/**
 * Runs that reported once are points over their numbers. One that was the best so far when it came
 * holds its value until the next that is better. Pure.
 */
export function linesOfPoints(runs, metric, goal) {
  const isBetter = (a, b) => (goal === "minimize" ? a < b : a > b);
  const valued = runs.filter((run) => Number.isFinite(run.value)).sort((a, b) => a.number - b.number);
  const leaders = [];
  for (const run of valued) {
    if (!leaders.length || isBetter(run.value, leaders.at(-1).value)) leaders.push(run);
  }
  const lines = new CurveLines({ metric, x: "step" });
  const last = Math.max(0, ...runs.map((run) => run.number));
  for (const { number, value } of valued) {
    const place = leaders.findIndex((run) => run.number === number);
    const until = place < 0 ? number : (leaders[place + 1]?.number ?? last);
    const steps = until > number ? [number, until] : [number];
    lines.append(number, { first: 0, values: steps.map(() => value), steps, times: [0, 0] });
  }
  return { lines, leaders: new Set(leaders.map((run) => run.number)) };
}

/** What stands in the place of a chart without lines. Pure. */
export function emptyNote({ metric, x }) {
  return `No run has reported ${metric}${x === "step" ? " with a step" : ""} yet.`;
}

function fill(picker, choices, value) {
  const known = [...picker.options].map((option) => option.value);
  if (JSON.stringify(known) !== JSON.stringify(choices)) {
    picker.replaceChildren(...choices.map((name) => new Option(name, name)));
  }
  picker.value = value;
}

/**
 * Mounts the chart in `section`. `ask({metric, x})` wants other curves of the kernel, `keep(isLog)`
 * remembers the axis.
 */
export function mountMetrics(section, { selection, tip, ask, keep, isLog }) {
  const host = $("[data-plot]", section);
  const log = $("[data-log]", section);
  const [metricPicker, xPicker] = $$("[data-option]", section);
  let view = null;
  let facts = null;
  let chart = null;
  let curves = null;
  let version = 0;
  log.checked = isLog;

  const badgeOf = (number) => facts.byNumber.get(number);
  const digits = () => facts.figure.decimals
    ?? metricDigits(extentOf(chart.members.map((member) => member.line)) ?? []);
  const text = (value) => formatMetric(value, digits());

  function hooks() {
    return {
      zoom: null,
      onZoom: tip.hide,
      leave: tip.hide,
      point({ number, x, y, event, place, box }) {
        const rect = box.getBoundingClientRect();
        const at = event ?? { clientX: rect.left + place[0], clientY: rect.top + place[1] };
        tip.show(at, pointTip({ number, x, y }, {
          chart, badge: badgeOf(number), metric: facts.figure.metric, digits: digits(),
        }));
      },
      words: ({ number, x, y }) => `Run ${number}, ${placeText(x, chart.x)}, ${facts.figure.metric} ${text(y)}`,
    };
  }

  function members(lines, leaders) {
    const { figure, byNumber, best } = facts;
    const numbers = [...lines.keys()].filter((number) => lines.get(number).end() >= 0);
    const found = membersOf({
      numbers, lineOf: (number) => lines.get(number), best, styles: figure.styles, colours: null,
      groupOfRun: (number) => (byNumber.has(number) ? groupOf(byNumber.get(number)) : "running"),
      isPrimary: figure.metric === facts.sweep.metric,
    });
    if (!leaders) return found;
    const look = found.find((member) => member.group === "best")?.style;
    return found.map((member) => (look && leaders.has(member.number)
      ? { ...member, style: { ...look, width: 2 } } : member));
  }

  function prepare() {
    const { figure, runs, sweep, byNumber } = facts;
    const isPoints = figure.x === "run";
    const points = isPoints ? linesOfPoints(runs, figure.metric, sweep.goal) : null;
    const { lines } = points?.lines ?? curves;
    const drawn = members(lines, points?.leaders);
    const x = isPoints ? "run" : curves.x;
    version += 1;
    chart = {
      members: drawn, all: drawn.map((member) => member.line), isLog: log.checked, isFull: false, x,
      goal: figure.goal ?? sweep.goal, best: facts.best, smooth: 0,
      isLive: drawn.some((member) => member.group === "running"),
      domainKey: String(version), stillKey: String(version),
      key: JSON.stringify([figure.metric, x, log.checked]),
      limits: figure.limits ?? [],
      limitTexts: {
        rule: figure.limit_label,
        words: (limit) => limitWords(limit, { goal: figure.goal, digits: digits() }),
      },
      texts: { x: figure.x_label ?? "run", y: figure.label ?? figure.metric },
      ranked: facts.ranked,
    };
    const known = new Set(drawn.map((member) => member.number));
    return captionOf([...new Set([...byNumber.keys(), ...known])], (number) => known.has(number), {
      x, groupOfRun: (number) => groupOf(byNumber.get(number) ?? {}),
      hasValue: (number) => Number.isFinite(byNumber.get(number)?.value),
    });
  }

  function draw() {
    if (!facts?.figure?.styles || (facts.figure.x !== "run" && !curves)) return;
    $("[data-caption]", section).textContent = prepare();
    const note = $("[data-note]", section);
    note.hidden = chart.members.length > 0;
    host.classList.toggle("is-empty", !chart.members.length);
    if (!note.hidden) {
      render(note, html`<p>${emptyNote(facts.figure)}</p>`);
      return;
    }
    view ??= createLineView(host, selection, hooks());
    view.show({ chart });
  }

  log.addEventListener("change", () => {
    keep(log.checked);
    draw();
  });
  const pick = () => ask({ metric: metricPicker.value, x: xPicker.value });
  metricPicker.addEventListener("change", pick);
  xPicker.addEventListener("change", pick);

  return {
    /** Shows other facts: {sweep, runs, byNumber, best, ranked, figure, curves}. */
    show(next) {
      if (next.curves !== facts?.curves) curves = next.curves ? unpackCurves(next.curves) : null;
      facts = next;
      const { figure } = facts;
      if (!figure) return;
      fill(metricPicker, figure.metrics ?? [figure.metric], figure.metric);
      if (figure.x !== "run") xPicker.value = figure.x;
      xPicker.parentElement.hidden = figure.x === "run";
      draw();
    },
    redraw: draw,
    resize: () => view?.resize(),
  };
}
