// The field of the filter: suggestions as a combobox, and asking for rows while somebody types.
import { $, $$, html, readJson, render } from "../lib/dom.js";
import { complete, take } from "./completion.js";

const TYPING_MS = 250;
// While a name may still be completed, its first letters are no words to look for.
const NAMING_MS = 900;

/**
 * Mounts the field; `onChange(text, isDone)` is called a moment after typing, and with `isDone` on
 * Enter, when a suggestion was taken and when the field is left.
 */
export function mountFilterBox(input, list, onChange) {
  let found = { items: [] };
  let active = -1;
  let timer = 0;
  let last = input.value.trim();

  const columns = () => readJson("filter-names") ?? [];
  const isOpen = () => !list.hidden;

  function close() {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(next) {
    const options = $$("[role=option]", list);
    active = (next + options.length) % options.length;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
    options[active].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[active].id);
  }

  function open(isAsked = false) {
    found = complete(input.value, input.selectionStart, columns(), isAsked);
    if (!found.items.length) return close();
    render(list, html`${found.items.map((item, at) => html`<li role="option" id="q-option-${at}"
      aria-selected="false" data-at="${at}"><code>${item.label}</code>
      <span class="faint xs">${item.hint}</span></li>`)}`);
    list.hidden = false;
    active = -1;
    input.setAttribute("aria-expanded", "true");
    input.removeAttribute("aria-activedescendant");
    return undefined;
  }

  function tell(isDone) {
    clearTimeout(timer);
    const text = input.value.trim();
    if (text === last && !isDone) return;
    last = text;
    onChange(text, isDone);
  }

  function accept(at) {
    const taken = take(input.value, found, found.items[at]);
    const isWhole = found.items[at].isWhole;
    input.value = taken.text;
    input.setSelectionRange(taken.caret, taken.caret);
    input.focus();
    if (isWhole) {
      close();
      tell(true);
    } else open();
  }

  function onKey(event) {
    const { key } = event;
    if (key === " " && event.ctrlKey) open(true);
    else if (key === "ArrowDown" && isOpen()) mark(active + 1);
    else if (key === "ArrowDown") open(true);
    else if (key === "ArrowUp" && isOpen()) mark(active < 0 ? -1 : active - 1);
    else if ((key === "Enter" || key === "Tab") && isOpen() && active >= 0) accept(active);
    else if (key === "Enter") {
      close();
      tell(true);
    } else if (key === "Escape" && isOpen()) {
      event.stopPropagation();
      close();
    } else return;
    event.preventDefault();
  }

  input.addEventListener("keydown", onKey);
  input.addEventListener("input", () => {
    open();
    clearTimeout(timer);
    timer = setTimeout(() => tell(false), isOpen() ? NAMING_MS : TYPING_MS);
  });
  input.addEventListener("click", () => open());
  input.addEventListener("blur", () => {
    close();
    if (input.value.trim() !== last || input.dataset.held) tell(true);
  });
  // The field keeps the focus: its blur would close the list before the click arrives.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[data-at]");
    if (option) accept(Number(option.dataset.at));
  });
  return {
    /** Shows a text that came from elsewhere: the address, an example. */
    show(text) {
      input.value = text;
      last = text.trim();
      close();
    },
  };
}
