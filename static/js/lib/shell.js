// The frame around every page: menus, theme, live badge, copy buttons, shortcuts, toasts, times.
import { $, $$, build, html, icon, render, studioConfig } from "./dom.js";
import { formatAgo, formatClock } from "./format.js";

const TOAST_MS = 3200;
// Longer, since somebody has to read it and to decide.
const ACTION_MS = 10000;

/** Shows a short note at the lower edge; `action` is {label, run} for a button on it. */
export function toast(text, action = null) {
  const note = build(html`<div class="toast"><span>${text}</span>${action
    && html`<button class="link" type="button">${action.label}</button>`}</div>`);
  $("button", note)?.addEventListener("click", () => {
    note.remove();
    action.run();
  });
  $("#toasts").append(note);
  setTimeout(() => note.remove(), action ? ACTION_MS : TOAST_MS);
}

let lastSaid = 0;
let waiting = null;

/** Says something to screen readers, at most once in ten seconds; the newest text wins. */
export function announce(text) {
  clearTimeout(waiting);
  const wait = Math.max(0, lastSaid + 10000 - Date.now());
  waiting = setTimeout(() => {
    lastSaid = Date.now();
    $("#announcer").textContent = text;
  }, wait);
}

/* ---- theme ---- */
const THEMES = {
  "": ["auto", "Theme: same as the system"],
  light: ["sun", "Theme: light"],
  dark: ["moon", "Theme: dark"],
};

function paintTheme(button) {
  const [name, title] = THEMES[document.documentElement.dataset.theme ?? ""];
  render(button, icon(name));
  button.title = title;
  button.setAttribute("aria-label", `${title}. Change`);
}

function nextTheme(button) {
  const root = document.documentElement;
  const order = Object.keys(THEMES);
  const theme = order[(order.indexOf(root.dataset.theme ?? "") + 1) % order.length];
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
  try {
    if (theme) localStorage.setItem("studio-theme", theme);
    else localStorage.removeItem("studio-theme");
  } catch {
    // Storage may be off; the theme then lasts for this page.
  }
  paintTheme(button);
  dispatchEvent(new Event("themechange"));
}

/* ---- live badge ---- */
const LIVE = {
  live: ["Live", "Live updates are on. Click to pause them."],
  polling: ["Polling", "No socket here: the page asks every few seconds. Click to pause."],
  paused: ["Paused", "Live updates are paused. Click to go on."],
  offline: ["Offline", "No connection. The page tries again by itself."],
};
let toggleLive = null;

/**
 * Shows the state of the connection: live, polling, paused or offline (with `since`, a Date, and
 * `retry`, called by "Try now"). Pages without live data never call this; the badge stays hidden.
 */
export function setLive(state, { since = null, retry = null } = {}) {
  const button = $("#live");
  if (!button) return;
  const [text, title] = LIVE[state];
  button.hidden = false;
  button.dataset.state = state;
  button.title = title;
  button.firstElementChild.textContent = text;
  $("#offline")?.remove();
  if (state === "offline") showOffline(since ?? new Date(), retry);
}

/** Registers what a click on the badge does. */
export function onLiveToggle(callback) {
  toggleLive = callback;
}

function showOffline(since, retry) {
  const banner = build(html`<div class="banner" id="offline" role="alert">${icon("warn")}<p><b>Live
    updates stopped.</b> The page shows the state of ${formatClock(since)} and tries again by itself.
    Runs go on without this page.</p>${retry && html`<button class="btn s" type="button">Try now
    </button>`}</div>`);
  $("button", banner)?.addEventListener("click", () => retry());
  $(".topbar").after(banner);
}

/* ---- times ---- */
/** Puts times into the reader's zone and keeps "3 min ago" current; call it on new fragments. */
export function refreshTimes(root = document) {
  for (const element of $$("time[data-ago], time[data-clock]", root)) {
    const when = element.dateTime;
    element.textContent = "ago" in element.dataset ? formatAgo(when) : formatClock(when);
    element.title = new Date(when).toLocaleString();
  }
}

/* ---- copying ---- */
async function copyFrom(button) {
  const source = button.dataset.copyFrom ? $(button.dataset.copyFrom) : null;
  const text = button.dataset.copy ?? source?.value ?? source?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    // Not a secure context: select the text, so that the usual keys copy it.
    if (source) getSelection().selectAllChildren(source);
    toast(source ? "Selected. Copy with your keyboard." : "The browser does not allow copying here.");
  }
}

/* ---- shortcuts ---- */
const SHORTCUTS = [
  ["/", "Find a sweep"], ["n", "New sweep"], ["g s", "Sweeps"], ["g c", "Compute"],
  ["j  k", "Next and previous row"], ["Enter", "Open the row"], ["x", "Select the row"], ["?", "This list"],
  ["Esc", "Close menus"],
];

function showShortcuts() {
  const rows = SHORTCUTS.map(([keys, what]) => html`<dt><kbd>${keys}</kbd></dt><dd>${what}</dd>`);
  const dialog = build(html`<dialog aria-labelledby="sc-title"><header><h2 id="sc-title">Keyboard
    shortcuts</h2></header><dl class="kv">${rows}</dl><footer><button class="btn"
    type="button">Close</button></footer></dialog>`);
  $("button", dialog).addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

let pendingG = 0;

function onKey(event) {
  if (event.key === "Escape") return closeMenus(true);
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const urls = studioConfig().urls;
  const afterG = event.timeStamp - pendingG < 1200;
  pendingG = event.key === "g" ? event.timeStamp : 0;
  const go = { n: urls.sweepNew, s: afterG && urls.sweeps, c: afterG && urls.compute }[event.key];
  if (go && $("#mainnav")) location.assign(go);
  if (event.key === "?") showShortcuts();
  if (event.key === "/") {
    event.preventDefault();
    ($("main [data-search]") ?? $(".jump input"))?.focus();
  }
  return undefined;
}

function closeMenus(refocus, except = null) {
  for (const menu of $$("details.pop[open]")) {
    if (menu.contains(except)) continue;
    menu.open = false;
    if (refocus) $("summary", menu).focus();
  }
}

/** On narrow screens the tabs scroll: the current one is shown. */
function showCurrentTab() {
  const tab = $(".tabs > [aria-current]");
  const row = tab?.parentElement;
  if (row && row.scrollWidth > row.clientWidth) {
    row.scrollLeft = tab.offsetLeft - row.offsetLeft - (row.clientWidth - tab.offsetWidth) / 2;
  }
}

function start() {
  showCurrentTab();
  const theme = $("#theme");
  if (theme) {
    theme.hidden = false;
    paintTheme(theme);
    theme.addEventListener("click", () => nextTheme(theme));
  }
  const menu = $("#menu");
  menu?.addEventListener("click", () => {
    menu.setAttribute("aria-expanded", String($("#mainnav").classList.toggle("is-open")));
  });
  $("#live")?.addEventListener("click", () => toggleLive?.());
  const shortcuts = $("#shortcuts");
  if (shortcuts) shortcuts.hidden = false;
  shortcuts?.addEventListener("click", showShortcuts);
  addEventListener("keydown", onKey);
  addEventListener("click", (event) => {
    closeMenus(false, event.target);
    const copier = event.target.closest("[data-copy], [data-copy-from]");
    if (copier) copyFrom(copier);
  });
  refreshTimes();
  setInterval(refreshTimes, 30000);
}

start();
