// The log of a run: asks for what is new every second while the run goes on and somebody looks.
import { getJson } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { followEnd } from "../lib/follow.js";
import { appendText, createLog, MOST_LINES } from "../lib/log_text.js";

const POLL_MS = 1000;

/** Starts the log of the page; `wake()` asks at once. */
export function startLog(page) {
  const host = $("#log");
  const follow = followEnd(host, $("#follow"));
  const wrap = $("#wrap");
  const log = createLog();
  let { offset } = page.log;
  let timer = 0;
  let isDone = false;
  let isAsking = false;

  function show({ added, rest }) {
    const lines = added.map((line) => {
      const element = document.createElement("div");
      element.textContent = line || "\u200b";
      return element;
    });
    $("[data-rest]", host)?.remove();
    host.append(...lines);
    if (rest) {
      const element = document.createElement("div");
      element.dataset.rest = "";
      element.textContent = rest;
      host.append(element);
    }
    while (host.children.length > MOST_LINES + 1) host.firstElementChild.remove();
    follow();
  }

  async function poll() {
    clearTimeout(timer);
    timer = 0;
    // One question at a time: answers that overtake each other would lose lines or show them twice.
    if (isDone || isAsking || document.hidden) return;
    isAsking = true;
    let isMore = false;
    try {
      const piece = await getJson(`${page.log.url}?offset=${offset}`);
      // A shorter file than before: the log was written anew.
      if (piece.offset < offset) host.replaceChildren();
      offset = piece.next_offset;
      isDone = piece.done;
      isMore = piece.next_offset < piece.size;
      if (piece.text) {
        $("[data-log-empty]")?.remove();
        show(appendText(log, piece.text));
      }
    } catch {
      // The next question may be answered; the live badge says what is wrong.
    }
    isAsking = false;
    if (!isDone) timer = setTimeout(poll, isMore ? 0 : POLL_MS);
  }

  const first = host.textContent;
  host.replaceChildren();
  show(appendText(log, first));
  wrap.closest("label").hidden = false;
  wrap.addEventListener("change", () => host.classList.toggle("nowrap", !wrap.checked));
  addEventListener("visibilitychange", poll);
  poll();
  return { wake: poll };
}
