// The switch of a log-family row: its fields hold natural logarithms, or the real values themselves.
import { $, $$ } from "../lib/dom.js";

const DIGITS = 12;
const KEYS = ["min_value", "max_value", "mu", "sigma"];

const isNumber = (text) => text.trim() !== "" && Number.isFinite(Number(text));
const written = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(DIGITS))) : null);

/** The real value of a logarithm as text; a text that is no number stays. */
export function toReal(text) {
  return (isNumber(text) && written(Math.exp(Number(text)))) || text;
}

/** The logarithm of a real value as text; what has none stays. */
export function toExponent(text) {
  if (!isNumber(text) || Number(text) <= 0) return text;
  // Two digits less than is written, so that there and back gives what was typed.
  return String(Number(Math.log(Number(text)).toPrecision(DIGITS - 2)));
}

/** Converts what stands in a row when its switch is used, so that it means the same. */
export function mountRealValues() {
  $("#rows").addEventListener("change", (event) => {
    if (event.target.dataset.key !== "scale") return;
    const convert = event.target.checked ? toReal : toExponent;
    const row = event.target.closest(".sprow");
    for (const field of $$("[data-key]", row)) {
      if (KEYS.includes(field.dataset.key)) field.value = convert(field.value);
    }
    $('[data-key="min_value"]', row).dispatchEvent(new Event("input", { bubbles: true }));
  });
}
