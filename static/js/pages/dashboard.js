// Dashboard: the parts that changed are fetched again when a sweep changes, and now and then, since
// slots, queue and workers also change with time alone.
import { getFragment } from "../lib/api.js";
import { $ } from "../lib/dom.js";
import { knownParts, showParts } from "../lib/parts.js";
import { followSweeps } from "../lib/sweeps_feed.js";

const TIME_MS = 20000;

const sources = knownParts();

async function look() {
  const fragment = await getFragment(location.href);
  // Made a moment ago for somebody else: what has changed since then is seen at the next look.
  if ($("[data-again]", fragment)) lookSoon();
  // The first sweep of a fresh studio: there are no parts to put it into yet.
  if ($('[data-part="running"]', fragment) && !$('[data-part="running"]')) location.reload();
  return showParts(fragment, sources);
}

$("[data-submits]")?.addEventListener("change", (event) => event.target.form.requestSubmit());
const lookSoon = followSweeps(look);
if ($("[data-again]")) lookSoon();
setInterval(lookSoon, TIME_MS);
