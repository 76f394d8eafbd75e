// The tables of an equal budget: who leads there, and where the final top stood.
import { html } from "../lib/dom.js";

/** Where a run stood then and stands at the end: "2 → 1". */
function move(then, end) {
  if (then === null || end === null) return "–";
  return then === end ? "same" : `${then > end ? "+" : "−"}${Math.abs(then - end)}`;
}

function runLink(urlOf, number) {
  return html`<a href="${urlOf(number)}">Run ${number}</a>`;
}

/** The two tables: who leads at the budget, where the final top stood. */
export function standingMarkup({ standing, budget }, { valueText, urlOf }) {
  return html`<p class="small muted">${standing.words}</p><div class="cols half">
    <div class="tablewrap" tabindex="0" role="group" aria-label="Ranking at ${budget.text}"><table>
      <caption>Best at ${budget.text}</caption>
      <thead><tr><th scope="col" class="num">Rank</th><th scope="col">Run</th><th scope="col" class="num">Best then</th>
      <th scope="col" class="num">At the end</th></tr></thead><tbody>${standing.ranking.map(([run, rank, value, last]) => html`<tr
        data-run="${run}"><td class="num">${rank}</td><td>${runLink(urlOf, run)}</td><td class="num">${valueText(value)}</td>
        <td class="num">${last ?? "not completed"}</td></tr>`)}</tbody></table></div>
    <div class="tablewrap" tabindex="0" role="group" aria-label="The final top at ${budget.text}"><table>
      <caption>Final top ${budget.top}</caption>
      <thead><tr><th scope="col" class="num">Rank</th><th scope="col">Run</th><th scope="col" class="num">Final best</th>
      <th scope="col" class="num">Rank then</th><th scope="col" class="num">Since then</th></tr></thead>
      <tbody>${!standing.final.length && html`<tr><td colspan="5" class="muted">No run has completed.</td></tr>`}${
        standing.final.map(([run, rank, value, then]) => html`<tr data-run="${run}"><td class="num">${rank}</td>
        <td>${runLink(urlOf, run)}</td><td class="num">${valueText(value)}</td><td class="num">${then ?? "no value"}${
          then !== null && html` <span class="faint">of ${standing.compared}</span>`}</td>
        <td class="num">${move(then, rank)}</td></tr>`)}</tbody></table></div></div>`;
}
