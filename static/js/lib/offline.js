// The banner of a page whose live updates have stopped: since when it is old, and when it tries again.
import { $, build, html, icon } from "./dom.js";
import { formatClock } from "./format.js";

let timer = 0;
let asked = null;

/** How long until `at` (milliseconds), in words; empty when nothing is planned. */
export function untilWords(at, now = Date.now()) {
  if (at === null) return "";
  const seconds = Math.ceil((at - now) / 1000);
  return seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again now.";
}

function make() {
  // Read out once when it appears: the seconds are not for screen readers.
  const banner = build(html`<div class="banner" id="offline" role="alert">${icon("warn")}<p><span
    data-words></span> <span class="num" aria-hidden="true" data-until></span></p><button class="btn s"
    type="button">Try now</button></div>`);
  $("button", banner).addEventListener("click", () => asked?.());
  $(".topbar").after(banner);
  return banner;
}

/**
 * Shows the banner, or brings it up to date. `since`: Date of the last answer; `retryAt`: milliseconds;
 * `retry`: called by "Try now"; `note`: said instead of all that when nothing is tried again.
 */
export function showOffline({ since, retryAt = null, retry = null, note = "" }) {
  const banner = $("#offline") ?? make();
  const words = note || "Live updates stopped. The page shows the state of "
    + `${formatClock(since)}. Runs go on without this page.`;
  const place = $("[data-words]", banner);
  if (place.textContent !== words) place.textContent = words;
  asked = retry;
  $("button", banner).hidden = !retry;
  clearInterval(timer);
  const until = $("[data-until]", banner);
  const tick = () => {
    until.textContent = note ? "" : untilWords(retryAt);
  };
  tick();
  timer = setInterval(tick, 1000);
}

/** Takes the banner away. */
export function hideOffline() {
  clearInterval(timer);
  $("#offline")?.remove();
}
