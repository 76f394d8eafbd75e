// Documentation: copying code, and which heading of the page is being read.
import { $, $$ } from "../lib/dom.js";
import { commandsOf } from "../lib/commands.js";

/** Gives every block of code a button; the frame copies what the button holds. */
function addCopyButtons() {
  for (const block of $$(".doccode")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn s docscopy";
    button.textContent = "Copy";
    const code = $("code", block).textContent;
    button.dataset.copy = block.dataset.language === "console" ? commandsOf(code) : code;
    block.append(button);
  }
}

/** Marks the last heading that has passed the top of the window. */
function followReader(contents) {
  const links = $$("a", contents);
  const headings = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
  let frame = 0;
  const mark = () => {
    frame = 0;
    const isAtEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const passed = headings.filter((heading) => heading?.getBoundingClientRect().top < 140).length;
    const at = isAtEnd && scrollY ? links.length - 1 : Math.max(0, passed - 1);
    links.forEach((link, number) => {
      if (number === at) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    });
  };
  addEventListener("scroll", () => { frame ||= requestAnimationFrame(mark); }, { passive: true });
  mark();
}

/** A fold on a phone is closed when somebody chose something in it. */
function closeFolds() {
  for (const fold of $$("details.docsfold")) {
    fold.addEventListener("click", (event) => { if (event.target.closest("a")) fold.open = false; });
  }
}

addCopyButtons();
closeFolds();
const contents = $("#docstoc");
if (contents) followReader(contents);
