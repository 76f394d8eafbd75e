// Reads a specification from a file into the editor of YAML, which takes it over into the form.
import { $ } from "../lib/dom.js";
import { toast } from "../lib/shell.js";

const MOST_BYTES = 1_000_000;

/** Makes the button work. */
export function mountOpenYaml() {
  const chooser = $("#yaml-file");
  $("#open-yaml").hidden = false;
  $("#open-yaml").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", async () => {
    const [file] = chooser.files;
    if (!file) return;
    const text = file.size > MOST_BYTES ? null : await file.text();
    // The same file may be chosen again after it was changed.
    chooser.value = "";
    if (text === null) {
      toast(`${file.name} is larger than 1 MB: that is no specification.`);
      return;
    }
    $("#tab-yaml").click();
    // First: leaving a field of the form makes the text follow the form once more.
    $("#yaml").focus();
    $("#yaml").value = text;
    $("#yaml").dispatchEvent(new Event("input", { bubbles: true }));
  });
}
