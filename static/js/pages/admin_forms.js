/** Forms of the administration: the boxes of Select2 are named as the fields that they stand for. */

/** Name a box as its field and its value: by itself it says the value alone, and nothing when empty. */
function nameBox(select) {
  const box = select.nextElementSibling?.querySelector(".select2-selection");
  if (!box) return;
  const label = document.querySelector(`label[for="${select.id}"]`);
  if (label) label.id ||= `${select.id}-label`;
  const value = box.querySelector(".select2-selection__rendered");
  // Part of the box, and no field of its own.
  value.removeAttribute("role");
  value.removeAttribute("aria-readonly");
  box.setAttribute("aria-labelledby", `${label?.id ?? select.id} ${value.id}`);
}

function nameBoxes(within) {
  for (const select of within.querySelectorAll("select.select2-hidden-accessible")) nameBox(select);
}

const $ = window.django.jQuery;
// Behind Django's own, which make the boxes at these moments.
$(() => nameBoxes(document));
document.addEventListener("formset:added", (event) => nameBoxes(event.target));
$(document).on("select2:open", () => {
  document.querySelector(".select2-container--open .select2-search__field")?.setAttribute("aria-label", "Search");
});
