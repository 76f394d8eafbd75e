// Buttons that take back what a sampling method does not take: the policy, or the method itself.
import { $, $$, html, render } from "../lib/dom.js";

/** Shows the buttons below the fields they belong to. */
export function showFixes(fixes) {
  for (const place of $$("[data-fixes]")) {
    const own = fixes.filter((fix) => fix.place === place.dataset.fixes);
    const shown = $$("button", place).map((button) => button.value).join();
    if (shown === own.map(({ field, value }) => `${field}=${value}`).join()) continue;
    const buttons = own.map(({ field, value, label }) => html`<button class="btn s" type="submit"
      name="fix" value="${field}=${value}">${label}</button>`);
    const [first] = own;
    render(place, html`${first && html`<span class="small">${first.reason}</span>`}${buttons}`);
  }
}

/** Lets the buttons change the form in place; without scripts they are sent. */
export function mountFixes(form) {
  form.addEventListener("click", (event) => {
    const button = event.target.closest('[data-fixes] [name="fix"]');
    if (!button) return;
    event.preventDefault();
    const [field, value] = button.value.split("=");
    const choice = $(`input[name="${CSS.escape(field)}"][value="${CSS.escape(value)}"]`, form);
    choice.checked = true;
    choice.focus();
    choice.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
