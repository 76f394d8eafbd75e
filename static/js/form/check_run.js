// The check before the launch: starts it, follows it live, cancels it, takes over a logged name.
import { postForm } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { createRefresher } from "../lib/parts.js";
import { announce, toast } from "../lib/shell.js";
import { openFeed } from "../lib/socket.js";

// The log of a script moves without a change of the check.
const LOOK_MS = 1000;
// What does not change what was tried.
const ASIDE = new Set([
  ...["csrfmiddlewaretoken", "yaml", "check", "check_seconds", "uploaded"],
  ...["replay_from", "draft", "draft_version", "origin"],
]);

let followed = null;
let feed = null;
let timer = 0;
let tried = "";

const textOf = (data) => [...data].filter(([name]) => !ASIDE.has(name))
  .map(([name, value]) => `${name}=${value.name ?? value}`).join("\n");

const stateOf = () => $("#check-result [data-outcome]");

function stop() {
  clearInterval(timer);
  feed?.pause();
  feed = null;
}

function settle() {
  const state = stateOf();
  const log = $("#check-log");
  if (log && !log.matches(":focus")) log.scrollTop = log.scrollHeight;
  // The answer may be about the check before.
  if (state?.dataset.check !== followed?.id || !("over" in state.dataset)) return;
  stop();
  $("#check-cancel").hidden = true;
  announce(state.textContent);
}

const refresh = createRefresher({ address: () => followed.url, done: settle });

function follow({ id, url, cancel, socket, state, cursor }) {
  stop();
  followed = { id, url, cancel };
  $("#check-result").hidden = false;
  $("#check-cancel").hidden = false;
  timer = setInterval(refresh, LOOK_MS);
  feed = openFeed({
    socketPath: socket, eventsPath: state, cursor, onFrame: refresh, onState() {},
  });
  refresh();
}

function keepZip(digest) {
  $("#uploaded").value = digest;
  $("#uploaded-note").hidden = !digest;
}

/** The form as it is sent: a zip that was stored by a check is not sent again. */
export function sentForm(form, action) {
  const data = new FormData(form);
  if (data.get("uploaded")) data.delete("upload");
  data.set("action", action);
  return data;
}

/** Says that the result is about an earlier form once something else would be tried. */
export function noteChange(data) {
  $("#check-stale").hidden = !tried || textOf(data) === tried;
}

/**
 * Makes the check work; returns `start()`. `readForm()` gives the form as it is checked, `refuse`
 * shows problems, `onMetric()` is called when a logged name was taken over.
 */
export function mountCheckRun(form, { readForm, refuse, onMetric }) {
  const button = $("#check-first");

  async function start() {
    button.disabled = true;
    const now = textOf(readForm());
    try {
      const reply = await postForm(location.pathname, sentForm(form, "check_run"));
      if (reply.problems) {
        refuse(reply.problems);
      } else {
        if (reply.uploaded) keepZip(reply.uploaded);
        $("#check").value = reply.id;
        tried = now;
        noteChange(readForm());
        follow(reply);
        $("#s-check").scrollIntoView({ block: "nearest" });
      }
    } catch (error) {
      toast(error.message);
    }
    button.disabled = false;
  }

  $("#upload").addEventListener("change", () => {
    keepZip("");
    // Another file may have the same name.
    tried = tried && "another zip";
  });
  $("#check-cancel").addEventListener("click", async (event) => {
    event.preventDefault();
    try {
      await postForm(followed.cancel, new FormData());
      refresh();
    } catch (error) {
      toast(error.message);
    }
  });
  $("#check-result").addEventListener("click", (event) => {
    const name = event.target.closest('[name="use_metric"]');
    if (!name) return;
    event.preventDefault();
    $("#metric").value = name.value;
    onMetric();
    $("#metric").focus();
  });

  const { follow: url, ...known } = $("#s-check").dataset;
  if (url && !("over" in stateOf().dataset)) {
    follow({ id: $("#check").value, url, ...known, cursor: Number(known.cursor) });
  }
  return { start };
}
