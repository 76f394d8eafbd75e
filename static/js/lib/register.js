// The form that registers a run as a model: on its own page, with scripts in a dialog.
import { getFragment } from "./api.js";
import { $ } from "./dom.js";

/** Opens the links marked data-register in a dialog; any failure leads to the page itself. */
export function startRegister() {
  addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-register]");
    const dialog = $("#register");
    if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const fragment = await getFragment(link.href);
      $("[data-form]", dialog).replaceChildren(...fragment.childNodes);
      dialog.showModal();
      $("input[name=name]", dialog).select();
    } catch {
      location.assign(link.href);
    }
  });
  addEventListener("click", (event) => {
    if (!event.target.closest("#register [data-close]")) return;
    event.preventDefault();
    event.target.closest("dialog").close();
  });
}
