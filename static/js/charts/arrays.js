// Arrays of a figure as the server sends them: plain lists, or base64 of typed arrays. Pure.

const TYPES = {
  f8: Float64Array, f4: Float32Array, i4: Int32Array, u4: Uint32Array, i2: Int16Array,
  u2: Uint16Array, i1: Int8Array, u1: Uint8Array,
};

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

/** The array behind a base64 form; anything else comes back as it is. */
export function decode(value) {
  if (!value?.bdata) return value;
  return new TYPES[value.dtype](bytesOf(value.bdata).buffer);
}

/** A matrix as one flat array of numbers, row by row; gaps (null) become NaN. */
export function decodeMatrix(value) {
  if (value?.bdata) return decode(value);
  return Float64Array.from(value.flat(), (number) => number ?? NaN);
}

function decodeDeep(value) {
  if (value?.bdata) return decode(value);
  if (Array.isArray(value)) {
    // Lists of numbers and texts stay as they are; lists of traces do not.
    return typeof value[0] === "object" && value[0] !== null ? value.map(decodeDeep) : value;
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, decodeDeep(inner)]));
}

/** The traces of a figure with every base64 array unpacked, so that they can be looked into. */
export function decodeTraces(traces) {
  return decodeDeep(traces);
}
