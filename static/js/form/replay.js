// What the policy of the form would have done to the curves of an earlier sweep. The server decides,
// with the code that stops real runs; nothing is asked before the section comes into view.
import { postForm } from "../lib/api.js";
import { $, html, render } from "../lib/dom.js";
import { chartMarkup, tableMarkup } from "./replay_chart.js";
import { whenReleased } from "./settle.js";

const NAMES = /^(policy|goal$|metric$|experiment$|replay_from$)/;

let isSeen = false;
let asked = "";
let asking = null;
let latest = null;

const relevant = (data) => [...data].filter(([name]) => NAMES.test(name));

function defaultLabel({ is_default: isDefault, is_sample: isSample, label }) {
  if (!isDefault) return "Newest sweep that fits";
  return isSample ? "Sample curves: no sweep fits yet" : `Newest that fits: ${label}`;
}

function showOptions(reply) {
  const select = $("#replay_from");
  if (select === document.activeElement && select.options.length > 1) return;
  const options = [{ value: "", label: defaultLabel(reply) }, ...reply.options];
  render(select, html`${options.map(({ value, label }) => html`<option
    value="${value}">${label}</option>`)}`);
  select.value = reply.is_default ? "" : reply.source;
}

function show(reply) {
  showOptions(reply);
  $("#replay").classList.toggle("is-sample", reply.is_sample);
  $("#replay").classList.remove("is-stale");
  render($("#replay-chart"), chartMarkup(reply));
  const words = reply.problem ? [{ text: reply.problem, tone: "" }] : reply.words;
  render($("#replay-words"), html`${words.map(({ text, tone }) => html`<span
    class="${tone}">${text}</span>`)}`);
  const { suggestion } = reply;
  $("#replay-suggestion").hidden = !suggestion;
  render($("#replay-suggestion"), html`${suggestion && html`<button class="btn s" type="button"
    data-field="${suggestion.field}" data-value="${suggestion.value}">${suggestion.label}</button><span
    class="muted">${suggestion.text}</span>`}`);
  render($("#replay-notes"), html`${reply.notes.map((note) => html`<li>${note}</li>`)}`);
  render($("#replay-table"), tableMarkup(reply));
}

/** Asks again when the policy, the goal, the metric or the sweep to replay changed. */
export async function refreshReplay(form, data) {
  latest = data;
  if (!isSeen) return;
  const text = relevant(data).map((pair) => pair.join("=")).join("\n");
  if (text === asked) return;
  asked = text;
  asking?.abort();
  asking = new AbortController();
  $("#replay").classList.add("is-stale");
  try {
    const sent = new FormData();
    for (const [name, value] of relevant(data)) sent.set(name, value);
    const reply = await postForm(form.dataset.replay, sent, { signal: asking.signal });
    whenReleased("replay", () => show(reply));
  } catch (error) {
    // A picture only: what is wrong is said by the check. The next change asks again.
    if (error.name !== "AbortError") asked = "";
  }
}

/** Makes the picture work; `onChange()` is called after a field was changed by it. */
export function mountReplay(form, onChange) {
  const figure = $("#replay");
  figure.hidden = false;
  new IntersectionObserver((entries, observer) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    isSeen = true;
    if (latest) refreshReplay(form, latest);
  }, { rootMargin: "300px" }).observe(figure);
  $("#replay-suggestion").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const field = document.getElementById(button.dataset.field);
    field.value = button.dataset.value;
    field.focus();
    onChange();
  });
}
