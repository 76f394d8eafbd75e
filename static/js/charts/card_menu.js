// What the menu of a chart's card does: table, CSV, picture, full screen; and "Try again".
import { fileName, save, toCsv } from "../lib/csv.js";
import { $ } from "../lib/dom.js";
import { toast } from "../lib/shell.js";

function toggleTable(card, button) {
  const place = $("[data-table]", card.section);
  place.hidden = !place.hidden;
  card.host.hidden = !place.hidden;
  $("span", button).textContent = place.hidden ? "Show as table" : "Show as chart";
  card.showTable();
}

function saveCsv(card) {
  if (!card.figure) return;
  const { columns, rows } = card.table();
  const blob = new Blob([toCsv(columns, rows)], { type: "text/csv;charset=utf-8" });
  save(blob, `${fileName(card.title)}.csv`);
}

async function savePicture(card) {
  const picture = await card.view?.png();
  if (picture) save(picture, `${fileName(card.title)}.png`);
}

async function fillScreen(card) {
  await (document.fullscreenElement ? document.exitFullscreen() : card.section.requestFullscreen());
}

const ACTIONS = {
  again: (card) => card.load(),
  csv: async (card) => {
    await card.needRows();
    saveCsv(card);
  },
  full: fillScreen,
  png: savePicture,
  table: async (card, button) => {
    await card.needRows();
    toggleTable(card, button);
  },
};

/** Lets the buttons of a card do what they say. */
export function bindMenu(card) {
  card.section.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    button.closest("details")?.removeAttribute("open");
    try {
      await ACTIONS[button.dataset.do]?.(card, button);
    } catch (error) {
      toast(error.message);
    }
  });
  $("[data-menu]", card.section).hidden = false;
}
