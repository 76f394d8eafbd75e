// What a widget's view talks to, without a kernel behind it: everything was stored when the file was
// made, and what is asked for is looked up.

/**
 * A model of the documents of a capsule: `first` is what the view opens with, `charts` has figure
 * and curves by "metric|x", `logs` the end of a log by number of the run.
 */
export function createModel({ first, charts, logs }, looks) {
  const values = {
    ...first, ...looks, ui: {}, wanted: {},
    connection: { state: "ended", text: "" },
  };
  const listeners = new Map();
  const primary = Object.keys(charts)[0].split("|")[0];

  function put(name, value) {
    values[name] = value;
    for (const listener of listeners.get(`change:${name}`) ?? []) listener();
  }

  function answer({ metric = values.figure.metric, x = "interval", run }) {
    const found = charts[`${metric}|${x}`] ?? charts[`${metric}|interval`] ?? charts[`${primary}|interval`];
    for (const name of ["figure", "curves"]) if (values[name] !== found[name]) put(name, found[name]);
    if (run === undefined || run === values.log.run) return;
    put("log", logs[run] ?? { run, text: "", note: "The log of this run is not in the capsule." });
  }

  return {
    get: (name) => values[name],
    set(name, value) {
      values[name] = value;
      if (name === "wanted") queueMicrotask(() => answer(value));
    },
    save_changes() {},
    send() {},
    on(name, listener) {
      listeners.set(name, [...(listeners.get(name) ?? []), listener]);
    },
    off(name, listener) {
      listeners.set(name, (listeners.get(name) ?? []).filter((other) => other !== listener));
    },
  };
}
