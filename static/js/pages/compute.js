// Compute: asks for the targets every few seconds while somebody looks.
import { getFragment } from "../lib/api.js";
import { $, $$ } from "../lib/dom.js";
import { onLiveToggle, refreshTimes, setLive } from "../lib/shell.js";

const SECONDS = 3;
let isPaused = false;
let since = new Date();
let shown = "";

async function refresh() {
  if (document.hidden || isPaused) return;
  try {
    const fragment = await getFragment(location.href);
    since = new Date();
    setLive("live");
    const text = [...fragment.children].map((part) => part.innerHTML).join("");
    const isReading = $("main [data-part] :focus") !== null;
    if (text === shown || isReading) return;
    shown = text;
    const opened = new Set($$("main details[data-keep][open]").map((each) => each.dataset.keep));
    for (const part of [...fragment.children]) {
      $(`main [data-part="${part.dataset.part}"]`).replaceChildren(...part.childNodes);
    }
    for (const each of $$("main details[data-keep]")) each.open = opened.has(each.dataset.keep);
    refreshTimes();
  } catch {
    setLive("offline", { since, retryAt: Date.now() + SECONDS * 1000, retry: refresh });
  }
}

onLiveToggle(() => {
  isPaused = !isPaused;
  if (isPaused) setLive("paused");
  else refresh();
});
addEventListener("visibilitychange", refresh);
setInterval(refresh, SECONDS * 1000);
refresh();
