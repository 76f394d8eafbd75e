// Stars: a click marks a sweep or a model at once, without leaving the page.
import { postForm } from "./api.js";
import { $ } from "./dom.js";
import { toast } from "./shell.js";

function paint(button, isOn) {
  button.setAttribute("aria-pressed", String(isOn));
  button.value = isOn ? "off" : "on";
}

/** Takes over the buttons of the form #star. */
export function startStars() {
  $("#star")?.addEventListener("submit", async (event) => {
    const button = event.submitter;
    event.preventDefault();
    const wanted = button.value === "on";
    const body = new FormData();
    body.append("star", button.value);
    paint(button, wanted);
    try {
      await postForm(button.formAction, body);
    } catch (error) {
      paint(button, !wanted);
      toast(error.message);
    }
  });
}
