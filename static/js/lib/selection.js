// One run pointed at and up to eight pinned runs, shared by every chart, list and table of a page.

export const MOST_PINS = 8;

/**
 * Makes the selection of a page. `subscribe(listener)` calls `listener({kind, run, from})` with kind
 * "hover", "pin" or "full" (there is no room for another pin); `from` names the part that caused it,
 * so that it need not scroll to itself.
 */
export function createSelection(pinned = []) {
  const listeners = new Set();
  let hovered = null;
  let source = "";
  let pins = [...new Set(pinned)].slice(0, MOST_PINS);

  function tell(change) {
    for (const listener of [...listeners]) listener(change);
  }

  return {
    get run() {
      return hovered;
    },
    get pins() {
      return [...pins];
    },
    /** The place of a pinned run, from 0: its colour; -1 when it is not pinned. */
    pinOf: (run) => pins.indexOf(run),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Points at a run, or at none (null); only the part that pointed at a run can let go of it. */
    hover(run, from = "") {
      if (run === hovered || (run === null && from !== source)) return;
      hovered = run;
      source = from;
      tell({ kind: "hover", run, from });
    },
    /** Pins or unpins a run; false when there is no room for another one. */
    pin(run, from = "") {
      const isPinned = pins.includes(run);
      if (!isPinned && pins.length >= MOST_PINS) {
        tell({ kind: "full", run, from });
        return false;
      }
      pins = isPinned ? pins.filter((other) => other !== run) : [...pins, run];
      tell({ kind: "pin", run, from });
      return true;
    },
  };
}
