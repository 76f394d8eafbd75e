// The address holds the state of a page, so that a copied link shows the same view.

const isEmpty = (value) => value === "" || value === null || value === undefined || value === false;

/** The query `search` with `values` set; empty values are taken out. */
export function mergeQuery(search, values) {
  const query = new URLSearchParams(search);
  for (const [key, value] of Object.entries(values)) {
    if (isEmpty(value)) query.delete(key);
    else query.set(key, Array.isArray(value) ? value.join(",") : String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

/** One value of the address. */
export function getParam(key, fallback = "") {
  return new URLSearchParams(location.search).get(key) ?? fallback;
}

/** A list value of the address, "12,30". */
export function getList(key) {
  return getParam(key).split(",").filter(Boolean);
}

/** Changes the address without a new entry in the history (while adjusting). */
export function replaceParams(values) {
  const search = mergeQuery(location.search, values);
  history.replaceState(history.state, "", location.pathname + search + location.hash);
}

/** Changes the address with a new entry in the history (another view). */
export function pushParams(values) {
  const search = mergeQuery(location.search, values);
  history.pushState({}, "", location.pathname + search + location.hash);
}
