// Text of a terminal as lines: carriage returns overwrite, colour codes go, long logs lose their
// beginning. Pure.

// Control sequences of terminals: colours, cursor movements, titles.
// eslint-disable-next-line no-control-regex
const CODES = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
export const MOST_LINES = 5000;

/** An empty log. `lines` are complete; `rest` is the line that is still being written. */
export function createLog() {
  return { lines: [], rest: "", dropped: 0 };
}

/** What a terminal would show of one line: each return starts over, on top of what is there. */
export function overwrite(line) {
  if (!line.includes("\r")) return line;
  return line.split("\r").reduce((shown, part) => part + shown.slice(part.length), "");
}

/**
 * Adds text to a log. Returns {added, rest}: the lines that are complete now, and the unfinished one.
 */
export function appendText(log, text) {
  const pieces = (log.rest + text).split("\n");
  log.rest = pieces.pop();
  // "\r\n" ends a line; it does not wipe it out.
  const added = pieces.map((piece) => overwrite(piece.replace(CODES, "").replace(/\r+$/, "")));
  log.lines.push(...added);
  const extra = log.lines.length - MOST_LINES;
  if (extra > 0) {
    log.lines.splice(0, extra);
    log.dropped += extra;
  }
  return { added, rest: overwrite(log.rest.replace(CODES, "")) };
}
