// Dialogs that ask before something cannot be undone. They work without scripts as popovers; with
// scripts they are modal and give the focus back.
import { $ } from "./dom.js";

/** Opens and closes the dialogs that buttons name in data-dialog. */
export function startDialogs() {
  addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) {
      event.preventDefault();
      const dialog = $(`#${opener.dataset.dialog}`);
      // A popover that is a dialog cannot be both at a time.
      dialog.removeAttribute("popover");
      dialog.showModal();
    }
    if (event.target.closest("dialog [data-close]")) {
      event.preventDefault();
      event.target.closest("dialog").close();
    }
  }, { capture: true });
}
