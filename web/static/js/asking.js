// Asking our own server from a script: JSON in, JSON out, with the page's form token.

/** What went wrong, in the server's words. `fields` says it by field of a form. */
export class Fault extends Error {
  constructor(status, { message, hint = "", fields = {}, code = "" }) {
    super(message);
    this.status = status;
    this.hint = hint;
    this.fields = fields;
    this.code = code;
  }
}

/**
 * Whether this browser is signed in still, asked when a stream was refused, which does not say why. If it is not, the
 * page goes to where one signs in, and comes back from there.
 */
export function stillSignedIn() {
  return ask("/account/session").catch(() => undefined);
}

/** The page's form token. */
export function token() {
  return document.querySelector('meta[name="csrf-token"]')?.content ?? "";
}

/**
 * Ask; answers what the server's JSON says, or null where it says nothing.
 * @param {string} path
 * @param {{method?: string, json?: unknown, body?: BodyInit, signal?: AbortSignal}} how
 * @throws {Fault} What the server said is wrong, or that it was not reached (status 0).
 */
export async function ask(path, { method, json, body, signal } = {}) {
  const headers = { Accept: "application/json", "X-CSRF-Token": token() };
  if (json !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method: method ?? (json === undefined && body === undefined ? "GET" : "POST"),
      headers,
      body: json === undefined ? body : JSON.stringify(json),
      signal,
      credentials: "same-origin",
      redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Fault(0, { message: "The appliance was not reached.", hint: "Is the network there? Try again." });
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = null;
  }
  if (response.ok) return answer;
  if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  throw new Fault(response.status, answer?.error ?? { message: "That did not work.", hint: "Try again." });
}
