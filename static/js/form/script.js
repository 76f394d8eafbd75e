// What the chosen script declares: arguments to add with one click, metrics it logs, and rows whose
// name it does not know. The server reads the script; of a zip only the script itself is sent.
import { postForm } from "../lib/api.js";
import { $, $$, html, icon, render } from "../lib/dom.js";
import { whenReleased } from "./settle.js";
import { listZip, readZipped } from "./zip.js";

// One byte more than the server reads, so that it can say that a script is too large.
const MOST_BYTES = 400_001;
const NAMES = /^(code|snapshot|source_directory|entry|script|command|search_space-\d+-name)$/;

let asked = "";
let asking = null;
let offered = [];
let zip = { file: null, entries: [] };

/** The Python files of the chosen zip; null when the code comes from elsewhere. */
export function zippedScripts(form) {
  if (form.elements.code.value !== "upload") return null;
  return zip.entries.map(({ name }) => name).filter((name) => name.endsWith(".py"));
}

function fileOf(form) {
  return form.elements.code.value === "upload" ? form.elements.upload?.files[0] ?? null : null;
}

function scriptName(form) {
  const { entry, script, command } = form.elements;
  const name = entry.value === "command" ? /[^\s'"]+\.py(?![\w.])/.exec(command.value)?.[0] : script.value;
  return (name ?? "").trim().replace(/^\.\//, "");
}

async function addZipped(form, data) {
  const file = fileOf(form);
  if (file !== zip.file) zip = { file, entries: file ? await listZip(file).catch(() => []) : [] };
  const entry = zip.entries.find(({ name }) => name === scriptName(form));
  const text = entry && await readZipped(zip.file, entry, MOST_BYTES).catch(() => null);
  if (text) data.set("script_file", text, "script.py");
}

function showMetrics(metrics) {
  const field = $("#metric");
  if (!$("#metric-options")) {
    const list = document.createElement("datalist");
    list.id = "metric-options";
    field.after(list);
    field.setAttribute("list", list.id);
  }
  const list = $("#metric-options");
  const known = new Set([...list.options].map(({ value }) => value));
  for (const name of metrics) if (!known.has(name)) list.prepend(new Option("", name));
  $("#logged").hidden = metrics.length === 0;
  render($("#logged-names"), html`${metrics.map((name) => html`<button class="btn s mono" type="button"
    data-metric="${name}">${name}</button>`)}`);
}

function showOffered() {
  $("#found").hidden = offered.length === 0;
  render($("#found-rows"), html`${offered.map(({ name, kind, help }) => html`<button class="btn s"
    type="button" data-found="${name}" title="${help}">${icon("plus")}<span class="mono">${name}</span> <span
    class="faint">${kind}</span></button>`)}`);
}

function show(form, advice) {
  offered = advice.offered;
  showOffered();
  showMetrics(advice.metrics);
  $("#script-problem").textContent = advice.problem;
  $$("#rows .sprow").forEach((row, number) => {
    $("[data-undeclared]", row).textContent = advice.undeclared[number] ?? "";
  });
  const scripts = zippedScripts(form);
  if (scripts) {
    render($("#scripts"), html`${scripts.map((name) => html`<option value="${name}"></option>`)}`);
  }
}

/** Asks what the script declares when code, script or the names of the rows changed. */
export async function refreshScript(form, data) {
  const file = fileOf(form);
  const parts = [...data].filter(([name]) => NAMES.test(name)).map((pair) => pair.join("="));
  const text = [...parts, file && `${file.name} ${file.size} ${file.lastModified}`].join("\n");
  if (text === asked) return;
  asked = text;
  asking?.abort();
  const own = new AbortController();
  asking = own;
  try {
    const sent = new FormData();
    for (const [name, value] of data) if (NAMES.test(name)) sent.set(name, value);
    await addZipped(form, sent);
    if (own.signal.aborted) return;
    const advice = await postForm(form.dataset.script, sent, { signal: own.signal });
    whenReleased("script", () => show(form, advice));
  } catch (error) {
    // Only suggestions: what is wrong is said by the check. The next change asks again.
    if (error.name !== "AbortError") asked = "";
  }
}

/** Makes the offers work: `addRow({name, type, texts})` adds one to the search space. */
export function mountScript({ addRow, onChange }) {
  $("#found-rows").addEventListener("click", (event) => {
    const button = event.target.closest("[data-found]");
    if (!button) return;
    // Those that the server wrote would send the form.
    event.preventDefault();
    const row = offered.find(({ name }) => name === button.dataset.found);
    if (!row) return;
    offered = offered.filter((other) => other !== row);
    showOffered();
    addRow(row);
  });
  $("#logged-names").addEventListener("click", (event) => {
    const button = event.target.closest("[data-metric]");
    if (!button) return;
    $("#metric").value = button.dataset.metric;
    onChange();
  });
}
