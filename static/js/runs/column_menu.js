// The chooser of columns: check, drag or move with the keyboard; what it says is in its own order.
import { $, $$ } from "../lib/dom.js";
import { announce } from "../lib/shell.js";

const keyOf = (item) => item.dataset.key;

/** The keys that are checked, in the order of the list. */
function chosen(host) {
  return $$(".collist li", host)
    .filter((item) => $("input", item).checked)
    .map(keyOf);
}

/** Mounts the chooser in `host`, whose content may be replaced; `onChange(keys)` after a change. */
export function mountColumnMenu(host, onChange) {
  let dragged = null;

  const tell = () => onChange(chosen(host));

  /** The next item in a direction; shown columns change places with shown ones. */
  function neighbour(item, step) {
    const items = $$(".collist li:not([hidden])", host);
    const isShown = (one) => $("input", one).checked;
    const others = isShown(item) ? items.filter((one) => one === item || isShown(one)) : items;
    return others[others.indexOf(item) + step];
  }

  function move(item, step, focus) {
    const other = neighbour(item, step);
    if (!other || "fixed" in other.dataset) return;
    if (step < 0) other.before(item);
    else other.after(item);
    focus.focus();
    const items = $$(".collist li", host);
    announce(`${$("label", item).textContent.trim()}: place ${items.indexOf(item) + 1} of ${items.length}`);
    tell();
  }

  host.addEventListener("change", (event) => {
    if (event.target.matches("[name=column]")) tell();
  });
  host.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (button) move(button.closest("li"), Number(button.dataset.move), button);
  });
  host.addEventListener("keydown", (event) => {
    const item = event.target.closest(".collist li");
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!item || !step || "fixed" in item.dataset) return;
    event.preventDefault();
    if (event.altKey) move(item, step, event.target);
    else {
      const visible = $$(".collist li:not([hidden])", host);
      const next = visible[visible.indexOf(item) + step];
      if (next) $("input:not(:disabled), button", next)?.focus();
    }
  });
  host.addEventListener("input", (event) => {
    if (!event.target.matches("[data-column-search]")) return;
    const words = event.target.value.toLowerCase();
    for (const item of $$(".collist li", host)) {
      item.hidden = !item.textContent.toLowerCase().includes(words);
    }
  });

  host.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".collist li") ?? null;
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", keyOf(dragged));
    dragged.classList.add("is-dragged");
  });
  host.addEventListener("dragover", (event) => {
    const item = event.target.closest?.(".collist li");
    if (!dragged || !item || item === dragged || "fixed" in item.dataset) return;
    event.preventDefault();
    const box = item.getBoundingClientRect();
    if (event.clientY < box.top + box.height / 2) item.before(dragged);
    else item.after(dragged);
  });
  host.addEventListener("drop", (event) => event.preventDefault());
  host.addEventListener("dragend", () => {
    if (!dragged) return;
    dragged.classList.remove("is-dragged");
    dragged = null;
    tell();
  });
}
