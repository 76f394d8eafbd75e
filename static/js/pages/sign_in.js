// Sign in: shows the password on request. The form itself works without scripts.
import { $ } from "../lib/dom.js";

const field = $("#password");
const button = $("#show");

button.hidden = false;
button.addEventListener("click", () => {
  const isShown = field.type === "password";
  field.type = isShown ? "text" : "password";
  button.textContent = isShown ? "Hide" : "Show";
  button.setAttribute("aria-pressed", String(isShown));
});
// Never leave a readable password behind for the browser to remember as text.
$("#sign-in").addEventListener("submit", () => {
  field.type = "password";
});
