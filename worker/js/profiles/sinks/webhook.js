// One message to one webhook, signed as Standard Webhooks says (https://www.standardwebhooks.com): the receiver checks `webhook-signature`
// with any library of theirs.

import { shortDigest } from "../../digest.js";

/** So long an endpoint has for its answer. */
const PATIENCE_MS = 15_000;

const encoder = new TextEncoder();

const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

/** A webhook's secrets, the current first: more than one while they are changed. */
function secretsOf(env, name) {
  const own = `IDOINE_WEBHOOK_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;
  return String(env[own] ?? env.IDOINE_WEBHOOK_SECRET ?? "").split(/\s+/).filter(Boolean);
}

/** The bytes of a secret: `whsec_`, which may be missing, and base64. */
function bytesOf(secret) {
  let text;
  try {
    text = atob(secret.replace(/^whsec_/, ""));
  } catch {
    throw new Error("the secret is no base64");
  }
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** `v1,` and the HMAC-SHA256 of the message's id, time and body. */
export async function signatureOf(secret, id, seconds, body) {
  const key = await crypto.subtle.importKey("raw", bytesOf(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return `v1,${base64(await crypto.subtle.sign("HMAC", key, encoder.encode(`${id}.${seconds}.${body}`)))}`;
}

/** A name for a message that is good in a header, whatever `id` is, and the same each time it is sent. */
const nameOf = async (id) => `msg_${await shortDigest(id)}`;

/** An address that messages may be sent to: https, or http on this machine. */
function addressOf(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(url?.hostname ?? "");
  if (url?.protocol !== "https:" && !(url?.protocol === "http:" && isLoopback)) {
    throw new Error("the address is not https");
  }
  return url;
}

/** How long a receiver asks to be left alone, in milliseconds: an hour at most. */
function pauseOf(headers) {
  const seconds = Number(headers.get("retry-after") ?? 0);
  return seconds > 0 ? Math.min(seconds, 3600) * 1000 : 0;
}

/**
 * Sends a message. Rejects when it was not taken, with an error that may say `isFinal` (the receiver wants no such message ever) and
 * `pause`. Goes nowhere but to the address itself: an answer that leads elsewhere is a failure.
 */
export async function post(env, { name, url }, id, body) {
  const address = addressOf(url);
  const secrets = secretsOf(env, name);
  if (secrets.length === 0) {
    throw new Error("there is no secret to sign with");
  }
  const [messageId, seconds] = [await nameOf(id), Math.floor(Date.now() / 1000)];
  const signatures = await Promise.all(secrets.map((secret) => signatureOf(secret, messageId, seconds, body)));
  const response = await fetch(address, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "user-agent": "idoine-webhook/1",
      "webhook-id": messageId,
      "webhook-timestamp": String(seconds),
      "webhook-signature": signatures.join(" "),
    },
    body,
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  // What it says is not read.
  await response.body?.cancel();
  if (!response.ok) {
    throw Object.assign(new Error(`the receiver answered ${response.status}`), { isFinal: response.status === 410, pause: pauseOf(response.headers) });
  }
}
