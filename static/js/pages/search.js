// Search page: results while somebody types, kinds without a reload, all of it in the address.
import { getFragment } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { announce, refreshTimes, toast } from "../lib/shell.js";
import { getParam, pushParams, replaceParams } from "../lib/url_state.js";

const TYPING_MS = 300;

const form = $("#search");
const field = $("#q");
const results = $("#results");
let loading = null;
let typing = 0;

function setKind(kind) {
  let hidden = $('input[name="kind"]', form);
  if (!hidden) {
    hidden = document.createElement("input");
    hidden.type = "hidden";
    hidden.name = "kind";
    form.append(hidden);
  }
  hidden.value = kind;
}

async function load() {
  clearTimeout(typing);
  loading?.abort();
  const mine = new AbortController();
  loading = mine;
  results.classList.add("is-old");
  try {
    results.replaceChildren(await getFragment(location.href, { signal: mine.signal }));
    refreshTimes(results);
    const said = $("[data-said]", results) ?? $("[role=alert]", results);
    if (said) announce(said.textContent.trim());
  } catch (error) {
    if (error.name === "AbortError") return;
    toast(error.message);
  }
  results.classList.remove("is-old");
}

function ask(isDone) {
  const text = field.value.trim();
  const change = isDone ? pushParams : replaceParams;
  if (text !== getParam("q")) change({ q: text, offset: "" });
  load();
}

field.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => ask(false), TYPING_MS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask(true);
});
results.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-kind]");
  if (!tab || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  setKind(tab.dataset.kind);
  pushParams({ kind: tab.dataset.kind, offset: "" });
  load();
});
addEventListener("popstate", () => {
  field.value = getParam("q");
  setKind(getParam("kind"));
  load();
});
