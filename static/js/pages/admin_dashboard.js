// First page of the administration: the parts that changed are fetched again when a sweep changes, and
// now and then, since health, queues and people also change with time alone.
import { getFragment } from "../lib/api.js";
import { knownParts, showParts } from "../lib/parts.js";
import { followSweeps } from "../lib/sweeps_feed.js";

const TIME_MS = 15000;

const sources = knownParts();

setInterval(followSweeps(async () => showParts(await getFragment(location.href), sources)), TIME_MS);
