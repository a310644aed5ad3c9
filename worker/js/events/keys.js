// Who sends events: the secret `IDOINE_WRITE_KEYS`, entries `kind:name:key[:purposes]` with spaces, commas or line ends between.

import { PURPOSES } from "../choice.js";
import { log } from "../log.js";
import { equal } from "../visitor.js";

/** The shortest key: what is shorter may be guessed. A browser's stands in pages for all to read. */
const SHORTEST = { browser: 1, server: 24 };

/** What sources of our own are called (docs/events.md#what-is-stored): a key of such a name would be taken for them. */
const OURS = new Set(["browser", "edge", "identity", "visitor"]);

/** The list as it was read last. */
let read = {};

function entryOf(written) {
  const [kind, name, key, basis, ...more] = written.split(":");
  const purposes = basis === undefined ? [] : basis.split("+");
  const good = Object.hasOwn(SHORTEST, kind) && /^[\w.-]{1,64}$/.test(name ?? "") && !OURS.has(name) && (key ?? "").length >= SHORTEST[kind];
  return good && more.length === 0 && purposes.every((purpose) => PURPOSES.includes(purpose)) ? { kind, name, key, purposes } : undefined;
}

function entriesOf(text) {
  if (read.text !== text) {
    const written = text.split(/[\s,]+/).filter(Boolean);
    const entries = written.map(entryOf).filter(Boolean);
    if (entries.length < written.length) {
      const message = `${written.length - entries.length} entries of IDOINE_WRITE_KEYS are no keys: expected kind:name:key or kind:name:key:purposes, the kind browser or server, the name neither ${[...OURS].join(" nor ")}, a server's key ${SHORTEST.server} characters at least`;
      log("error", "bad_write_keys", message);
    }
    read = { text, entries };
  }
  return read.entries;
}

function decoded(base64) {
  try {
    return atob(base64);
  } catch {
    return "";
  }
}

/** The key in the headers of a request, and whether it came as the name of who logs in; empty when there is none. */
function inHeaders(headers) {
  const own = headers.get("x-write-key");
  if (own !== null) {
    return { key: own };
  }
  const [, scheme, given] = /^(\w+)\s+(\S+)\s*$/.exec(headers.get("authorization") ?? "") ?? [];
  switch (scheme?.toLowerCase()) {
    case "basic":
      return { key: decoded(given), isLogin: true };
    case "bearer":
      return { key: given };
    default:
      return {};
  }
}

/** A key without what some clients send behind it: Basic a password, Jitsu the secret of `id:secret`. */
const bare = (key) => key.split(":", 1)[0];

/**
 * Who sends a request, by the key that its headers name, else `elsewhere` (its body or its address): the `kind`, the key's `name`, the
 * `purposes` that are declared for it, and whether it brought a key (`hasKey`). Undefined for a key that is not known. With
 * `isOwn` a log-in that is no key is the site's own: a site may ask its visitors for a password.
 */
export function senderOf({ request, env }, elsewhere, isOwn = false) {
  const { key: given = typeof elsewhere === "string" ? elsewhere : "", isLogin = false } = inHeaders(request.headers);
  const key = bare(given);
  const anyone = { kind: "browser", name: "browser", purposes: [], hasKey: key !== "" };
  if (key === "" || !asksForKeys({ env })) {
    return anyone;
  }
  // All of them are compared, whichever it is.
  const [found] = entriesOf(String(env.IDOINE_WRITE_KEYS)).filter((entry) => equal(entry.key, key));
  if (found === undefined) {
    return isOwn && isLogin ? { ...anyone, hasKey: false } : undefined;
  }
  return { kind: found.kind, name: found.name, purposes: found.purposes, hasKey: true };
}

/** Whether keys are asked for. */
export const asksForKeys = ({ env }) => String(env.IDOINE_WRITE_KEYS ?? "").trim() !== "";
