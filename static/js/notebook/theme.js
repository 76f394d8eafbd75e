// Whether the notebook around the widget is dark: JupyterLab and VS Code say so on the body.

const ATTRIBUTES = ["data-jp-theme-light", "data-jp-theme-name", "data-vscode-theme-kind", "class"];

/** Whether a notebook that describes itself so is dark; null when it does not say. Pure. */
export function saysDark({ jpThemeLight, vscodeThemeKind = "" }) {
  if (jpThemeLight) return jpThemeLight === "false";
  if (vscodeThemeKind) return /dark|^vscode-high-contrast$/.test(vscodeThemeKind);
  return null;
}

/** Tells `listener` now and with every change whether it is dark; returns what ends that. */
export function onNotebookTheme(listener) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const tell = () => listener(saysDark(document.body.dataset) ?? system.matches);
  const watcher = new MutationObserver(tell);
  watcher.observe(document.body, { attributes: true, attributeFilter: ATTRIBUTES });
  system.addEventListener("change", tell);
  tell();
  return () => {
    watcher.disconnect();
    system.removeEventListener("change", tell);
  };
}
