// What a figure of the server tells about itself.

/** Whether there is nothing to draw: lines of reference alone are no picture. */
export function isEmpty(figure) {
  if (typeof figure.meta.is_empty === "boolean") return figure.meta.is_empty;
  if (figure.meta.axes) return figure.meta.best === null;
  return !figure.data.some((trace) => trace.customdata?.length);
}

/** The best run of a figure: the one in the trace called "best". */
export function bestOf(figure) {
  const star = figure.data.find((trace) => trace.name === "best" && trace.customdata?.length);
  return star ? star.customdata[0] : null;
}
