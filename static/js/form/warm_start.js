// The warm start section: buttons put ids of earlier sweeps and runs into the two fields, and take
// them out again; the lists follow what the studio answers.
import { $, $$, html, render } from "../lib/dom.js";

const FIELDS = { toggle_sweep: "resume_from", toggle_run: "resume_child_runs" };
const SELECTOR = Object.keys(FIELDS).map((name) => `button[name="${name}"]`).join(", ");

let shown = "";

function offerMarkup(toggle, { id, label, detail, is_chosen: isChosen, reason }) {
  const isOff = Boolean(reason) && !isChosen;
  return html`<li class="offer ${isChosen && "is-chosen"}"><button class="btn s" type="submit"
    name="${toggle}" value="${id}" aria-pressed="${String(isChosen)}" ${isOff && html`disabled`}>${
    isChosen ? "Remove" : "Choose"}<span class="vh"> ${label}</span></button><span class="what"><b>${
    label}</b> <span class="muted small">${detail}</span>${reason && html`<span
    class="why small">${reason}</span>`}</span></li>`;
}

function listMarkup(title, toggle, offers) {
  return html`<h3 class="label">${title}</h3><ul class="offers" aria-label="${title}">${
    offers.map((offer) => offerMarkup(toggle, offer))}</ul>`;
}

/** Shows what can be chosen: {sweeps, groups} of a reply. Focus and scroll positions stay. */
export function showOffers(offers) {
  const text = JSON.stringify(offers);
  if (text === shown) return;
  shown = text;
  $("#warm-says").textContent = offers.says;
  const host = $("#warm-offers");
  const focused = host.contains(document.activeElement) ? document.activeElement.value : null;
  const scrolled = $$(".offers", host).map((list) => list.scrollTop);
  const none = html`<p class="small muted">There is no earlier sweep in this workspace yet.</p>`;
  render(host, html`${offers.sweeps.length
    ? listMarkup("Sweeps of this workspace", "toggle_sweep", offers.sweeps) : none}${
    offers.groups.map(({ label, runs }) => listMarkup(label, "toggle_run", runs))}`);
  $$(".offers", host).forEach((list, at) => {
    list.scrollTop = scrolled[at] ?? 0;
  });
  if (focused) $$(SELECTOR, host).find((button) => button.value === focused)?.focus();
}

/** Makes the buttons work; `onPick(field)` is called after a field was changed by one. */
export function mountWarmStart(onPick) {
  $("#warm-offers").addEventListener("click", (event) => {
    const button = event.target.closest(SELECTOR);
    if (!button) return;
    event.preventDefault();
    const field = document.getElementById(FIELDS[button.name]);
    const ids = field.value.split(/[\s,]+/).filter(Boolean);
    const others = ids.filter((id) => id !== button.value);
    field.value = (others.length < ids.length ? others : [...ids, button.value]).join("\n");
    onPick(field.id);
  });
}
