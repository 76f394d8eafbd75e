// The sliders below the limits of a sweep: steps that are evenly far apart for the eye, each a usual
// number. Fields hold what is sent; a slider only writes into its field and follows it.
import { build, html } from "../lib/dom.js";
import { formatDuration } from "../lib/format.js";

// A studio may allow less than the last ones.
const COUNTS = [
  1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 50, 64, 80, 100, 128, 160, 200, 256, 320, 400, 500, 640,
  800, 1000,
];
const MINUTES = [
  1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 360, 480, 720, 1440, 2880, 4320, 10080, 20160, 43200,
];
const runsText = (count) => `${count} run${count === 1 ? "" : "s"}`;
// `empty` is what a field without a number means, at most.
const LIMITS = {
  max_total_runs: { stops: COUNTS, words: runsText, empty: 1 },
  max_concurrent_runs: {
    stops: COUNTS, words: (count) => `${runsText(count)} at a time`, empty: 100,
  },
  max_duration_minutes: {
    stops: MINUTES, words: (minutes) => formatDuration(minutes * 60), empty: 10080,
  },
};
const sliders = [];

/** The stop that is nearest to a value by its ratio: 900 is nearer to 1000 than to 800. */
export function nearestStop(stops, value) {
  const gap = (stop) => Math.abs(Math.log(stop / value));
  if (!(value > 0)) return 0;
  return stops.reduce((best, stop, place) => (gap(stop) < gap(stops[best]) ? place : best), 0);
}

/** The stops up to the most that is allowed, which is the last one. */
export function stopsUpTo(stops, most) {
  return [...stops.filter((stop) => stop < most), most];
}

/** Lets the sliders stand where their fields say. */
export function followBudget() {
  for (const { field, slider, limit } of sliders) {
    const value = field.value.trim() === "" ? limit.empty : Number(field.value);
    const place = nearestStop(limit.stops, value);
    slider.value = String(place);
    slider.setAttribute("aria-valuetext", limit.words(limit.stops[place]));
  }
}

/** Puts a slider below each limit of the form. */
export function mountBudget(form) {
  const most = JSON.parse(form.querySelector("[data-most]").dataset.most);
  for (const [name, usual] of Object.entries(LIMITS)) {
    const limit = { ...usual, stops: stopsUpTo(usual.stops, most[name]) };
    const field = form.elements.namedItem(name);
    const label = field.labels[0].firstChild.textContent.trim();
    const slider = build(html`<input type="range" class="limit" min="0" max="${limit.stops.length - 1}"
      step="1" aria-label="${label}">`);
    field.after(slider);
    sliders.push({ field, slider, limit });
    slider.addEventListener("input", () => {
      field.value = String(limit.stops[Number(slider.value)]);
      // What listens to the field hears of it as of typing.
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
  followBudget();
}
