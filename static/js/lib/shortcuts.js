// Keys that work on every page: going places, moving in lists, and the dialog that lists them.
// They do nothing while somebody types, and nothing at all when they are turned off.
import { $, $$, build, html, studioConfig } from "./dom.js";

const SEQUENCE_MS = 1200;
const STORED = "studio-shortcuts";
// Where letters and Space mean something of their own.
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
const PLACES = { h: "dashboard", s: "sweeps", m: "models", c: "compute" };
const NAMES = { dashboard: "Dashboard", sweeps: "Sweeps", models: "Models", compute: "Compute" };

/* ---- turned on or off ---- */
function areOn() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true;
  }
}

function turn(isOn) {
  try {
    if (isOn) localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, "off");
  } catch {
    // Storage may be off; there is no place to remember it then.
  }
}

/** Whether a key that was pressed may be a shortcut: nobody types, asks or has turned them off. */
export function isShortcut(event) {
  if (event.defaultPrevented || event.isComposing) return false;
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.target.closest?.(`${TYPING}, dialog, details.pop[open]`) || $("dialog:modal")) return false;
  return areOn();
}

/* ---- rows of lists ---- */
/** What j and k move over: the rows of the list that has the focus, or of the first one. */
function rowsHere() {
  const lists = $$("main tbody:has(a.name), main [data-rows]");
  const list = lists.find((each) => each.contains(document.activeElement)) ?? lists[0];
  return list ? [...list.children].filter((row) => linkOf(row)?.checkVisibility()) : [];
}

const linkOf = (row) => $("a.name", row) ?? $("a[href]", row);

function moveBy(step) {
  const rows = rowsHere();
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  if (next) linkOf(next).focus();
}

/** Picks the row with the focus, as a click on its box would; with Shift up to the last one. */
function pickRow(event) {
  const row = rowsHere().find((each) => each.contains(event.target));
  const box = row && $("input[type=checkbox]", row);
  if (!box || box.disabled) return;
  event.preventDefault();
  box.dispatchEvent(new MouseEvent("click", {
    bubbles: true, cancelable: true, shiftKey: event.shiftKey,
  }));
}

/* ---- the list of shortcuts ---- */
function shown() {
  const { urls } = studioConfig();
  const places = Object.entries(PLACES).filter(([, place]) => urls[place]);
  return [
    ["/", "Search"],
    ["n", "New sweep"],
    ...places.map(([key, place]) => [`g ${key}`, NAMES[place]]),
    ["j k", "Next and previous row"],
    ["Enter", "Open the row"],
    ["x", "Select the row; Space does it, too"],
    ["[ ]", "Previous and next run"],
    ["?", "This list"],
    ["Esc", "Close what is open"],
  ];
}

const keycaps = (keys) => keys.split(" ").map((key) => html`<kbd>${key}</kbd> `);

/** Opens the list of shortcuts, with the switch that turns them off. */
export function showShortcuts() {
  // One that was just closed may be told so only after the next key.
  $("dialog.shortcuts")?.remove();
  const dialog = build(html`<dialog class="shortcuts" aria-labelledby="shortcuts-title"><header><h2
    id="shortcuts-title">Keyboard shortcuts</h2></header><div class="stack"><dl class="kv">${shown().map(
    ([keys, what]) => html`<dt>${keycaps(keys)}</dt><dd>${what}</dd>`)}</dl><label class="check"><input
    type="checkbox">Use single keys as shortcuts</label></div><footer><button class="btn"
    type="button">Close</button></footer></dialog>`);
  const box = $("input", dialog);
  box.checked = areOn();
  box.addEventListener("change", () => turn(box.checked));
  $("button", dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  $("button", dialog).focus();
}

/* ---- what keys do ---- */
function search() {
  const field = [...$$("main [data-search]"), ...$$(".jump input")].find((each) => each.checkVisibility());
  if (field) field.focus();
  else if (studioConfig().urls.search) location.assign(studioConfig().urls.search);
}

const KEYS = {
  "?": showShortcuts,
  "/": search,
  j: () => moveBy(1),
  k: () => moveBy(-1),
  x: pickRow,
};

/** Starts to listen; the dialog works also while the keys are turned off. */
export function startShortcuts() {
  let sinceG = -Infinity;

  function onKey(event) {
    const { key } = event;
    if (!isShortcut(event)) return;
    const { urls } = studioConfig();
    const isSecond = event.timeStamp - sinceG < SEQUENCE_MS;
    sinceG = key === "g" ? event.timeStamp : -Infinity;
    const place = isSecond ? urls[PLACES[key]] : key === "n" && urls.sweepNew;
    // Without the navigation somebody has yet to sign in.
    if (place && $("#mainnav")) location.assign(place);
    else if (key === "[" || key === "]") $(`main [data-key="${key}"]`)?.click();
    else if (key === " " && event.target.matches("a")) pickRow(event);
    else if (Object.hasOwn(KEYS, key)) {
      event.preventDefault();
      KEYS[key](event);
    }
  }

  addEventListener("keydown", onKey);
  const opener = $("#shortcuts");
  if (!opener) return;
  opener.hidden = false;
  opener.addEventListener("click", () => {
    // The dialog gives the focus back to what still can be seen when it closes.
    const menu = opener.closest("details");
    menu.open = false;
    $("summary", menu).focus();
    showShortcuts();
  });
}
