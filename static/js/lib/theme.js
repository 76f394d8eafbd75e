// Classic script in <head>, before the first paint: no flash of the wrong theme.
(() => {
  let saved = null;
  try {
    saved = localStorage.getItem("studio-theme");
  } catch {
    // Storage may be off; then the theme follows the system.
  }
  if (saved === "light" || saved === "dark") document.documentElement.dataset.theme = saved;
})();
