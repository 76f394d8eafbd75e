// Moving sweeps to the trash without leaving the list, and taking it back.
import { postForm } from "./api.js";
import { $, $$, build, html } from "./dom.js";
import { rowAfter } from "./run_order.js";
import { toast } from "./shell.js";

function counted(count) {
  return `${count} sweep${count === 1 ? "" : "s"}`;
}

function told(moved) {
  return moved.length === 1
    ? `“${moved[0].name}” is in the trash.`
    : `${counted(moved.length)} are in the trash.`;
}

/** Says which sweeps had to stay and why; of a single one it leads to its page. */
function showRefused(refused) {
  const dialog = $("#refused");
  const reasons = refused.map((one) => build(html`<p>${one.reason}</p>`));
  $("[data-reasons]", dialog).replaceChildren(...reasons);
  const open = $("[data-open-sweep]", dialog);
  open.hidden = refused.length !== 1;
  open.href = refused[0].url;
  dialog.showModal();
}

function sweepsForm(name, ids) {
  const body = new FormData();
  for (const id of ids) body.append(name, id);
  return body;
}

/**
 * Takes over the form #trash of a list: `refresh()` shows the list again; `urls.restore` is where to
 * undo.
 */
export function startTrash({ refresh, urls }) {
  const form = $("#trash");
  if (!form) return;
  const label = $("[data-picked]", form);

  function picked() {
    return $$('.c-pick input:checked').map((box) => box.value);
  }

  function showCount() {
    label.textContent = `${picked().length} selected`;
  }

  async function undo(moved) {
    try {
      await postForm(urls.restore, sweepsForm("sweep", moved.map((one) => one.id)));
      toast(moved.length === 1 ? "Restored" : `${counted(moved.length)} restored`);
    } catch (error) {
      toast(error.message);
    }
    await refresh();
  }

  async function move(ids) {
    const next = rowAfter($$("#rows > *").map((row) => row.dataset.id), ids);
    try {
      const { moved, refused } = await postForm(form.action, sweepsForm("sweep", ids));
      form.reset();
      showCount();
      if (moved.length) toast(told(moved), { label: "Undo", run: () => undo(moved) });
      if (refused.length) showRefused(refused);
      await refresh();
      // What had the focus is gone with its row, or hidden as nothing is picked any more.
      if (moved.length && !refused.length) $(`#rows [data-id="${next}"] a.name`)?.focus();
    } catch (error) {
      toast(error.message);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const only = event.submitter?.name === "only" ? event.submitter.value : "";
    event.submitter?.closest("details")?.removeAttribute("open");
    move(only ? [only] : picked());
  });
  // Boxes are elsewhere and belong to the form by its name; a reset comes before they change.
  addEventListener("change", (event) => event.target.matches(".c-pick input") && showCount());
  form.addEventListener("reset", () => setTimeout(showCount));
}
