// Lists of the job queues in the administration: the box in the header chooses every row, and boxes have
// names. Django's own script wants a counter that these pages do not have.
import { $, $$ } from "../lib/dom.js";

const toggle = $("#action-toggle");
const boxes = $$("tr input.action-select");

toggle?.setAttribute("aria-label", "Select all jobs of this page");
toggle?.closest("th").setAttribute("aria-label", "Select");
for (const box of boxes) box.setAttribute("aria-label", `Select job ${box.value}`);

function paint() {
  for (const box of boxes) box.closest("tr").classList.toggle("selected", box.checked);
  toggle.checked = boxes.length > 0 && boxes.every((box) => box.checked);
}

toggle?.addEventListener("change", () => {
  for (const box of boxes) box.checked = toggle.checked;
  paint();
});
for (const box of boxes) box.addEventListener("change", paint);
