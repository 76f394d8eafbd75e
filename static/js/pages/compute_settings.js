// Settings of a compute target: more rows for variables, and secrets that nobody reads on the screen.
import { $, $$ } from "../lib/dom.js";

const rows = $("#variables");
const add = $("#add-variable");

rows.addEventListener("change", ({ target }) => {
  if (target.name !== "kind") return;
  const value = $("[name=value]", target.closest(".varrow"));
  value.type = target.value === "secret" ? "password" : "text";
  value.autocomplete = target.value === "secret" ? "new-password" : "off";
});

add.hidden = false;
add.addEventListener("click", () => {
  const row = $$(".varrow", rows).at(-1).cloneNode(true);
  for (const input of $$("input", row)) input.value = "";
  $("[name=value]", row).type = "text";
  $("select", row).value = "plain";
  rows.append(row);
  $("[name=name]", row).focus();
});
