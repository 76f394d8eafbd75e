// The switch "value of a run": its links keep what the scripts have put into the address meanwhile.
import { $, $$ } from "../lib/dom.js";
import { mergeQuery, replaceParams } from "../lib/url_state.js";

const GONE = { step: "", offset: "" };

/** The address of another reading, with everything else as it is now. */
export function readingAddress(search, reading) {
  return mergeQuery(search, { ...GONE, reading: reading === "best" ? "" : reading });
}

/** Starts the switch of a page; pages without one are left alone. */
export function startReadings() {
  const place = $("[data-readings]");
  if (!place) return;
  // The page shows the best instead of what could not be read; its charts ask by the address.
  if ($("#reading-error", place)) replaceParams({ reading: "", step: "" });
  const go = (reading) => location.assign(location.pathname + readingAddress(location.search, reading));
  for (const link of $$("a", $(".seg", place))) {
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      go(link.textContent.trim());
    });
  }
  $("form", place).addEventListener("submit", (event) => {
    event.preventDefault();
    go(`step:${$("[name=step]", place).value.trim()}`);
  });
}
