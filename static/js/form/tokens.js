// The values of a choice as tokens over the plain text field, which stays what is sent.
// Enter or comma adds, Backspace removes the last, range(1, 5) expands; a token can be edited.
import { $, build, html } from "../lib/dom.js";
import { expandRange, joinValues, splitValues } from "./values.js";

function tokenMarkup(text) {
  return html`<span class="token"><span class="token-text">${text}</span><button type="button"
    aria-label="Remove ${text}">×</button></span>`;
}

/** Puts tokens over the values field of a row; `onChange` is called after each change. */
export function mountTokens(row, onChange) {
  const field = $('[data-key="values"]', row);
  const box = build(html`<span class="tokens"><input type="text" placeholder="add…" spellcheck="false"
    autocomplete="off" aria-label="Add a value"></span>`);
  const entry = $("input", box);
  field.type = "hidden";
  field.after(box);

  function draw() {
    for (const token of box.querySelectorAll(".token")) token.remove();
    entry.before(...splitValues(field.value).map((text) => build(tokenMarkup(text))));
  }

  function store(values) {
    field.value = joinValues(values);
    draw();
    onChange();
  }

  function addEntry() {
    const text = entry.value.trim().replace(/,+$/, "");
    entry.value = "";
    if (text) store([...splitValues(field.value), ...(expandRange(text) ?? splitValues(text))]);
  }

  // Inside quotes, brackets or range(...) a comma belongs to the value.
  const isOpen = () => splitValues(`${entry.value},x`).length < 2;

  entry.addEventListener("keydown", (event) => {
    const values = splitValues(field.value);
    if (event.key === "Enter" || (event.key === "," && !isOpen())) {
      event.preventDefault();
      addEntry();
    } else if (event.key === "Backspace" && !entry.value && values.length) {
      event.preventDefault();
      entry.value = values.pop();
      store(values);
    }
  });
  entry.addEventListener("blur", addEntry);
  entry.addEventListener("paste", () => setTimeout(() => entry.value.includes(",") && addEntry()));
  box.addEventListener("click", (event) => {
    const token = event.target.closest(".token");
    if (!token) return entry.focus();
    const values = splitValues(field.value);
    const [text] = values.splice([...box.querySelectorAll(".token")].indexOf(token), 1);
    if (!event.target.closest("button")) entry.value = text;
    store(values);
    return entry.focus();
  });
  field.addEventListener("refill", draw);
  draw();
}
