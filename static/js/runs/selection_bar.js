// The bar that appears when runs are picked: what can be done with all of them at once.
import { postForm } from "../lib/api.js";
import { $, $$, html, readJson, render } from "../lib/dom.js";
import { formatCount } from "../lib/format.js";
import { MOST_PINS } from "../lib/selection.js";
import { toast } from "../lib/shell.js";
import { mergeQuery } from "../lib/url_state.js";

const runs = (count) => `${formatCount(count)} run${count === 1 ? "" : "s"}`;

/**
 * Mounts the bar. `table()` gives the table's JSON block, `onDone()` is called after runs changed.
 * Returns the function that shows the picks anew.
 */
export function mountSelectionBar(bar, picks, { table, onDone }) {
  const note = $("#tag-problem");

  function count() {
    return picks.isAll ? table().total : picks.size;
  }

  function paint() {
    const { total } = table();
    bar.hidden = !count();
    document.body.classList.toggle("has-selection", !bar.hidden);
    $("[data-count]", bar).textContent = picks.isAll
      ? `All ${runs(total)} that match`
      : `${formatCount(picks.size)} selected`;
    for (const place of $$("dialog [data-count]")) place.textContent = runs(count());
    const all = $("[data-pick-all]", bar);
    all.hidden = picks.isAll || picks.size >= total;
    all.textContent = `Select all ${formatCount(total)}${table().filtered ? " that match" : ""}`;
    paintLinks();
  }

  function paintOverlay() {
    const link = $("[data-overlay]", bar);
    const [first, ...others] = [...picks.numbers].sort((a, b) => a - b);
    const fits = !picks.isAll && others.length > 0 && picks.size <= MOST_PINS;
    link.href = bar.dataset.run.replace("NUMBER", String(first ?? 0)) + mergeQuery("", { with: others });
    if (fits) link.removeAttribute("aria-disabled");
    else link.setAttribute("aria-disabled", "true");
    link.title = fits ? "" : `Pick two to ${MOST_PINS} runs to compare them`;
  }

  function paintLinks() {
    paintOverlay();
    const pins = $("[data-pins]", bar);
    const fits = !picks.isAll && picks.size <= MOST_PINS;
    pins.href = bar.dataset.charts + mergeQuery("", { pins: picks.numbers });
    pins.toggleAttribute("aria-disabled", !fits);
    pins.title = fits ? "" : `Up to ${MOST_PINS} runs can be pinned`;
    for (const link of $$("[data-export-picked]", bar)) {
      link.href = location.pathname + mergeQuery(table().query, {
        offset: "", format: link.dataset.exportPicked, runs: picks.isAll ? "" : picks.numbers,
      });
    }
  }

  async function act(action, tag) {
    const form = new FormData();
    form.set("action", action);
    form.set("tag", tag);
    if (picks.isAll) {
      form.set("all", "1");
      form.set("query", mergeQuery(table().query, { offset: "" }));
    } else form.set("run", picks.numbers.join(","));
    const { message } = await postForm(bar.dataset.act, form);
    toast(message);
    onDone();
  }

  async function onAction(event) {
    const button = event.target.closest("[data-run-action]");
    if (!button) return;
    event.preventDefault();
    const field = $("#tag-name");
    const isTag = button.dataset.runAction.endsWith("tag");
    if (isTag && !field.reportValidity()) return;
    button.disabled = true;
    try {
      await act(button.dataset.runAction, isTag ? field.value : "");
      button.closest("dialog")?.close();
    } catch (error) {
      if (isTag) showProblem(error.message);
      else toast(error.message);
    }
    button.disabled = false;
  }

  function showProblem(text) {
    note.textContent = text;
    note.hidden = !text;
  }

  bar.addEventListener("click", (event) => {
    if (event.target.closest("[data-pick-all]")) picks.pickAll();
    if (event.target.closest("[data-clear-picks]")) picks.clear();
    const pins = event.target.closest("[data-pins]");
    if (pins?.hasAttribute("aria-disabled")) {
      event.preventDefault();
      toast(`${pins.title}. Select fewer.`);
    }
    const overlay = event.target.closest("[data-overlay][aria-disabled]");
    if (overlay) {
      event.preventDefault();
      toast(`${overlay.title}.`);
    }
    if (event.target.closest('[data-dialog="tag-runs"]')) offerTags();
  });
  addEventListener("click", onAction);

  function offerTags() {
    showProblem("");
    const known = (readJson("filter-names") ?? []).find(({ name }) => name === "tags");
    const options = (known?.values ?? []).map((name) => html`<option value="${name}"></option>`);
    render($("#tag-names"), html`${options}`);
  }

  return paint;
}
