// Sweeps list: filters without a reload, live rows, older sweeps on scrolling.
import { getFragment } from "../lib/api.js";
import { startComparePicks } from "../lib/compare_picks.js";
import { $, studioConfig } from "../lib/dom.js";
import { replaceIn } from "../lib/focus.js";
import { patchRows } from "../lib/rows.js";
import { announce, refreshTimes, toast } from "../lib/shell.js";
import { startStars } from "../lib/stars.js";
import { followSweeps } from "../lib/sweeps_feed.js";
import { startTrash } from "../lib/trash.js";
import { getParam, mergeQuery, pushParams, replaceParams } from "../lib/url_state.js";

const PAGE = 50;
const MOST = 200;
const REFRESH_MS = 3000;

const form = $("#filters");
const list = $("#list");
let loading = null;

/** Takes over the parts of a fragment; rows one by one. */
function show(fragment) {
  for (const part of fragment.querySelectorAll("[data-part]")) {
    const here = $(`main [data-part="${part.dataset.part}"]`);
    const rows = $("#rows", part);
    if (!here) location.reload();
    else if (rows && $("#rows", here)) {
      patchRows($("#rows", here), rows);
      $("#more", here)?.remove();
      const more = $("#more", part);
      if (more) here.append(more);
    } else replaceIn(here, part.childNodes);
  }
  refreshTimes(list);
  watchEnd();
}

async function refresh() {
  loading?.abort();
  loading = new AbortController();
  const shown = $("#rows")?.children.length ?? 0;
  const count = Math.min(MOST, Math.max(PAGE, Math.ceil(shown / PAGE) * PAGE));
  const query = mergeQuery(location.search, { count: count > PAGE ? count : "", cursor: "" });
  try {
    show(await getFragment(location.pathname + query, { signal: loading.signal }));
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

async function applyFilters(push) {
  const values = Object.fromEntries(new FormData(form));
  (push ? pushParams : replaceParams)({
    q: "", experiment: "", owner: "", tag: "", starred: "", ...values, cursor: "",
  });
  try {
    await refresh();
    const shown = $("#rows")?.children.length ?? 0;
    announce(`${shown} sweep${shown === 1 ? "" : "s"} shown`);
  } catch (error) {
    toast(error.message);
  }
}

function setState(state) {
  let field = $('input[name="state"]', form);
  if (!field) {
    field = document.createElement("input");
    field.type = "hidden";
    field.name = "state";
    form.append(field);
  }
  field.value = state;
}

async function showOlder(link) {
  if (link.getAttribute("aria-busy")) return;
  link.setAttribute("aria-busy", "true");
  try {
    const fragment = await getFragment(link.href);
    const rows = $("#rows", fragment);
    $("#more").remove();
    $("#rows").append(...(rows?.children ?? []));
    const more = $("#more", fragment);
    if (more) list.append(more);
    refreshTimes(list);
    watchEnd();
  } catch (error) {
    link.removeAttribute("aria-busy");
    toast(error.message);
  }
}

const end = new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) showOlder($("#more a"));
}, { rootMargin: "400px" });

function watchEnd() {
  end.disconnect();
  const more = $("#more");
  if (more) end.observe(more);
}

function startFilters() {
  let typing = 0;
  form.addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => applyFilters(false), event.target.id === "q" ? 250 : 0);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    applyFilters(false);
  });
  form.addEventListener("click", (event) => {
    const pill = event.target.closest("[data-state]");
    if (!pill || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    setState(pill.dataset.state);
    applyFilters(true);
  });
  addEventListener("popstate", () => {
    $("#q").value = getParam("q");
    $("#experiment").value = getParam("experiment");
    $("#owner").value = getParam("owner");
    if ($("#tag")) $("#tag").value = getParam("tag");
    if ($("#workspace")) $("#workspace").value = getParam("workspace");
    $("#starred").checked = getParam("starred") === "1";
    setState(getParam("state"));
    refresh();
  });
}

if (form) startFilters();
// Undone with the button of the banner; a reload is not the same news again.
if ($("[data-just-trashed]")) replaceParams({ trashed: "" });
startStars();
startComparePicks();
startTrash({ refresh, urls: { restore: `${studioConfig().urls.home}trash/restore/` } });
watchEnd();
followSweeps(refresh, { pause: REFRESH_MS });
