// Talking to the server: JSON with the CSRF token, and fragments of pages. Knows no page.

/** A reply that was not a success; `problems` is [{path, message}] where the server named any. */
class ApiError extends Error {
  constructor(message, status, problems = []) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.problems = problems;
  }
}

/** The token that every unsafe request carries. */
function csrfToken() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

async function explain(response) {
  const text = await response.text();
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    // An HTML error page or nothing: the status says enough.
  }
  const message = body.detail || body.title || `The server answered with status ${response.status}.`;
  return new ApiError(String(message), response.status, body.errors ?? body.problems ?? []);
}

async function request(url, options) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The studio cannot be reached.", 0);
  }
  if (response.redirected && new URL(response.url).pathname.endsWith("/sign-in/")) {
    throw new ApiError("You were signed out. Reload the page to sign in again.", 401);
  }
  if (!response.ok) throw await explain(response);
  return response;
}

/** GET, JSON in return. */
export async function getJson(url, { signal } = {}) {
  const response = await request(url, { signal, headers: { Accept: "application/json" } });
  return response.json();
}

/** POST a FormData as a form would, JSON in return. */
export async function postForm(url, form, { signal } = {}) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  const response = await request(url, { signal, headers, method: "POST", body: form });
  return response.json();
}

/** GET a fragment of HTML that the server rendered from a `_partial.html`. */
export async function getFragment(url, { signal } = {}) {
  const response = await request(url, { signal, headers: { "X-Fragment": "1" } });
  const holder = document.createElement("template");
  holder.innerHTML = await response.text();
  return holder.content;
}

/** Replaces the content of an element by a fragment from the server. */
export async function swap(url, element, options) {
  element.replaceChildren(await getFragment(url, options));
}
