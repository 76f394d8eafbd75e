import assert from "node:assert/strict";
import { test } from "node:test";

import { escape, html, render } from "../../static/js/lib/dom.js";
import { mergeQuery } from "../../static/js/lib/url_state.js";

test("html escapes data in text and attributes", () => {
  const name = `<img src=x onerror="alert('1')">&`;

  const markup = String(html`<b title="${name}">${name}</b>`);

  const safe = "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;";
  assert.equal(markup, `<b title="${safe}">${safe}</b>`);
});

test("html takes nested markup and lists as they are, and nothing for false", () => {
  const items = ["a", "<b>"].map((text) => html`<li>${text}</li>`);

  assert.equal(
    String(html`<ul>${items}${false}${null}${undefined}${0}</ul>`),
    "<ul><li>a</li><li>&lt;b&gt;</li>0</ul>",
  );
});

test("html does not trust an object that looks like markup", () => {
  assert.equal(String(html`${{ text: "<b>" }}`), "[object Object]");
});

test("render refuses plain text", () => {
  assert.throws(() => render({}, "<b>bold</b>"), TypeError);
});

test("escape writes null and undefined as nothing", () => {
  assert.equal(escape(null) + escape(undefined), "");
});

test("mergeQuery sets, replaces and takes out", () => {
  assert.equal(mergeQuery("?q=a&state=Running", { q: "", state: "Failed", pins: [1, 2] }),
    "?state=Failed&pins=1%2C2");
  assert.equal(mergeQuery("?q=a", { q: null }), "");
});
