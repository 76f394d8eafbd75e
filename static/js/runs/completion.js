// What can stand at the caret of a filter: names of columns, then their values. Pure; the language
// itself is read by the server (experiments/run_filter.py).

const MOST = 8;
const SIGN = /<=|>=|!=|[<>=:]/;

/** The part of `text` around the caret: {from, to, word}; quotes keep blanks together. */
export function partAt(text, caret) {
  let from = 0;
  let isQuoted = false;
  for (let at = 0; at < caret; at += 1) {
    if (text[at] === "\\" && isQuoted) at += 1;
    else if (text[at] === '"') isQuoted = !isQuoted;
    else if (/\s/.test(text[at]) && !isQuoted) from = at + 1;
  }
  let to = caret;
  while (to < text.length && !/\s/.test(text[to])) to += 1;
  return { from, to, word: text.slice(from, caret), isQuoted };
}

/** Where the sign of a condition stands outside of quotes: [start, end], or null. */
function signOf(word) {
  const masked = word.replace(/"(?:\\.|[^"\\])*"?/g, (quoted) => "_".repeat(quoted.length));
  const found = SIGN.exec(masked);
  return found && [found.index, found.index + found[0].length];
}

const bare = (text) => text.replaceAll('"', "").toLowerCase();

/** Those that begin with `typed` before those that have it inside; without any, all. */
function fitting(entries, typed, nameOf) {
  const wanted = bare(typed);
  const ranked = entries
    .map((entry) => [entry, bare(nameOf(entry)).indexOf(wanted)])
    .filter(([, at]) => at >= 0);
  ranked.sort((a, b) => Math.sign(a[1]) - Math.sign(b[1]));
  return ranked.map(([entry]) => entry).slice(0, MOST);
}

function signFor(column) {
  if (["state", "word", "marks", "text"].includes(column.kind)) return ":";
  if (column.kind === "mark" || column.values.length) return "=";
  return column.kind === "curve" ? "" : "<";
}

function names(columns, typed, negation) {
  return fitting(columns, typed, (column) => column.name).map((column) => ({
    text: `${negation}${column.name}${signFor(column)}`,
    label: column.name,
    hint: column.hint,
    isWhole: false,
  }));
}

/** Columns by any way of writing their name that is safe to guess. */
function columnOf(columns, name) {
  const wanted = bare(name);
  const aliases = { status: "state", tag: "tags", property: "properties", run: "number" };
  return columns.find((column) => bare(column.name) === wanted)
    ?? columns.find((column) => bare(column.name) === aliases[wanted]);
}

function values(columns, word, [start, end]) {
  const column = columnOf(columns, word.slice(0, start).replace(/^[-!]/, ""));
  if (!column) return [];
  const sign = word.slice(start, end);
  const list = word.slice(end);
  const cut = list.lastIndexOf(",") + 1;
  if (!["=", ":", "!="].includes(sign)) return [];
  const extras = sign === "!=" ? [] : ["none", "any"];
  const offered = [...column.values, ...(column.kind === "state" ? [] : extras)];
  return fitting(offered, list.slice(cut), (value) => value)
    .filter((value) => value !== list.slice(cut))
    .map((value) => ({
      text: word.slice(0, end) + list.slice(0, cut) + value,
      label: value,
      hint: { none: "runs without a value", any: "runs with some value" }[value] ?? "",
      isWhole: true,
    }));
}

/**
 * Suggestions for the caret in `text`: {from, to, items: [{text, label, hint, isWhole}]}. `columns` is
 * [{name, kind, hint, values}]; `isAsked`: also where nothing was typed yet.
 */
export function complete(text, caret, columns, isAsked = false) {
  const { from, to, word } = partAt(text, caret);
  const sign = signOf(word);
  if (sign) return { from, to, items: values(columns, word, sign) };
  const negation = /^[-!](?!-)/.exec(word)?.[0] ?? "";
  const typed = word.slice(negation.length);
  if (!typed && !isAsked) return { from, to, items: [] };
  return { from, to, items: names(columns, typed, negation) };
}

/** The text with a suggestion taken, and where the caret stands then. */
export function take(text, { from, to }, item) {
  const after = text.slice(to).trimStart();
  const inserted = item.isWhole ? `${item.text} ` : item.text;
  return { text: text.slice(0, from) + inserted + after, caret: from + inserted.length };
}
