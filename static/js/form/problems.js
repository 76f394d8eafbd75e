// Problems of the specification at their fields, in the list of sections and in the bottom bar.
import { $, $$, build, html, icon, render } from "../lib/dom.js";

const rowOf = (field) => /^search_space-\d+/.exec(field)?.[0];

/** The id of the container that shows the errors of a field. */
export function holderOf(field) {
  return rowOf(field) ?? field;
}

function showErrors(holder, problems) {
  const notes = $(":scope > [data-notes], :scope > .below > [data-notes]", holder);
  if (!notes) return;
  $$(".err", notes).forEach((error) => error.remove());
  notes.prepend(...problems.map(({ message }) => build(
    html`<p class="err">${icon("failed")}<span>${message}</span></p>`)));
  holder.classList.toggle("bad", problems.length > 0);
  const wrong = new Set(problems.map(({ field }) => field));
  for (const control of $$("input, select, textarea", holder)) {
    const isWrong = wrong.has(control.id);
    control.classList.toggle("bad", isWrong && control.type !== "radio");
    if (isWrong) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
}

/** Shows the problems of fields that `isVisible(holder id)` allows; clears all others. */
export function showProblems(form, problems, isVisible) {
  const byHolder = new Map();
  for (const problem of problems) {
    const key = holderOf(problem.field);
    if (!isVisible(key)) continue;
    if (!byHolder.has(key)) byHolder.set(key, []);
    byHolder.get(key).push(problem);
  }
  for (const holder of $$("[data-field]", form)) {
    showErrors(holder, byHolder.get(holder.dataset.field) ?? []);
  }
}

/** Marks the sections in the list at the side: wrong, or complete. */
export function showSections(form, problems, isVisible) {
  for (const section of $$(".formsec", form)) {
    const fields = section.dataset.fields.split(" ");
    const own = problems.filter(({ field }) => fields.includes(field.split("-")[0]));
    const link = $(`#steps [data-section="${section.id}"]`);
    link.classList.toggle("is-bad", own.some(({ field }) => isVisible(holderOf(field))));
    link.classList.toggle("is-good", own.length === 0);
  }
}

/** Counts the problems in the bottom bar, with a link to the first. */
export function showVerdict(problems, isVisible, ready) {
  const verdict = $("#verdict");
  if (!problems.length) {
    render(verdict, html`<span class="verdict good">${icon("completed")}<span>${ready}</span></span>`);
    return;
  }
  const shown = problems.filter(({ field }) => isVisible(holderOf(field)));
  if (!shown.length) {
    const count = `${problems.length} ${problems.length === 1 ? "thing is" : "things are"} missing.`;
    render(verdict, html`<span class="verdict open">${icon("info")}<span>${count}</span></span>`);
    return;
  }
  const [{ field, message }] = shown;
  const count = `${problems.length} problem${problems.length === 1 ? "" : "s"}.`;
  render(verdict, html`<span class="verdict bad">${icon("failed")}<span><b>${count}</b>
    <a href="#${field || "problems"}">${message}</a></span></span>`);
}

/** Lists everything above the form after a submission was refused. */
export function showSummary(problems) {
  const box = $("#problems");
  box.hidden = problems.length === 0;
  render($("#problem-list"), html`${problems.map(({ shown_path: path, message, field }) => html`<li><a
    href="#${field || "form"}">${path && html`<code>${path}</code> `}${message}</a></li>`)}`);
}

/** Moves the focus to the first field with a problem. */
export function focusFirst(problems) {
  const first = problems.map(({ field }) => document.getElementById(field)).find(Boolean);
  const target = first?.matches("input, select, textarea") ? first : first && $("input, select", first);
  (target ?? $("#problems")).focus();
  (first ?? $("#problems")).scrollIntoView({ block: "center" });
}

/** Shows what is probably not meant, how long it will take, and which methods fit the space. */
export function showAdvice({ warnings, fits, estimate, waits }) {
  $("#estimate").hidden = !estimate;
  $("#estimate-text").textContent = estimate;
  for (const item of $$("[data-waits]")) item.textContent = waits[item.dataset.waits] ?? "";
  $("#warnings").hidden = warnings.length === 0;
  render($("#warning-list"), html`${warnings.map((text) => html`<li>${text}</li>`)}`);
  for (const { name, text, is_fit: isFit, advice } of fits) {
    const item = $(`[data-fit="${CSS.escape(name)}"]`);
    if (!item) continue;
    item.textContent = text;
    item.className = isFit ? "yes" : "no";
    const note = item.parentElement.querySelector("[data-advice]");
    note.hidden = !advice;
    note.textContent = advice;
  }
}
