// Files of a zip are read in the browser as the server would read them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { listZip, readZipped } from "../../static/js/form/zip.js";

const encode = (text) => new TextEncoder().encode(text);

function record(length, fields) {
  const view = new DataView(new ArrayBuffer(length));
  for (const [at, size, value] of fields) view[`setUint${size}`](at, value, true);
  return new Uint8Array(view.buffer);
}

/** A zip of [name, text, isDeflated], with what other programs add: extra fields and a comment. */
function zipOf(files, comment = "") {
  const parts = [];
  const directory = [];
  let at = 0;
  for (const [name, text, isDeflated] of files) {
    const title = encode(name);
    const data = isDeflated ? deflateRawSync(encode(text)) : encode(text);
    const method = isDeflated ? 8 : 0;
    const head = record(30, [[0, 32, 0x04034b50], [8, 16, method], [26, 16, title.length], [28, 16, 4]]);
    parts.push(head, title, new Uint8Array(4), data);
    directory.push(record(46, [[0, 32, 0x02014b50], [10, 16, method], [20, 32, data.length],
      [24, 32, text.length], [28, 16, title.length], [30, 16, 3], [32, 16, 2], [42, 32, at]]),
    title, new Uint8Array(5));
    at += 34 + title.length + data.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = record(22, [[0, 32, 0x06054b50], [12, 32, size], [16, 32, at], [20, 16, comment.length]]);
  return new Blob([...parts, ...directory, end, encode(comment)]);
}

const read = async (file, name, most = 1000) => {
  const entry = (await listZip(file)).find((found) => found.name === name);
  return (await readZipped(file, entry, most)).text();
};

test("files are listed without folders", async () => {
  const file = zipOf([["train.py", "x"], ["src/", ""], ["src/é.py", "y", true]], "made by a test");
  assert.deepEqual((await listZip(file)).map(({ name }) => name), ["train.py", "src/é.py"]);
});

test("stored and deflated files are read", async () => {
  const file = zipOf([["a.py", "print(1)\n"], ["b.py", "print(2)\n".repeat(50), true]]);
  assert.equal(await read(file, "a.py"), "print(1)\n");
  assert.equal(await read(file, "b.py"), "print(2)\n".repeat(50));
});

test("no more is read than was asked for", async () => {
  const file = zipOf([["a.py", "x".repeat(500_000), true], ["b.py", "y".repeat(50)]]);
  assert.equal(await read(file, "a.py", 10), "x".repeat(10));
  assert.equal(await read(file, "b.py", 10), "y".repeat(10));
});

test("what is no zip has no files", async () => {
  for (const text of ["", "no zip", "PK".repeat(40)]) {
    assert.deepEqual(await listZip(new Blob([text])), []);
  }
});

test("a broken file gives nothing", async () => {
  const file = zipOf([["a.py", "print(1)\n", true]]);
  const [entry] = await listZip(file);
  assert.equal(await readZipped(file, { ...entry, method: 99 }, 10), null);
  assert.equal(await readZipped(file, { ...entry, packed: 3, start: entry.start + 2 }, 10), null);
  assert.equal(await readZipped(file, { ...entry, start: file.size }, 10), null);
});
