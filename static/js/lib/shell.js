// The frame around every page: menus, theme, live badge, copy buttons, toasts, times.
import { $, $$, build, html, icon, render } from "./dom.js";
import { formatAgo, formatClock } from "./format.js";
import { focusAfterLoad } from "./focus.js";
import { startJump } from "./jump.js";
import { hideOffline, showOffline } from "./offline.js";
import { startShortcuts } from "./shortcuts.js";

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
 * Shows the state of the connection: live, polling, paused or offline (with `since`, a Date, `retryAt`
 * in milliseconds, `retry`, called by "Try now", or a `note` when nothing is tried again). Pages
 * without live data never call this; the badge stays hidden.
 */
export function setLive(state, { since = null, retryAt = null, retry = null, note = "" } = {}) {
  const button = $("#live");
  if (!button) return;
  const [text, title] = LIVE[state];
  button.hidden = false;
  button.dataset.state = state;
  button.title = title;
  button.firstElementChild.textContent = text;
  if (state === "offline") showOffline({ since: since ?? new Date(), retryAt, retry, note });
  else hideOffline();
}

/** Registers what a click on the badge does. */
export function onLiveToggle(callback) {
  toggleLive = callback;
}

/* ---- times ---- */
/** Puts times into the reader's zone and keeps "3 min ago" current; call it on new fragments. */
export function refreshTimes(root = document) {
  for (const element of $$("time[data-ago], time[data-clock]", root)) {
    const when = element.dateTime;
    // An estimate has no seconds.
    const clock = () => formatClock(when).slice(0, element.dataset.clock === "minute" ? 5 : 8);
    element.textContent = "ago" in element.dataset ? formatAgo(when) : clock();
    element.title = new Date(when).toLocaleString();
  }
  for (const element of $$("time[data-moment]", root)) {
    const when = new Date(element.dateTime);
    element.textContent = when.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    element.title = when.toISOString();
  }
}

/* ---- copying ---- */
async function copyFrom(button) {
  const source = button.dataset.copyFrom ? $(button.dataset.copyFrom) : null;
  // The address holds what the page shows: filters, order, pickers, pins.
  const address = "copyAddress" in button.dataset ? location.href : undefined;
  const text = address ?? button.dataset.copy ?? source?.value ?? source?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied");
  } catch {
    // Not a secure context: select the text, so that the usual keys copy it.
    if (source) getSelection().selectAllChildren(source);
    toast(source ? "Selected. Copy with your keyboard." : "The browser does not allow copying here.");
  }
}

/* ---- menus ---- */
function closeMenus(refocus, except = null) {
  for (const menu of $$("details.pop[open]")) {
    if (menu.contains(except)) continue;
    menu.open = false;
    if (refocus) $("summary", menu).focus();
  }
}

function showNavigation(button, isOpen) {
  $("#mainnav").classList.toggle("is-open", isOpen);
  button.setAttribute("aria-expanded", String(isOpen));
}

function onEscape() {
  closeMenus(true);
  const button = $("#menu");
  if (button?.getAttribute("aria-expanded") !== "true") return;
  showNavigation(button, false);
  button.focus();
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
  focusAfterLoad();
  const theme = $("#theme");
  if (theme) {
    theme.hidden = false;
    paintTheme(theme);
    theme.addEventListener("click", () => nextTheme(theme));
  }
  const menu = $("#menu");
  menu?.addEventListener("click", () => {
    showNavigation(menu, menu.getAttribute("aria-expanded") !== "true");
  });
  $("#live")?.addEventListener("click", () => toggleLive?.());
  startShortcuts();
  startJump($("form.jump"));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) onEscape();
  });
  addEventListener("click", (event) => {
    closeMenus(false, event.target);
    const copier = event.target.closest("[data-copy], [data-copy-from], [data-copy-address]");
    if (copier) copyFrom(copier);
  });
  refreshTimes();
  setInterval(refreshTimes, 30000);
}

start();
