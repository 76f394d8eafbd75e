// Comparison of sweeps: charts that are linked by the sweep pointed at, and fresh while one lives.
import { ChartCard } from "../charts/card.js";
import { createCoverageView } from "../charts/coverage.js";
import { createPlotView } from "../charts/figure.js";
import { getFragment } from "../lib/api.js";
import { $, $$, readJson, studioConfig } from "../lib/dom.js";
import { listen } from "../lib/hints.js";
import { showParts } from "../lib/parts.js";
import { createSelection } from "../lib/selection.js";
import { onLiveToggle, setLive } from "../lib/shell.js";
import { getParam, replaceParams } from "../lib/url_state.js";

const REFRESH_MS = 3000;
const COVERAGE = "compare_coverage";

const page = readJson("page-data");
const selection = createSelection();
// Every sweep keeps the colour of its place; there is nothing to pin.
selection.pin = () => false;

const cards = $$("[data-chart]").map((section) => {
  const { chart } = section.dataset;
  const make = chart === COVERAGE ? createCoverageView : createPlotView;
  return new ChartCard(section, { makeView: (host) => make(host, selection, chart) });
});

/* ---- the sweep pointed at ---- */
const NAME = "page";

function placeOf(event) {
  const element = event.target.closest?.("[data-place]");
  return element && !element.closest("[data-plot]") ? Number(element.dataset.place) : null;
}

for (const kind of ["pointerover", "focusin"]) {
  addEventListener(kind, (event) => {
    if (!event.target.closest?.("[data-plot]")) selection.hover(placeOf(event), NAME);
  });
}
selection.subscribe(({ run }) => {
  for (const element of $$("[data-place]:not([data-plot] *)")) {
    element.classList.toggle("hl", run !== null && Number(element.dataset.place) === run);
  }
});

/* ---- only what differs ---- */
const DIFFERENCES = { best: ["diff", ""], specs: ["", "all"] };

function startDifferences(box) {
  const key = box.dataset.differences;
  const [whenOn, whenOff] = DIFFERENCES[key];
  const section = box.closest("section");
  const show = () => section.classList.toggle("only-differences", box.checked);
  box.checked = getParam(key) === whenOn;
  box.parentElement.hidden = false;
  show();
  box.addEventListener("change", () => {
    show();
    replaceParams({ [key]: box.checked ? whenOn : whenOff });
  });
}

/* ---- live ---- */
const sources = new Map();
let last = 0;
let pending = null;

async function refresh() {
  last = Date.now();
  showParts(await getFragment(location.href), sources);
  cards.forEach((card) => card.refresh());
}

function refreshSoon() {
  if (document.hidden) return Promise.resolve();
  pending ??= new Promise((resolve, reject) => {
    setTimeout(() => {
      pending = null;
      refresh().then(resolve, reject);
    }, Math.max(0, last + REFRESH_MS - Date.now()));
  });
  return pending;
}

function startLive() {
  const mine = new Set(page.sweeps);
  let isPaused = false;
  let since = new Date();
  const line = listen(`${studioConfig().urls.home}ws/sweeps/`, {
    onHint: (hint) => (!hint || hint.changed.some((id) => mine.has(id)) ? refreshSoon() : null),
    onState(state, { retryAt }) {
      if (state !== "offline") since = new Date();
      setLive(state, { since, retryAt, retry: () => line.retry() });
    },
  });
  onLiveToggle(() => {
    isPaused = !isPaused;
    if (isPaused) {
      line.pause();
      setLive("paused");
    } else line.resume();
  });
  addEventListener("visibilitychange", () => {
    if (!document.hidden && !isPaused) refreshSoon().catch(() => {});
  });
}

$$("[data-differences]").forEach(startDifferences);
// The address at the time of the click has every choice that was made on the page.
$("[data-copy-page]").addEventListener("pointerdown", (event) => {
  event.currentTarget.dataset.copy = location.href;
});
$("[data-copy-page]").addEventListener("keydown", (event) => {
  event.currentTarget.dataset.copy = location.href;
});
if (page.live) startLive();
