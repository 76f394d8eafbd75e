// Two views of one chart, of which one shows: lines, or points where lines would be empty.

/** Makes either view when it is first needed; figures with `chart` are lines. */
export function createChartPair(host, make) {
  const places = {};
  const views = {};
  let current = null;

  function choose(name) {
    if (current === name) return views[name];
    if (current) places[current].hidden = true;
    current = name;
    if (!views[name]) {
      places[name] = document.createElement("div");
      places[name].className = "chart-view";
      host.append(places[name]);
      views[name] = make[name](places[name]);
    }
    places[name].hidden = false;
    return views[name];
  }

  return {
    show: (figure, best) => choose(figure.chart ? "lines" : "plot").show(figure, best),
    resize: () => current && views[current].resize(),
    redraw: () => current && views[current].redraw(),
    png: () => (current ? views[current].png() : null),
  };
}
