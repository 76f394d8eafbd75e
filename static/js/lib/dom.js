// Finding elements and writing escaped HTML: the only way in this project to make HTML from data.

/** @type {(selector: string, root?: ParentNode) => any} */
export const $ = (selector, root = document) => root.querySelector(selector);

/** @type {(selector: string, root?: ParentNode) => any[]} */
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** What has the focus within an element, also in a shadow root; null when nothing has. */
export function focusedIn(element) {
  const focused = element.getRootNode().activeElement ?? null;
  return element.contains(focused) ? focused : null;
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Escapes a value for HTML text and quoted attributes. */
export function escape(value) {
  return String(value ?? "").replace(/[&<>"']/g, (char) => ENTITIES[char]);
}

/** HTML that was made by `html`; nothing else is trusted by `render`. */
class Markup {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

function write(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(write).join("");
  return value === false || value === null || value === undefined ? "" : escape(value);
}

/**
 * Escaping template tag: html`<b>${name}</b>`. Markup and arrays go in as they are, false, null and
 * undefined as nothing, everything else escaped. Attribute values must be quoted.
 */
export function html(strings, ...values) {
  return new Markup(String.raw({ raw: strings }, ...values.map(write)));
}

/** Replaces the content of an element by markup made with `html`. */
export function render(element, markup) {
  if (!(markup instanceof Markup)) throw new TypeError("render() takes markup made with html``");
  element.innerHTML = markup.text;
  return element;
}

/** Makes the one element that `markup` describes. */
export function build(markup) {
  const holder = document.createElement("template");
  render(holder, markup);
  return holder.content.firstElementChild;
}

let config;

/** The JSON block of base.html: badges, addresses, icon file. */
export function studioConfig() {
  config ??= JSON.parse(document.getElementById("studio-config")?.textContent || "{}");
  return config;
}

/** An icon of img/icons.svg as markup. */
export function icon(name, css = "") {
  const href = `${studioConfig().icons ?? ""}#${name}`;
  return html`<svg class="i ${css}" aria-hidden="true"><use href="${href}"></use></svg>`;
}

/** Reads a json_script block of the page. */
export function readJson(id) {
  const element = document.getElementById(id);
  return element ? JSON.parse(element.textContent) : null;
}
