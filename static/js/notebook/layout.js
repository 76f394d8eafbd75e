// The skeleton of the widget: everything that stands there before there is anything to show.
import { build, html, icon } from "../lib/dom.js";

function chartMarkup(kind, title, tools) {
  return html`<section class="card chartcard is-${kind}" data-part="${kind}"><header><h4>${title}</h4>
    <div class="end">${tools}</div></header>
    <div class="chart" data-plot role="group" aria-label="${title}"></div>
    <div class="chart-note" data-note hidden></div>
    <p class="chart-caption" data-caption></p></section>`;
}

const metricTools = () => html`<label class="picker">Metric <select class="select" data-option="metric"></select></label>
  <label class="picker">Over <select class="select" data-option="x"><option value="interval">Interval</option>
  <option value="step">Step</option><option value="time">Time</option></select></label>
  <label class="check"><input type="checkbox" data-log> Log</label>`;

const parallelTools = () => html`<button class="btn s ghost" type="button" data-clear hidden>Clear ranges</button>
  <details class="pop" data-axes><summary class="btn s">${icon("columns")}Axes</summary>
  <div class="popover pc-panel"><ul class="pc-axislist" data-axis-list></ul>
  <div class="row"><button class="btn s ghost" type="button" data-axes-all>Show all</button><button
  class="btn s ghost" type="button" data-axes-reset>As declared</button></div></div></details>`;

/** Builds the widget's root; parts are found by their data-part. */
export function buildLayout() {
  return build(html`<section class="notebook" aria-label="Sweep">
    <div hidden data-part="icons"></div>
    <header data-part="head"></header>
    <div data-part="bar" class="statusbar"></div>
    <div class="connection"><p role="status" data-part="connection"></p><button class="btn s" type="button"
      data-again hidden>Follow again</button></div>
    <div class="charts">
      ${chartMarkup("metrics", "Metrics", metricTools())}
      ${chartMarkup("parallel", "Parallel coordinates", parallelTools())}
    </div>
    <section class="card" data-part="runs"><header><h4>Runs</h4><span class="sub" data-count></span>
      <div class="end"><span class="num small" data-range></span>
      <button class="btn s icon" type="button" data-page="-1" aria-label="Previous runs">${icon("left")}</button>
      <button class="btn s icon" type="button" data-page="1" aria-label="Next runs">${icon("right")}</button>
      </div></header>
      <div class="tablewrap" tabindex="0" role="group" aria-label="Runs, scrolls sideways"><table>
      <caption class="vh">Runs of the sweep. Buttons in the head sort; the button of a run shows its log.</caption>
      <thead></thead><tbody></tbody></table></div></section>
    <section class="card" data-part="log"><header><h4 data-title>Log</h4><span class="sub" data-note></span>
      <div class="end"><label class="check" hidden><input type="checkbox" data-follow checked> Follow</label>
      </div></header><pre class="log" tabindex="0" role="group" aria-label="Log"></pre></section>
    <footer data-part="foot"></footer></section>`);
}
