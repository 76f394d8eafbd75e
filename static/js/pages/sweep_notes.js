// Notes: a preview while somebody writes, and a question before what was written is left behind.
import { postForm } from "../lib/api.js";
import { $ } from "../lib/dom.js";

const WAIT_MS = 350;
const form = $("#notes");
const field = form && $("#text", form);

async function show() {
  const place = $("#preview");
  const body = new FormData();
  body.append("text", field.value);
  try {
    const { html } = await postForm(form.dataset.preview, body);
    // The server made it of Markdown and lets no HTML of people through.
    place.innerHTML = html;
  } catch (error) {
    place.textContent = error.message;
  }
}

if (form) {
  let waiting = 0;
  let isSaving = false;
  // What came back with a conflict or a problem is nowhere but here.
  const stored = "unsaved" in form.dataset ? null : field.defaultValue;
  $(".previewed", form).hidden = false;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, WAIT_MS);
  });
  form.addEventListener("submit", () => {
    isSaving = true;
  });
  addEventListener("beforeunload", (event) => {
    if (!isSaving && field.value !== stored) event.preventDefault();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  show();
}
