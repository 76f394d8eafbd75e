// Sweep, logs: new lines appear at the end; following stops when somebody scrolls up.
import { $, build, html } from "../lib/dom.js";
import { formatClock } from "../lib/format.js";
import { followEnd } from "../lib/follow.js";
import { runUrl, startSweepPage } from "./sweep_head.js";

const MOST_LINES = 2000;

const { page, live } = startSweepPage();
const log = $("#log");
const follow = followEnd(log, $("#follow"));

function markup(line) {
  const number = line.run?.split("_").at(-1);
  const isBad = / Failed\./.test(line.message) ? "is-bad" : "";
  return html`<li class="line kind-${line.kind} ${isBad}" data-cursor="${line.cursor}"><time
    datetime="${line.time}" data-clock>${formatClock(line.time)}</time><span class="kind">${line.kind}
    </span>${number === undefined
      ? html`<span>${line.message}</span>`
      : html`<a href="${runUrl(page, number)}">${line.message}</a>`}</li>`;
}

live.onText((changes) => {
  const { kind, newest } = log.dataset;
  if (!newest) return;
  const last = Number(log.lastElementChild?.dataset.cursor ?? 0);
  const lines = changes.log.filter((line) => (!kind || line.kind === kind) && line.cursor > last);
  if (!lines.length) return;
  $("[data-empty]", log)?.remove();
  log.append(...lines.map((line) => build(markup(line))));
  while (log.children.length > MOST_LINES) log.firstElementChild.remove();
  follow();
});
