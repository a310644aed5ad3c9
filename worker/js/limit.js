// A limit on how often one client may call what writes, where the binding WRITE_LIMIT is bound.

import { failure } from "./answer.js";
import { count } from "./counters.js";
import { shortDigest } from "./digest.js";
import { senderOf } from "./events/keys.js";
import { log } from "./log.js";
import { siteOf } from "./sites.js";

/** What writes, or reads much: a visitor's choice, what they ask for of what is stored, events, programs and links. `api/decide` and `api/import` are asked by servers, often. */
const WRITES = /^\/_idoine\/(?:(?:consent|collect|erase|identity|profile|export)$|v1\/|beacon\/|api\/(?!(?:decide|import)$))/;

/** Where events are sent to: who holds a server's key may do so as often as they like. */
const EVENTS = /^\/_idoine\/(?:collect$|v1\/|beacon\/|api\/s\/)/;

/** The longest period that a limit can have, in seconds. */
const PERIOD = 60;

/** The part of an address that is one client: of IPv6 the network that a household or a machine has as its own. */
function clientOf(address) {
  if (address.includes(".") || !address.includes(":")) {
    return address;
  }
  const [head, tail] = address.toLowerCase().split("::");
  const before = head.split(":").filter(Boolean);
  const after = (tail ?? "").split(":").filter(Boolean);
  const zeros = tail === undefined ? 0 : Math.max(8 - before.length - after.length, 0);
  const groups = [...before, ...Array.from({ length: zeros }, () => "0"), ...after];
  return groups.slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}

/** A name for a client that does not tell its address to whoever sees the limiter's keys. */
async function keyOf({ request, env, site }) {
  const client = clientOf(request.headers.get("cf-connecting-ip") ?? "");
  return shortDigest([env.IDOINE_KEY ?? "", site.id, client].join("\n"));
}

/** What `siteOf` is to say of a host that no setting names: the id of no site. */
const NO_SITE = " ";

/** Whether the settings by host name have an origin as one of the site's. The hosts of its manifest are not known here. */
function isOfSite(origin, { env, url, site }) {
  try {
    const from = new URL(origin);
    return from.protocol === url.protocol && siteOf({ SITES: env.SITES, IDOINE_SITE: NO_SITE }, from).id === site.id;
  } catch {
    return false;
  }
}

/**
 * Lets the page that asked read the answer, which says nothing that not everybody may know: without it a page on another host of the site
 * would be told of a network failure. Credentials are for hosts that are known to be the site's.
 */
function readable(visit) {
  const origin = visit.request.headers.get("origin");
  if (origin === null) {
    return {};
  }
  return {
    "access-control-allow-origin": origin,
    ...(isOfSite(origin, visit) && { "access-control-allow-credentials": "true" }),
    "access-control-expose-headers": "retry-after",
  };
}

/** The answer to a client that writes too often; undefined for all others, and where the limiter itself fails. */
export async function limited(visit) {
  const { request, env, url, site } = visit;
  const writes = !["GET", "HEAD", "OPTIONS"].includes(request.method) && WRITES.test(url.pathname);
  if (!writes || typeof env.WRITE_LIMIT?.limit !== "function" || (EVENTS.test(url.pathname) && senderOf(visit)?.kind === "server")) {
    return undefined;
  }
  try {
    const { success } = await env.WRITE_LIMIT.limit({ key: await keyOf(visit) });
    if (success) {
      return undefined;
    }
  } catch (error) {
    log("error", "no_limit", "the rate limit can't be asked", { error, site: site.id });
    return undefined;
  }
  count(visit, "rate_limited");
  return failure(429, "rate_limited", "Too many requests. Please try again later.", { "retry-after": String(PERIOD), vary: "origin", ...readable(visit) });
}
