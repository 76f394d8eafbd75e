// The link from ticked sweeps to their comparison: two to eight of one primary metric and goal.
import { $, $$ } from "./dom.js";
import { toast } from "./shell.js";

const MOST_COMPARED = 8;

/** Why these sweeps, [{name, metric, goal}], cannot be compared; "" when they can. Pure. */
function refusalOf(sweeps) {
  if (sweeps.length < 2) return `Tick two to ${MOST_COMPARED} sweeps to compare them.`;
  if (sweeps.length > MOST_COMPARED) {
    return `${sweeps.length} sweeps are too many to tell apart: compare 2 to ${MOST_COMPARED}.`;
  }
  const [first] = sweeps;
  const other = sweeps.find((one) => one.metric !== first.metric || one.goal !== first.goal);
  if (!other) return "";
  const does = (one) => `“${one.name}” ${one.goal}s ${one.metric}`;
  return `${does(first)} and ${does(other)}: only sweeps of one primary metric and goal can be compared.`;
}

/** Keeps the link `[data-compare]` up to date with the ticks of the list. */
export function startComparePicks() {
  const link = $("[data-compare]");
  if (!link) return;

  function picked() {
    return $$(".c-pick input:checked").map((box) => {
      const { metric, goal } = box.closest("tr").dataset;
      return { id: box.value, name: $(".name", box.closest("tr")).textContent, metric, goal };
    });
  }

  function show() {
    const sweeps = picked();
    const refusal = refusalOf(sweeps);
    link.hidden = false;
    link.title = refusal;
    if (refusal) link.setAttribute("aria-disabled", "true");
    else link.removeAttribute("aria-disabled");
    link.href = `${link.dataset.compare}?sweeps=${sweeps.map((one) => one.id).join(",")}`;
  }

  addEventListener("change", (event) => event.target.matches(".c-pick input") && show());
  // Boxes change after the reset of their form.
  addEventListener("reset", () => setTimeout(show));
  link.addEventListener("click", (event) => {
    const refusal = refusalOf(picked());
    if (!refusal) return;
    event.preventDefault();
    toast(refusal);
  });
  show();
}
