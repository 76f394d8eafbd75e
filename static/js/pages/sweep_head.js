// What all pages of a sweep share: live header, ticking durations, the question before canceling.
import { $, $$, readJson } from "../lib/dom.js";
import { startDialogs } from "../lib/dialogs.js";
import { formatDuration, formatMetric } from "../lib/format.js";
import { startLive } from "../lib/live.js";
import { createRefresher } from "../lib/parts.js";
import { startMarks } from "../lib/sweep_marks.js";
import { startReadings } from "./reading_switch.js";

/** Keeps "8 min 40 s" of running things current; `skew` is how far this clock is ahead. */
export function startTicking(skew) {
  setInterval(() => {
    if (document.hidden) return;
    for (const element of $$("[data-since]")) {
      const seconds = (Date.now() - skew - new Date(element.dataset.since)) / 1000;
      $("span", element).textContent = formatDuration(Math.max(0, seconds));
    }
  }, 1000);
}

function showBest(best, digits) {
  const value = $('[data-live="best-value"]');
  if (value) value.textContent = formatMetric(best.value, digits);
}

/**
 * Starts a page of a sweep. `refreshing` goes to the refresher of its parts.
 *
 * @returns {{page: object, live: object, refresh: Function}}
 */
export function startSweepPage(refreshing = {}) {
  const page = readJson("page-data");
  const live = startLive(page);
  const refresh = createRefresher(refreshing);
  startDialogs();
  startMarks();
  startReadings();
  startTicking(Date.now() - page.now * 1000);
  live.onText((changes) => {
    if (changes.best) showBest(live.state.best, page.digits);
    if (changes.sweep || changes.moved.size || changes.log.length) refresh();
    else if (changes.best) refresh({ isCalm: true });
  });
  return { page, live, refresh };
}

/** The address of a run's page. */
export function runUrl(page, number) {
  return page.urls.run.replace("NUMBER", String(number));
}
