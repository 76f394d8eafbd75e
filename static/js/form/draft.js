// Saves the form as a draft while one types, on the server: another browser finds it too.
import { postForm } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { formatClock } from "../lib/format.js";
import { announce, toast } from "../lib/shell.js";

const WAIT_MS = 900;
const RETRY_MS = 10000;
// Names this open page: its saves follow each other, those of another page never overwrite them.
const EDITOR = [...crypto.getRandomValues(new Uint32Array(4))].map((n) => n.toString(36)).join("");

let form = null;
let readForm = null;
let isDirty = false;
let isSaving = false;
let isOver = false;
let timer = 0;

function content() {
  const data = readForm();
  data.set("draft_editor", EDITOR);
  return data;
}

function say(text) {
  $("#draft-state").hidden = false;
  $("#draft-saved").textContent = text;
}

/** Said aloud as well: that all is well after every pause of typing is not. */
function fail(reason) {
  say(`Draft not saved. ${reason}`);
  announce(`Draft not saved. ${reason}`);
}

function saved(reply) {
  $("#draft").value = reply.id;
  $("#draft-version").value = reply.version;
  const state = $("#draft-state");
  state.action = reply.discard_url;
  say(`Draft saved ${formatClock(reply.saved_at)}`);
  // A reload goes on with the draft instead of what the form was filled from.
  const address = new URL(reply.url, location.href);
  if (location.search !== address.search) history.replaceState(null, "", address);
  if (reply.is_copy) toast("This draft was changed in another window. Yours goes on as a copy.");
}

async function save() {
  if (isSaving || !isDirty || isOver) return;
  isSaving = true;
  isDirty = false;
  try {
    const reply = await postForm(form.dataset.draft, content());
    if (reply.error) fail(reply.error);
    else saved(reply);
  } catch (error) {
    isDirty = true;
    fail(error.message);
    timer = setTimeout(save, RETRY_MS);
  }
  isSaving = false;
  if (isDirty && !timer) saveSoon();
}

/** Saves once nothing was typed for a moment. */
export function saveSoon() {
  if (isOver) return;
  isDirty = true;
  clearTimeout(timer);
  timer = setTimeout(() => {
    timer = 0;
    save();
  }, WAIT_MS);
}

/** Ends saving: the sweep was started. */
export function endDraft() {
  isOver = true;
  clearTimeout(timer);
}

function leave() {
  if (!isDirty || isOver) return;
  isDirty = false;
  // Reaches the server even though the page is gone.
  navigator.sendBeacon(form.dataset.draft, content());
}

/** Starts saving; `read()` gives the form as it is to be kept. */
export function mountDraft(element, read) {
  form = element;
  readForm = read;
  // Before the editor of YAML keeps its typing to itself.
  form.addEventListener("input", saveSoon, true);
  form.addEventListener("change", saveSoon, true);
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") leave();
  });
  $("#draft-state").addEventListener("submit", endDraft);
}
