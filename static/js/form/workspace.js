// The workspace of the form: another one has other compute targets, drafts and earlier sweeps.
import { $ } from "../lib/dom.js";

/** Shows the form again, as it is filled, in the workspace that is chosen. */
export function mountWorkspace(form) {
  $("select#workspace", form)?.addEventListener("change", () => {
    const action = document.createElement("input");
    Object.assign(action, { type: "hidden", name: "action", value: "use_workspace" });
    form.append(action);
    // Without the submit event, which would start the sweep.
    form.submit();
  });
}
