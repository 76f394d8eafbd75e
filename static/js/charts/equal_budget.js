// All runs after the same number of reports or the same time: a slider, the ranking there, and which
// delay would have kept the final top.
import { $, html, render } from "../lib/dom.js";
import { getParam, replaceParams } from "../lib/url_state.js";
import { ChartCard } from "./card.js";
import { createPlotView } from "./figure.js";
import { standingMarkup } from "./standing.js";

const KEY = "equal_budget.budget";
const WAIT_MS = 60;
const STEPS_OF_TIME = 400;

/** Starts the card; `board` knows the runs, `urlOf` their pages. */
export function mountEqualBudget(section, board, urlOf) {
  const range = $("[data-range]", section);
  const output = $("[data-value]", section);
  let asked = Number(getParam(KEY)) || null;
  let timer = 0;

  const card = new ChartCard(section, {
    makeView: (host) => createPlotView(host, board.selection, "equal_budget"),
    extra: () => ({ budget: asked ?? "" }),
    onFigure: show,
  });

  function show(figure) {
    const { budget, advice, standing } = figure.meta;
    const isTime = budget.by === "seconds";
    range.step = isTime ? String(Math.max(budget.largest / STEPS_OF_TIME, 0.001)) : "1";
    range.min = isTime ? range.step : "1";
    range.max = String(budget.largest);
    if (document.activeElement !== range) range.value = String(budget.value);
    range.setAttribute("aria-valuetext", budget.text);
    output.textContent = budget.text;
    $("[data-budget]", section).hidden = !standing.compared && !budget.largest;
    const isUsable = Boolean(!isTime && advice.delay && section.dataset.form);
    render($("[data-advice]", section), html`<p><b>${advice.sentence}</b> ${advice.why}${isUsable
      && html` <a href="${section.dataset.form}&delay=${advice.delay}">New sweep with this delay</a>`}</p>`);
    render($("[data-standing]", section), standingMarkup(figure.meta, {
      valueText: board.known.valueText, urlOf,
    }));
  }

  function choose() {
    asked = Number(range.value);
    if (card.options().by === "reports") output.textContent = `${asked} report${asked === 1 ? "" : "s"}`;
    replaceParams({ [KEY]: asked });
    clearTimeout(timer);
    timer = setTimeout(() => card.load(), WAIT_MS);
  }

  range.addEventListener("input", choose);
  // Reports are no seconds: another unit begins at its own advice again.
  $('[data-option="by"]', section).addEventListener("change", () => {
    asked = null;
    replaceParams({ [KEY]: "" });
    card.load();
  });
  board.live.onCharts((changes) => {
    if (changes.moved.size || changes.metrics.has(board.page.sweep.metric)) card.refresh();
  });
  return card;
}
