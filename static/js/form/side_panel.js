// The panel beside the form: summary, YAML that can be edited, JSON of what will be sent, a program.
import { postForm } from "../lib/api.js";
import { $, $$, html, render } from "../lib/dom.js";
import { setRows } from "./rows.js";

// Whether the text is the person's own: it may have comments, and is not written over.
let isEdited = false;
let hasErrors = false;
let isTyping = false;

/** Whether the YAML was changed and could not be taken over into the form. */
export const hasYamlErrors = () => hasErrors;

/** Whether the YAML says something that the form does not say (yet). */
export const hasOwnYaml = () => hasErrors || isTyping;

function showView(name) {
  for (const tab of $$("#views [data-view]")) {
    const isOn = tab.dataset.view === name;
    tab.setAttribute("aria-selected", String(isOn));
    tab.tabIndex = isOn ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !isOn;
  }
  const copier = $("#copy-view");
  copier.hidden = name === "summary";
  copier.dataset.copyFrom = `#view-${name} .code`;
}

/** Lets the text follow the form again after a field was changed, unless it has an error. */
export function followForm() {
  if (!hasOwnYaml()) isEdited = false;
}

/** Shows a specification: {yaml, json, python, summary, scripts}. YAML that is being edited stays. */
export function showSpec({ yaml, json, python, summary, scripts }) {
  if (!isEdited) $("#yaml").value = yaml;
  $("#json").textContent = json;
  $("#python-code").textContent = python;
  render($("#summary"), html`${summary.map(({ label, lines, is_code: isCode }) => html`<div><dt>${label}
    </dt><dd class="${isCode ? "mono" : ""}">${lines.map((line) => html`<div>${line}</div>`)}</dd></div>`)}`);
  render($("#scripts"), html`${scripts.map((name) => html`<option value="${name}"></option>`)}`);
}

function showYamlProblems(problems) {
  hasErrors = problems.some(({ unreadable }) => unreadable);
  render($("#yaml-errors"), html`${problems.map(({ line, shown_path: path, message }) => html`<li class="err"><button
    class="link" type="button" data-line="${line ?? ""}">${line ? `Line ${line}: ` : ""}${path &&
    html`<code>${path}</code> `}${message}</button></li>`)}${hasErrors && html`<li><button class="btn s"
    type="button" data-discard>Discard this text</button></li>`}`);
}

/** Puts texts into the fields of the form. */
export function fillForm(form, { texts, rows }, onChange) {
  for (const [name, text] of Object.entries(texts)) {
    const control = form.elements.namedItem(name);
    if (!control || control.type === "file") continue;
    const isKnown = control.tagName !== "SELECT" || [...control.options].some((o) => o.value === text);
    if (!isKnown) control.add(new Option(text, text));
    control.value = text;
  }
  setRows(rows, onChange);
}

async function takeOver(form, onFilled) {
  const data = new FormData(form);
  data.delete("upload");
  data.set("action", "load_yaml");
  const reply = await postForm(form.dataset.check, data);
  if (data.get("yaml") !== $("#yaml").value) return;
  isTyping = false;
  showYamlProblems(reply.problems);
  if (hasErrors) return;
  onFilled(reply);
}

function selectLine(number) {
  const area = $("#yaml");
  const lines = area.value.split("\n");
  const start = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[number - 1] ?? "").length);
}

/**
 * Makes the panel work. `onFilled(reply)` puts a reply to edited YAML into the form; `onDiscard()`
 * is called when the text is given up for that of the form.
 */
export function mountSidePanel(form, { onFilled, onDiscard }) {
  $("#views").hidden = false;
  $("#load-yaml").closest("footer").hidden = true;
  showView("summary");
  $("#views").addEventListener("click", (event) => {
    const tab = event.target.closest("[data-view]");
    if (tab) showView(tab.dataset.view);
  });
  $("#views").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const tabs = $$("#views [data-view]");
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    showView(next.dataset.view);
    next.focus();
  });
  // A draft brings back what could not be taken over.
  if ($("#yaml-errors").children.length) {
    isEdited = true;
    takeOver(form, onFilled).catch(() => {});
    showView("yaml");
  }
  let typing = 0;
  $("#yaml").addEventListener("input", (event) => {
    event.stopPropagation();
    isEdited = true;
    isTyping = true;
    clearTimeout(typing);
    typing = setTimeout(() => takeOver(form, onFilled).catch(() => {}), 500);
  });
  $("#yaml").addEventListener("change", (event) => event.stopPropagation());
  $("#yaml-errors").addEventListener("click", (event) => {
    const line = Number(event.target.closest("[data-line]")?.dataset.line);
    if (line) selectLine(line);
    if (!event.target.closest("[data-discard]")) return;
    isEdited = false;
    isTyping = false;
    showYamlProblems([]);
    onDiscard();
  });
}
