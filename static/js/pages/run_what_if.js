// The receipt of a run that was stopped early: what other policies would have done, fetched once.
import { swap } from "../lib/api.js";
import { $ } from "../lib/dom.js";

/** Fills the place on the receipt, if there is one that is still empty; its link stays on failure. */
export async function startWhatIf() {
  const place = $("[data-what-if]:not([data-asked])");
  if (!place) return;
  place.dataset.asked = "";
  try {
    await swap(place.dataset.whatIf, place);
  } catch {
    delete place.dataset.asked;
  }
}
