// Announcements are put away without a reload; without scripts their form does the same with one.
import { postForm } from "./api.js";
import { $, $$ } from "./dom.js";
import { toast } from "./shell.js";

async function dismiss(event) {
  event.preventDefault();
  const form = event.currentTarget;
  try {
    await postForm(form.action, new FormData(form));
    form.closest(".notice").remove();
    // What had the focus is gone: go on with what comes next, not at the top of the page.
    ($(".notice button") ?? $("#main")).focus();
  } catch (error) {
    toast(error.message);
  }
}

for (const form of $$(".notice form")) form.addEventListener("submit", dismiss);
