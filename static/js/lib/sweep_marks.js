// Star and tags in the head of a sweep: changed at once, and shown again from the server.
import { getFragment, postForm } from "./api.js";
import { $ } from "./dom.js";
import { toast } from "./shell.js";
import { startStars } from "./stars.js";

/** Shows the marks as they are on the server; the focus stays where it was among them. */
async function showMarks() {
  const place = $('[data-part="marks"]');
  const fragment = await getFragment(location.href);
  const fresh = $('[data-part="marks"]', fragment);
  if (!fresh) return;
  const hadFocus = place.contains(document.activeElement);
  place.replaceChildren(...fresh.childNodes);
  if (hadFocus) $(".addtag > summary", place)?.focus();
}

async function change(form) {
  try {
    await postForm(form.action, form.body);
    await showMarks();
  } catch (error) {
    toast(error.message);
  }
}

/** Takes over the forms #star, #addtag and #untag. */
export function startMarks() {
  startStars();
  for (const id of ["addtag", "untag"]) {
    $(`#${id}`)?.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target;
      change({ action: form.action, body: new FormData(form, event.submitter) });
    });
  }
}
