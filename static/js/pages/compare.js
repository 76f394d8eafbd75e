// Comparison of sweeps: charts that are linked by the sweep pointed at, and fresh while one lives.
import { ChartCard } from "../charts/card.js";
import { createCoverageView } from "../charts/coverage.js";
import { createPlotView } from "../charts/figure.js";
import { getFragment } from "../lib/api.js";
import { $, $$, readJson } from "../lib/dom.js";
import { knownParts, showParts } from "../lib/parts.js";
import { createSelection } from "../lib/selection.js";
import { followSweeps } from "../lib/sweeps_feed.js";
import { getParam, replaceParams } from "../lib/url_state.js";

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
function follow() {
  const mine = new Set(page.sweeps);
  const sources = knownParts();

  async function look() {
    const isComplete = showParts(await getFragment(location.href), sources);
    cards.forEach((card) => card.refresh());
    return isComplete;
  }

  followSweeps(look, { concerns: (id) => mine.has(id) });
}

$$("[data-differences]").forEach(startDifferences);
// The address at the time of the click has every choice that was made on the page.
$("[data-copy-page]").addEventListener("pointerdown", (event) => {
  event.currentTarget.dataset.copy = location.href;
});
$("[data-copy-page]").addEventListener("keydown", (event) => {
  event.currentTarget.dataset.copy = location.href;
});
if (page.live) follow();
