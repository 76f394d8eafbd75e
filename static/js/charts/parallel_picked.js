// What is said around parallel coordinates: how many runs are inside, what is picked, what can be done
// with them, and which runs are not drawn and why.
import { $, html, icon, render } from "../lib/dom.js";
import { formatCount } from "../lib/format.js";
import { reasonsOf } from "./parallel_figure.js";
import { pickText } from "./parallel_ranges.js";
import { filterOf, regionOf } from "./parallel_region.js";

const STOPS = [1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000, 5000];

/** The stops of the slider for so many runs: the last one, 0, is all of them. Pure. */
export function stopsFor(count, top = 0) {
  const stops = STOPS.filter((stop) => stop < count);
  if (top && top < count && !stops.includes(top)) stops.push(top);
  return [...stops.sort((a, b) => a - b), 0];
}

/** Which runs are not drawn and why, and which axes are hidden. Pure. */
export function captionOf({ chart, state, shown }) {
  const isTop = state.top > 0 && state.top < chart.valued.length;
  const hasRails = state.hasRails && !isTop;
  const absent = chart.rows - shown.length;
  const reasons = hasRails ? [] : reasonsOf(chart, chart.valueless);
  if (isTop) reasons.push(`${chart.valued.length - shown.length} below the top ${state.top}`);
  const parts = [];
  if (absent) {
    parts.push(`${formatCount(absent)} of ${formatCount(chart.rows)} not drawn: ${reasons.join(", ")}`);
  }
  if (hasRails && chart.valueless.length) {
    parts.push(`${formatCount(chart.valueless.length)} of ${formatCount(chart.rows)} on rails, without a value: ${
      reasonsOf(chart, chart.valueless).join(", ")}`);
  }
  const hidden = chart.axes.filter((axis) => !state.order.includes(axis.column)).map((a) => a.label);
  if (hidden.length) parts.push(`${hidden.length === 1 ? "Axis" : "Axes"} hidden: ${hidden.join(", ")}`);
  return parts.join(". ");
}

/** The worst value of the top runs, exactly; null without a top. Pure. */
export function floorOf({ chart, state, shown }) {
  const isTop = state.top > 0 && state.top < chart.valued.length;
  return isTop ? chart.values[shown[0] * chart.columns + chart.last] : null;
}

function chipMarkup({ key, text, label }) {
  return html`<button class="pc-chip" type="button" data-unpick="${key}" aria-label="${label}"><span
    class="clip">${text}</span>${icon("close")}</button>`;
}

/**
 * Mounts slider, line of what is picked and caption on the chart's card. `metricName` is the column of
 * the metric in the runs table, "" when it has none; `change(parts)` changes the view.
 */
export function mountPicked(section, { isHigher, metricName, valueText, change }) {
  const bar = $("[data-picked]", section);
  const slider = $("[data-top]", section);
  const output = $("output", slider.parentElement);
  const caption = $("[data-caption]", section);
  let last = null;
  let stops = [0];

  function paintSlider({ chart, state }) {
    const count = chart.valued.length;
    stops = stopsFor(count, state.top);
    slider.parentElement.hidden = stops.length < 3;
    slider.max = stops.length - 1;
    const place = stops.indexOf(state.top < count ? state.top : 0);
    slider.value = place;
    const text = stops[place] ? `Top ${formatCount(stops[place])}` : `All ${formatCount(count)}`;
    output.textContent = text;
    slider.setAttribute("aria-valuetext", stops[place] ? `${text} of ${count} runs` : `${text} runs`);
  }

  function paintBar({ chart, state, shown, inside, isDrag }) {
    const isTop = floorOf(last) !== null;
    const chips = [...state.picks].flatMap(([column, picks]) => picks.map((pick, place) => {
      const axis = chart.axes[column];
      const text = `${axis.label} ${pickText(axis, pick, chart.decimals)}`;
      return { key: `${column}:${place}`, text, label: `Remove the range ${text}` };
    }));
    if (isTop) {
      const label = `Draw all runs, not only the top ${state.top}`;
      chips.unshift({ key: "top", text: `top ${state.top}`, label });
    }
    bar.hidden = !chips.length;
    if (bar.hidden) return;
    const best = inside.findLast((row) => !Number.isNaN(chart.goodness[row]));
    const value = best === undefined ? "" : valueText(chart.values[best * chart.columns + chart.last]);
    render($("[data-picked-count]", bar), html`<b>${formatCount(inside.length)}</b> of ${
      formatCount(shown.length)} ${isTop ? "top runs" : "runs"} in range${value && html`, best <b>${value}</b>`}`);
    paintChips($("[data-chips]", bar), chips);
    if (!isDrag) paintLinks();
  }

  /** Texts change with every move of a drag, buttons only when a range comes or goes. */
  function paintChips(place, chips) {
    const keys = chips.map((chip) => chip.key).join(" ");
    if (place.dataset.keys !== keys) {
      place.dataset.keys = keys;
      render(place, html`${chips.map(chipMarkup)}`);
      return;
    }
    chips.forEach(({ text, label }, i) => {
      const chip = place.children[i];
      if (chip.firstElementChild.textContent === text) return;
      chip.firstElementChild.textContent = text;
      chip.setAttribute("aria-label", label);
    });
  }

  function paintLinks() {
    const { chart, state, inside } = last;
    const filter = filterOf(chart, {
      picks: state.picks, hasRails: state.hasRails, floor: floorOf(last), isHigher, metricName,
    }, inside);
    const runs = $("[data-open-runs]", bar);
    runs.hidden = !filter;
    runs.href = `${runs.dataset.openRuns}?${new URLSearchParams({ q: filter })}`;
    const form = $("[data-new-sweep]", bar);
    if (!form) return;
    const region = regionOf(chart, state, inside);
    form.hidden = !Object.keys(region).length;
    form.href = `${form.dataset.newSweep}&${new URLSearchParams({ keep: JSON.stringify(region) })}`;
  }

  function paintCaption(found) {
    const { chart, state } = found;
    const canDraw = chart.valueless.length > 0 && !(state.top && state.top < chart.valued.length);
    render(caption, html`${captionOf(found)}${canDraw && html` <button class="link" type="button"
      data-rails>${state.hasRails ? "Leave them out" : "Draw them"}</button>`}`);
  }

  bar.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-unpick]");
    if (!chip) return;
    if (chip.dataset.unpick === "top") change({ top: 0 });
    else {
      const [column, place] = chip.dataset.unpick.split(":").map(Number);
      const picks = new Map(last.state.picks);
      const left = picks.get(column).filter((_, i) => i !== place);
      if (left.length) picks.set(column, left);
      else picks.delete(column);
      change({ picks });
    }
    ($("[data-unpick]", bar) ?? $(".zone", section))?.focus();
  });
  caption.addEventListener("click", (event) => {
    if (!event.target.closest("[data-rails]")) return;
    change({ hasRails: !(last?.state.hasRails ?? false) });
    $("[data-rails]", caption)?.focus();
  });
  slider.addEventListener("input", () => change({ top: stops[Number(slider.value)] }));
  return {
    paint(found) {
      last = found;
      paintBar(found);
      // Neither changes while somebody drags.
      if (!found.isDrag) {
        paintSlider(found);
        paintCaption(found);
      }
    },
  };
}
