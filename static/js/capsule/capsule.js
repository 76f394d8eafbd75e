// The page of a capsule: the notebook's widget over the documents that are stored in the page.
import { render } from "../notebook/widget.js";
import { createModel } from "./model.js";

const text = (id) => document.getElementById(id).textContent;
const model = createModel(JSON.parse(text("capsule-view")), {
  styles: JSON.parse(text("capsule-style")),
  icons: JSON.parse(text("capsule-icons")),
});
render({ model, el: document.getElementById("view") });

export default {};
