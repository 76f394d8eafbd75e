// The end of one run's log, as a terminal would show it.
import { $ } from "../lib/dom.js";
import { followEnd } from "../lib/follow.js";
import { appendText, createLog } from "../lib/log_text.js";

/** Mounts the log in `section`; `show({run, text, note})` shows it, `wait(run)` says that it will come. */
export function mountLog(section) {
  const pre = $("pre", section);
  const title = $("[data-title]", section);
  const note = $("[data-note]", section);
  const follow = followEnd(pre, $("[data-follow]", section));
  let shown = "";

  function head(run, words) {
    title.textContent = run === null ? "Log" : `Log of run ${run}`;
    pre.setAttribute("aria-label", title.textContent);
    note.textContent = words;
  }

  return {
    show({ run, text, note: words }) {
      head(run, words);
      const key = `${run} ${text}`;
      if (key === shown) return;
      shown = key;
      const log = createLog();
      const { rest } = appendText(log, text);
      pre.textContent = [...log.lines, ...(rest ? [rest] : [])].join("\n");
      follow();
    },
    wait(run) {
      shown = "";
      pre.textContent = "";
      head(run, "Waiting for the kernel …");
    },
  };
}
