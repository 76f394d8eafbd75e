// Reads single files out of a chosen zip in the browser, so that nothing is uploaded for a look.
// Names and sizes come from the directory at the end of the zip; zip64 is left to the server.

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_LENGTH = 22;
const MOST_COMMENT = 65535;
const ENTRY_LENGTH = 46;
const LOCAL_LENGTH = 30;
const STORED = 0;
const DEFLATED = 8;

const viewOf = async (blob) => new DataView(await blob.arrayBuffer());

function findEnd(view) {
  for (let at = view.byteLength - END_LENGTH; at >= 0; at -= 1) {
    if (view.getUint32(at, true) === END) return at;
  }
  return -1;
}

/** The files of a zip: [{name, method, packed, start}]; empty for what is no zip. */
export async function listZip(file) {
  const tail = await viewOf(file.slice(Math.max(0, file.size - END_LENGTH - MOST_COMMENT)));
  const end = findEnd(tail);
  if (end < 0) return [];
  const size = tail.getUint32(end + 12, true);
  const start = tail.getUint32(end + 16, true);
  const view = await viewOf(file.slice(start, start + size));
  const found = [];
  let at = 0;
  while (at + ENTRY_LENGTH <= view.byteLength && view.getUint32(at, true) === ENTRY) {
    const length = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + ENTRY_LENGTH,
      Math.min(length, view.byteLength - at - ENTRY_LENGTH)));
    if (!name.endsWith("/")) {
      found.push({
        name,
        method: view.getUint16(at + 10, true),
        packed: view.getUint32(at + 20, true),
        start: view.getUint32(at + 42, true),
      });
    }
    at += ENTRY_LENGTH + length + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return found;
}

/** At most `most` bytes of a file of the zip as a Blob; null where it cannot be read here. */
export async function readZipped(file, entry, most) {
  const head = await viewOf(file.slice(entry.start, entry.start + LOCAL_LENGTH));
  if (head.byteLength < LOCAL_LENGTH) return null;
  const data = entry.start + LOCAL_LENGTH + head.getUint16(26, true) + head.getUint16(28, true);
  const packed = file.slice(data, data + entry.packed);
  if (entry.method === STORED) return packed.slice(0, most);
  if (entry.method !== DEFLATED || !("DecompressionStream" in globalThis)) return null;
  const parts = [];
  let length = 0;
  try {
    const reader = packed.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    while (length < most) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      length += value.length;
    }
    reader.cancel().catch(() => {});
  } catch {
    return null;
  }
  return new Blob(parts).slice(0, most);
}
