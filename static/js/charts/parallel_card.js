// The card of parallel coordinates: its view, slider, list of axes and line of what is picked, and what
// all of that does to the list of runs, to the other charts and to the address.
import { $, html, render } from "../lib/dom.js";
import { getParam, replaceParams } from "../lib/url_state.js";
import { readView, writeView } from "./parallel_address.js";
import { createParallelView } from "./parallel_coordinates.js";
import { readFigure } from "./parallel_figure.js";
import { mountAxisPanel } from "./parallel_panel.js";
import { captionOf, mountPicked } from "./parallel_picked.js";
import { hideTip, showTip } from "./tip.js";

// How long a drag rests before the list and the other charts follow.
const REST_MS = 250;
const KEYS = ["axes", "ranges", "top", "rails"];
// What the runs table calls the value that the page reads from each run.
const COLUMNS = { best: "best", last: "last" };

/** The distribution of each parameter: "loguniform" of "loguniform(-9, 0)". */
function distributions(space) {
  return Object.fromEntries(Object.entries(space).map(([name, text]) => [name, String(text).split("(")[0]]));
}

/** Adds the chart to the board; `list` is the list of runs beside the charts. Returns the card. */
export function addParallel(board, section, { page, live, list }) {
  const reading = page.reading?.key ?? "best";
  let inside = null;
  let told = "null";
  let resting = 0;

  /** Tells the list and the other charts, once a drag rests. */
  function tell(isFinal) {
    clearTimeout(resting);
    resting = setTimeout(() => {
      const key = JSON.stringify(inside);
      if (key === told) return;
      told = key;
      list.show(inside);
      board.filter(inside, card);
      card.showTable();
    }, isFinal ? 0 : REST_MS);
  }

  const on = {
    change(found) {
      const { chart, state, shown, isFinal } = found;
      const isNarrowed = state.picks.size > 0 || (state.top > 0 && state.top < chart.valued.length);
      inside = isNarrowed ? found.inside.map((row) => chart.numbers[row]) : null;
      if (shown.length || chart.valueless.length) picked.paint(found);
      if (!found.isDrag) panel.paint();
      if (isFinal) replaceParams(writeView(state, chart.axes));
      tell(isFinal);
    },
    options: (column) => panel.open(column),
  };

  const card = board.add(section, {
    isQuick: true,
    makeView: (host) => createParallelView(host, board.selection, {
      goal: page.sweep.goal,
      notes: distributions(page.space),
      on,
      read: (axes) => readView(Object.fromEntries(KEYS.map((key) => [key, getParam(key)])), axes),
      tip: { show: (event, run) => showTip(event, board.known.tipOf(run)), hide: hideTip },
    }),
    onFigure(figure) {
      // Runs without a value alone are drawn when somebody asks for them.
      figure.meta.is_empty = figure.meta.best === null && !hasRails();
      list.show(undefined);
    },
    afterDraw(figure) {
      if (figure.meta.is_empty) paintEmpty(figure.meta);
    },
    rows(rows) {
      const kept = inside && new Set(inside);
      return kept ? rows.filter((row) => kept.has(row[0])) : rows;
    },
  });

  const hasRails = () => (card?.view ? card.view.state.hasRails : getParam("rails") === "1");

  function paintEmpty(meta) {
    const chart = readFigure(meta);
    const state = readView({}, chart.axes);
    render($("[data-caption]", section), html`${captionOf({ chart, state, shown: [] })}${
      chart.valueless.length > 0 && html` <button class="link" type="button" data-rails>Draw them</button>`}`);
  }

  const change = (parts) => card.view?.change(parts);
  const picked = mountPicked(section, {
    isHigher: page.sweep.goal === "maximize",
    metricName: COLUMNS[reading] ?? "",
    valueText: (value) => board.known.valueText(value),
    change(parts) {
      if ("hasRails" in parts && !card.view?.chart?.valued.length) {
        replaceParams({ rails: parts.hasRails ? "1" : "" });
        card.figure.meta.is_empty = !parts.hasRails;
        if (card.view) change(parts);
        card.redraw();
      } else change(parts);
    },
  });
  const panel = mountAxisPanel($("[data-axes]", section), () => (card.view?.chart ? card.view : null));
  $("[data-axes]", section).hidden = false;
  $("[data-clear]", section).addEventListener("click", () => {
    change({ picks: new Map(), top: 0 });
    $(".zone", section)?.focus({ preventScroll: true });
  });
  live.onCharts((changes) => {
    if (changes.scored.size || changes.moved.size || changes.best) card.refresh();
  });
  return card;
}
