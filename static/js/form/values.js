// Splits the values of a choice at the commas that are not inside quotes or brackets.
// Same rules as split_values in experiments/forms/codecs.py, tested with the same table.

const CLOSING = { "[": "]", "{": "}", "(": ")" };

/** Texts of the single values; empty ones are left out. */
export function splitValues(text) {
  const parts = [];
  const brackets = [];
  let current = "";
  let quote = "";
  let isEscaped = false;
  for (const char of text) {
    if (quote) {
      if (char === quote && !isEscaped) quote = "";
      isEscaped = char === "\\" && !isEscaped;
    } else if ((char === '"' || char === "'") && (brackets.length || !current.trim())) {
      quote = char;
    } else if (char in CLOSING) {
      brackets.push(CLOSING[char]);
    } else if (brackets.length && char === brackets[brackets.length - 1]) {
      brackets.pop();
    } else if ((char === "," || char === "\n") && !brackets.length) {
      parts.push(current.trim());
      current = "";
      continue;
    }
    current += char;
  }
  parts.push(current.trim());
  return parts.filter(Boolean);
}

/** The text of a values field for these values. */
export function joinValues(values) {
  return values.join(", ");
}

/** `range(1, 5)` as its numbers, when they are few enough to read; else null. */
export function expandRange(text, most = 100) {
  const match = /^range\s*\(\s*(-?\d+)\s*(?:,\s*(-?\d+)\s*)?(?:,\s*(-?\d+)\s*)?\)$/.exec(text.trim());
  if (!match) return null;
  const [first, second, third] = match.slice(1).map((part) => (part ? Number(part) : undefined));
  const [start, stop, step] = [second === undefined ? 0 : first, second ?? first, third ?? 1];
  const count = step ? Math.ceil((stop - start) / step) : 0;
  if (count < 1 || count > most) return null;
  return Array.from({ length: count }, (_, i) => String(start + i * step));
}
