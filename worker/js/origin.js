// Passing a request on to the origin of its site (sites.js) and its answer back.

import { plain } from "./answer.js";
import { became, count } from "./counters.js";
import { log } from "./log.js";
import { timed } from "./observe.js";

/** Headers of one connection rather than of the message (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Sites of this kind that the request has come through already. */
const VIA = "x-idoine-via";

/** The path that the origin's URL puts before every path of the site; empty for most. */
function basePath(base) {
  return base.pathname.replace(/\/+$/, "");
}

/** The origin's URL for a URL of the site. Assigned part by part: parsing it anew would take `//host/` for another host. */
function targetOf({ base }, url) {
  if (base === undefined) {
    return url;
  }
  const target = new URL(base);
  target.pathname = basePath(base) + url.pathname;
  target.search = url.search;
  target.hash = "";
  return target;
}

function dropHopByHop(headers) {
  for (const name of (headers.get("connection") ?? "").split(",")) {
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name.trim())) {
      headers.delete(name.trim());
    }
  }
  for (const name of HOP_BY_HOP) {
    headers.delete(name);
  }
}

/** A `Cookie` header without our own cookies, which are none of the origin's business; undefined when nothing is left. */
function foreignCookies(header) {
  const pairs = header.split(";");
  const kept = pairs.filter((pair) => !pair.trimStart().startsWith("idoine_"));
  return kept.length === pairs.length ? header : kept.join(";").trim() || undefined;
}

/** An `Accept-Encoding` that names only what can be decoded here, for a page that will be edited. */
function decodable(header) {
  const kept = (header ?? "").split(",").filter((coding) => /^\s*(?:gzip|br)\s*(?:;|$)/i.test(coding));
  return kept.map((coding) => coding.trim()).join(", ") || "identity";
}

function headersFor({ request, site, overrides }, url, willEdit, change) {
  const headers = new Headers(request.headers);
  const websocket = headers.get("upgrade")?.toLowerCase() === "websocket";
  dropHopByHop(headers);
  if (websocket) {
    headers.set("upgrade", "websocket");
  }
  headers.delete("host");
  headers.set("x-forwarded-host", url.host);
  headers.set("x-forwarded-proto", url.protocol.slice(0, -1));
  headers.append(VIA, viaOf(site));
  const cookie = headers.get("cookie");
  if (cookie !== null) {
    const rest = foreignCookies(cookie);
    if (rest === undefined) {
      headers.delete("cookie");
    } else {
      headers.set("cookie", rest);
    }
  }
  if (willEdit) {
    headers.set("accept-encoding", decodable(headers.get("accept-encoding")));
  }
  if (willEdit || overrides !== undefined) {
    // "Not modified" would be about the origin's page, and leave another visitor's or an earlier edit of it on the screen;
    // and to who previews it would be an answer that may be kept.
    headers.delete("if-none-match");
    headers.delete("if-modified-since");
  }
  change?.(headers);
  return headers;
}

/** A site's name in a header. */
function viaOf(site) {
  return site.id.replace(/[^\w.-]/g, "_");
}

/**
 * A redirect of the origin to itself leads the visitor to the site, not past it. `target` is the URL that was asked of
 * the origin, which relative ones are relative to.
 */
function mapLocation(location, origin, target, url) {
  const base = basePath(origin);
  const isPath = /^[\\/](?![\\/])/.test(location);
  const isAbsolute = /^(?:[a-z][a-z0-9+.-]*:|[\\/]{2})/i.test(location);
  if (!isAbsolute && !(isPath && base !== "")) {
    return location; // It holds as it is.
  }
  let to;
  try {
    to = new URL(location, target);
  } catch {
    return location;
  }
  if (to.origin !== origin.origin || !(to.pathname === base || to.pathname.startsWith(`${base}/`))) {
    return location;
  }
  const mapped = (to.pathname.slice(base.length) || "/") + to.search + to.hash;
  // A path that begins with two slashes would be another host's name.
  return isPath && !mapped.startsWith("//") ? mapped : url.origin + mapped;
}

/** The answer as a visitor may have it; the very same object wherever nothing must change. */
function answer(response, { base }, target, url) {
  const location = response.headers.get("location");
  const mapped = location === null || base === undefined ? location : mapLocation(location, base, target, url);
  if (response.status === 101 || (mapped === location && !HOP_BY_HOP.some((name) => response.headers.has(name)))) {
    return response;
  }
  const changed = new Response(response.body, response);
  dropHopByHop(changed.headers);
  if (mapped !== null) {
    changed.headers.set("location", mapped);
  }
  return changed;
}

/**
 * Asks again, once, what failed before an answer came, where that changes nothing: a connection that the origin has closed in the
 * meantime is most of what fails. Nobody waits longer than for the origin itself.
 */
async function twice(visit, { method, headers, signal }, fetch) {
  try {
    return await fetch();
  } catch (error) {
    if (!["GET", "HEAD"].includes(method) || headers.has("upgrade") || signal?.aborted) {
      throw error;
    }
    count(visit, "origin_retries");
    return fetch();
  }
}

/**
 * Sends a visit's request on to the origin. `url` is what is asked for, without what is ours; `willEdit` says that an HTML answer
 * is going to be edited, so that it must come whole and in an encoding that can be decoded; `signal` ends it; `change` has the last word on its headers.
 */
export async function passOn(visit, url, willEdit, signal, change) {
  const { request, site } = visit;
  const { origin } = site;
  if (origin === undefined) {
    log("error", "no_origin", "no origin is configured for this host name", { site: site.id });
    became(visit, "failed", "no_origin");
    return plain(502, "No origin is configured for this site.");
  }
  const via = request.headers.get(VIA) ?? "";
  if (via.split(",").some((name) => name.trim() === viaOf(site))) {
    became(visit, "failed", "loop");
    return plain(508, "The origin of this site leads back to the site.");
  }
  const target = targetOf(origin, url);
  const init = { method: request.method, headers: headersFor(visit, url, willEdit, change), body: request.body, redirect: "manual", signal };
  let response;
  try {
    response = await timed(visit, "origin", () => twice(visit, init, () => origin.fetch(target, init)));
  } catch (error) {
    if (signal?.aborted) {
      throw error;
    }
    log("error", "origin_unreachable", "the origin can't be reached", { error, site: site.id });
    became(visit, "failed", "origin_unreachable");
    return plain(502, "The site can't be reached at the moment. Please try again.");
  }
  return answer(response, origin, target, url);
}

/** As `passOn`, for an answer that may turn out not to be wanted: `answer` is a promise of it, `drop` gives it up. */
export function ask(visit, url, willEdit) {
  const controller = new AbortController();
  const answer = passOn(visit, url, willEdit, controller.signal);
  // Should it fail, whoever waits for it finds out; perhaps nobody does.
  answer.catch(() => {});
  return { answer, drop: () => controller.abort() };
}
