// Which runs are picked: single ones by number, or all that the filter shows. Pure.

export const MOST_IN_ADDRESS = 100;

/** Picked runs; `onChange()` is called after every change. */
export function createPicks(numbers = [], onChange = () => {}) {
  let picked = new Set(numbers);
  let isAll = false;
  let anchor = null;

  function change(next, all = false) {
    picked = next;
    isAll = all;
    onChange();
  }

  return {
    get numbers() {
      return [...picked].sort((a, b) => a - b);
    },
    /** Whether every run that the filter shows is meant, also those on other pages. */
    get isAll() {
      return isAll;
    },
    get size() {
      return picked.size;
    },
    has: (number) => isAll || picked.has(number),
    /** Picks or drops one run; with `shown` (the page's numbers) everything from the last one on. */
    toggle(number, shown = null) {
      const isOn = !picked.has(number) || isAll;
      const next = isAll ? new Set() : new Set(picked);
      const [a, b] = [shown?.indexOf(anchor) ?? -1, shown?.indexOf(number) ?? -1];
      const range = a >= 0 && b >= 0 ? shown.slice(Math.min(a, b), Math.max(a, b) + 1) : [number];
      for (const run of range) {
        if (isOn) next.add(run);
        else next.delete(run);
      }
      anchor = number;
      change(next);
    },
    /** Picks or drops all runs of a page. */
    togglePage(shown, isOn) {
      const next = isAll ? new Set() : new Set(picked);
      for (const run of shown) {
        if (isOn) next.add(run);
        else next.delete(run);
      }
      change(next);
    },
    /** Means every run that the filter shows. */
    pickAll: () => change(new Set(), true),
    clear() {
      anchor = null;
      if (picked.size || isAll) change(new Set());
    },
    /** Another filter: "all" would mean other runs now. */
    onFilter() {
      if (isAll) change(new Set());
    },
    /** How many of the page are picked: "none", "some" or "all". */
    ofPage(shown) {
      const count = shown.filter((run) => isAll || picked.has(run)).length;
      if (!count) return "none";
      return count === shown.length ? "all" : "some";
    },
    /** For the address; too many would make it longer than browsers take. */
    toParam() {
      return picked.size <= MOST_IN_ADDRESS ? [...picked].sort((a, b) => a - b).join(",") : "";
    },
  };
}

/** The numbers of an address, "3,8"; what is no number is left out. */
export function readPicks(text) {
  return text.split(",").filter((part) => /^\d{1,9}$/.test(part)).map(Number);
}
