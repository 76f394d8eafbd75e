// Sweep, activity log: new lines appear at the end; following stops when somebody scrolls up. Days are
// set apart in the zone of the reader.
import { $, $$, build, html } from "../lib/dom.js";
import { formatClock } from "../lib/format.js";
import { followEnd } from "../lib/follow.js";
import { runUrl, startSweepPage } from "./sweep_head.js";

const MOST_LINES = 2000;
const WHO = { decision: "policy", sampler: "sampler" };
const DAY = new Intl.DateTimeFormat(document.documentElement.lang || "en", {
  weekday: "short", day: "numeric", month: "short", year: "numeric",
});

const { page, live } = startSweepPage();
const log = $("#log");
const { kind, newest, at } = log.dataset;
const follow = newest ? followEnd(log, $("#follow")) : () => {};

function markup(line) {
  const number = line.run?.split("_").at(-1);
  const isBad = / Failed\./.test(line.message) ? "is-bad" : "";
  const id = `line-${line.cursor}`;
  return html`<li class="line kind-${line.kind} ${isBad}" id="${id}" data-cursor="${line.cursor}"><a
    class="when" href="?at=${line.cursor}#${id}"><span class="vh">Link to the line of </span><time
    datetime="${line.time}" title="${exact(line.time)}" data-clock>${formatClock(line.time)}</time></a><span
    class="kind">${line.kind}</span><span class="who ${line.by ? "is-person" : ""}">${
    line.by || WHO[line.kind] || "studio"}</span>${number === undefined
    ? html`<span class="what">${line.message}</span>`
    : html`<a class="what" href="${runUrl(page, number)}">${line.message}</a>`}</li>`;
}

function exact(time) {
  return `${new Date(time).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** Puts the day before its first line, where the lines are of more than one day. */
function setDays() {
  $$(".day", log).forEach((day) => day.remove());
  const lines = $$(".line", log);
  const days = lines.map((line) => DAY.format(new Date($("time", line).dateTime)));
  if (new Set(days).size < 2) return;
  lines.forEach((line, place) => {
    if (days[place] === days[place - 1]) return;
    line.before(build(html`<li class="day"><span>${days[place]}</span></li>`));
  });
}

function matches(line) {
  return !kind || (kind === "people" ? Boolean(line.by) : line.kind === kind);
}

live.onText((changes) => {
  if (!newest) return;
  const last = Number($$(".line", log).at(-1)?.dataset.cursor ?? 0);
  const lines = changes.log.filter((line) => matches(line) && line.cursor > last);
  if (!lines.length) return;
  $("[data-empty]", log)?.remove();
  log.append(...lines.map((line) => build(markup(line))));
  while (log.children.length > MOST_LINES) log.firstElementChild.remove();
  setDays();
  follow();
});

setDays();
follow();
if (at) {
  const line = $(`#line-${at}`, log);
  line?.classList.add("is-target");
  line?.scrollIntoView({ block: "center" });
}
