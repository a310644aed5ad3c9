// Answers of the Worker's own that come from JavaScript, and the headers of all that are its own.

/** Headers of everything that is ours: nobody guesses a type, frames it, runs it, or hears where it was asked from. */
const SAFE = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  // A page of the site may read it, an API on a subdomain included; pages of others may by CORS alone.
  "cross-origin-resource-policy": "same-site",
};

/** What is no script must never become a page that does anything. Not on scripts: there it would rule a worker that they start. */
const INERT = "default-src 'none'; frame-ancestors 'none'";

/** Gives an answer that we made ourselves the headers that make it safe; those that it has already stay. */
export function safe(response) {
  const { headers } = response;
  for (const [name, value] of Object.entries(SAFE)) {
    if (!headers.has(name)) {
      headers.set(name, value);
    }
  }
  if (!headers.has("content-security-policy") && !/^(?:text\/javascript|application\/wasm)\b/.test(headers.get("content-type") ?? "")) {
    headers.set("content-security-policy", INERT);
  }
  return response;
}

/** A plain text that stands in for a page that is not to be had. */
export function plain(status, text) {
  return safe(new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" } }));
}

/** A failure of the API, as the Rust side words them: a code for programs and a message for people. */
export function failure(status, code, message, headers = {}) {
  return Response.json({ error: { code, message } }, { status, headers: { "cache-control": "private, no-store", ...headers } });
}
