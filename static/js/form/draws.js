// Five configurations as the sampling method draws them, and the command line of one of them.
import { $, $$, html, render } from "../lib/dom.js";

let page = 0;
let chosen = 0;
let shown = { names: [], values: [], commands: [] };

/** Which draw is asked for. */
export const drawPage = () => page;

/** The draws as a table; the first cell of a row chooses it. */
function drawsMarkup({ names, values, commands }, at) {
  return html`<table><thead><tr><th scope="col"><span class="vh">Command</span></th>${names.map((
    name) => html`<th scope="col" class="num mono">${name}</th>`)}</tr></thead><tbody>${values.map((
    draw, index) => html`<tr aria-selected="${String(index === at && commands.length > 0)}"><td><button
    class="btn ghost s" type="button" data-draw="${index}" aria-pressed="${String(index === at)}"
    aria-label="Command of draw ${index + 1}" title="Show its command">${index + 1}</button></td>${
    draw.map((value) => html`<td class="num">${value}</td>`)}</tr>`)}</tbody></table>`;
}

function draw() {
  chosen = Math.min(chosen, Math.max(0, shown.values.length - 1));
  render($("#draw-table"), drawsMarkup(shown, chosen));
  const command = shown.commands[chosen];
  $("#draw-command").hidden = !command;
  $("#draw-words").textContent = command ?? "";
}

/** Shows the draws of an answer. */
export function showDraws(draws) {
  shown = draws;
  $("#draws").hidden = draws.values.length === 0;
  $("#draw-title").textContent = draws.title;
  $("#draw-again").hidden = !draws.can_go_on;
  draw();
}

/** Makes the buttons work; `onAgain()` asks for other draws. */
export function mountDraws(onAgain) {
  $("#draw-again").addEventListener("click", () => {
    page += 1;
    onAgain();
  });
  $("#draw-table").addEventListener("click", (event) => {
    const button = event.target.closest("[data-draw]");
    if (!button) return;
    chosen = Number(button.dataset.draw);
    draw();
    $$("#draw-table [data-draw]")[chosen].focus();
  });
}
