// Which keys are the widget's while it has the focus. VS Code takes what reaches its window for a
// shortcut of the notebook, and x or d, d remove the cell.

const OTHERS = /^(?:Escape|Tab|F\d+)$/;

/** Whether a key pressed within the widget is kept from the notebook around it. Pure. */
export function isKept({ key, ctrlKey, metaKey, altKey, defaultPrevented }) {
  // What a chart has used is used; commands of the program around are its own.
  if (defaultPrevented) return true;
  return !ctrlKey && !metaKey && !altKey && !OTHERS.test(key);
}

/** Keeps the keys that are pressed within `host`. */
export function keepKeys(host) {
  // JupyterLab hears keys before the widget does, and asks for this word.
  host.setAttribute("data-lm-suppress-shortcuts", "true");
  host.addEventListener("keydown", (event) => {
    if (isKept(event)) event.stopPropagation();
  });
}
