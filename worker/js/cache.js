// The origin's pages, kept once for everyone and personalised after. Who may be given a kept page, and which pages may be kept, is
// decided here; when they are fresh, in freshness.js.

import { digest } from "./digest.js";
import { gather, LARGEST } from "./gather.js";
import { isNewEnough, usableFor, wishesOf } from "./freshness.js";
import { begun, count, find, forget, keep } from "./kept.js";
import { log } from "./log.js";
import { passOn } from "./origin.js";
import { isRewritable } from "./rewrite.js";
import { disown, freshPage, recallVariant, remember } from "./variants.js";

/** The shape of what is kept; raised with it, so that what an older Worker kept is not found. */
const SHAPE = 1;

/** How long an isolate takes it for granted that someone who set out to renew a page is still at it. */
const RENEWAL_MS = 30_000;

/** What of a kept page is not the page's: how its bytes came here, and what a cache says of it. */
const NOT_KEPT = ["age", "connection", "content-encoding", "content-length", "keep-alive", "set-cookie", "transfer-encoding"];

/** What describes bytes that were decoded meanwhile. */
const OF_ENCODED = ["content-digest", "content-md5", "digest", "etag", "repr-digest"];

/**
 * Headers that browsers, crawlers and the network send by themselves. With any other one an origin might be made to say something
 * that the next visitor must not hear (`X-Original-URL`), or would be asked for something else than the page (`HX-Request`). Of those
 * of Cloudflare some say who someone is: by Access, and by a certificate.
 */
const USUAL = new RegExp(
  `^(?:sec-.*|cf-(?!access-|client-cert).*|accept|accept-(?:charset|encoding|language)|alt-used|authorization|baggage|cache-control|cdn-loop|connection|cookie|` +
    `device-memory|dnt|downlink|dpr|early-data|ect|from|host|if-modified-since|if-none-match|keep-alive|pragma|priority|purpose|referer|` +
    `rtt|save-data|te|traceparent|tracestate|true-client-ip|upgrade-insecure-requests|user-agent|via|viewport-width|width|` +
    `x-forwarded-(?:for|host|proto)|x-idoine-via|x-moz|x-purpose|x-real-ip)$`,
);

/** Answers of a page in a row that were not to be kept, after which it is not looked for. */
const ENOUGH = 3;

/** How long it is not, in milliseconds. */
const PAUSE_MS = 30_000;

/** Pages of which an isolate remembers that; and characters of the place of one. */
const [MOST_PAUSED, LONGEST_PLACE] = [1000, 2048];

/** Pages whose answers were not to be kept, by their places, the one first that was so first: how `often`, and `until` when none is looked for. */
const unkept = new Map();

/** Headers that are the same for all who may be given a page, or take no part in it once it is decoded. */
const ALIKE = new Set(["accept-encoding", "authorization", "cookie", "host", "x-forwarded-host", "x-forwarded-proto", "x-idoine-via"]);

/** Names of cookies as a variable lists them; `*` at the end stands for any ending. */
function matcher(list) {
  const names = String(list ?? "").split(/[\s,;]+/).filter(Boolean);
  return (name) => names.some((one) => (one.endsWith("*") ? name.startsWith(one.slice(0, -1)) : name === one));
}

/** Whether a `Cookie` header has a cookie that the origin's page may depend on. */
function hasOthersCookies(header, env) {
  const isIgnored = matcher(env.IDOINE_CACHE_COOKIES);
  return header
    .split(";")
    .map((pair) => pair.trim())
    .some((pair) => pair !== "" && !pair.startsWith("idoine_") && !isIgnored(pair.split("=", 1)[0].trim()));
}

/** Why the page cache has no part in a visit; undefined when it has. */
function reasonToBypass({ request: { headers, body }, env, overrides }, wishes) {
  const reasons = {
    off: String(env.IDOINE_CACHE ?? "").toLowerCase() === "off",
    preview: overrides !== undefined,
    // What a script asks for may be a part of the page, whatever headers it says so by.
    script: headers.get("sec-fetch-dest") === "empty",
    accept: !/text\/html|application\/xhtml\+xml|\*\/\*/i.test(headers.get("accept") ?? "*/*"),
    authorization: headers.has("authorization"),
    cookie: hasOthersCookies(headers.get("cookie") ?? "", env),
    header: [...headers.keys()].some((name) => !USUAL.test(name)),
    body: body !== null,
    no_store: wishes.noStore,
  };
  return Object.keys(reasons).find((reason) => reasons[reason]);
}

/**
 * A visit's place in the cache under the program that decides: its `key`, or why the cache has no part in it (`bypass`). The
 * program's version is part of the key, so that what was kept before it was published is out of reach.
 */
export async function placeOf(visit, version) {
  const wishes = wishesOf(visit.request.headers);
  const bypass = reasonToBypass(visit, wishes);
  if (bypass !== undefined) {
    return { bypass };
  }
  const { site, url } = visit;
  visit.place = JSON.stringify([SHAPE, site.id, version, site.origin?.base?.href ?? "", url.href]);
  const known = unkept.get(visit.place);
  // Looking costs a page more than all the rest of it; where there is never anything, once in a while is enough.
  if (known !== undefined && known.often >= ENOUGH && Date.now() < known.until) {
    return { bypass: "not_kept" };
  }
  return { key: await digest(visit.place), wishes };
}

/** Remembers that the answer of a visit's page was not to be kept. */
function pause({ place }) {
  if (place.length <= LONGEST_PLACE) {
    const often = (unkept.get(place)?.often ?? 0) + 1;
    unkept.delete(place);
    unkept.set(place, { often, until: Date.now() + PAUSE_MS });
    if (unkept.size > MOST_PAUSED) {
      unkept.delete(unkept.keys().next().value);
    }
  }
}

/** Notes how a visit's page came about: "hit", "variant", "stale", "miss", or "bypass" for a reason. */
export function noteOutcome(visit, [cache, reason]) {
  visit.cache = cache;
  count(cache, reason);
}

/** Whether what is kept is the answer to a request, by what its `Vary` says. */
const isFor = ({ without }, { headers }) => !without.some((name) => headers.has(name));

/** The page of a visit as it was edited before; undefined when that is not kept. `name` makes the plan's. */
export async function variantFor(visit, { key, wishes }, name) {
  try {
    const page = wishes.noCache ? undefined : freshPage(key);
    const suits = page !== undefined && isFor(page, visit.request) && isNewEnough(wishes, page, Date.now());
    return suits ? await recallVariant(visit, key, page, await name()) : undefined;
  } catch (error) {
    log("error", "variant_unreadable", "a page that is kept can't be read", { error, site: visit.site.id });
    return undefined;
  }
}

/**
 * The origin's page, kept or asked for: `answer` is a promise of the `response`, of its `outcome`, and of the page's `generation`
 * where it is kept and fresh; `drop` gives it up. `place` is a promise of the visit's.
 */
export function obtain(visit, place) {
  const controller = new AbortController();
  const answer = obtained(visit, place, controller.signal);
  // Should it fail, whoever waits for it finds out; perhaps nobody does.
  answer.catch(() => {});
  const drop = () => {
    controller.abort();
    answer.then(({ response }) => response.body?.cancel()).catch(() => {});
  };
  return { answer, drop };
}

async function obtained(visit, place, signal) {
  const { bypass, key, wishes, kept, isAlike } = await lookUp(visit, place);
  if (bypass !== undefined) {
    return { response: await passOn(visit, visit.url, true, signal), outcome: ["bypass", bypass] };
  }
  const now = Date.now();
  if (kept !== undefined && now < kept.note.fresh) {
    remember(key, kept.note);
    return { response: restored(kept, now), outcome: ["hit"], generation: kept.note.generation };
  }
  if (kept !== undefined && now < kept.note.stale) {
    visit.ctx.waitUntil(renew(visit, key, kept.note));
    return { response: restored(kept, now), outcome: ["stale"] };
  }
  const response = await askForAll(visit, signal);
  if (kept !== undefined && response.status >= 500 && now < kept.note.error) {
    response.body?.cancel().catch(() => {});
    return { response: restored(kept, now), outcome: ["stale"] };
  }
  kept?.body?.cancel().catch(() => {});
  // At a reload nobody has looked whether something is kept.
  const known = isAlike || wishes.noCache;
  return { response: keptBeside(visit, key, response, now, known), outcome: wishes.noCache ? ["bypass", "reload"] : ["miss"] };
}

/**
 * What the cache says to a visit. `kept` is the page, where it suits the request; `isAlike` says that something is kept that is
 * the answer to such requests, if a newer one than the visitor wishes for.
 */
async function lookUp(visit, placed) {
  try {
    const place = await placed;
    const found = place.bypass === undefined && !place.wishes.noCache ? await find(place.key) : null;
    if (found === undefined) {
      return { bypass: "unavailable" };
    }
    const isAlike = found !== null && isFor(found.note, visit.request);
    if (isAlike && isNewEnough(place.wishes, found.note, Date.now())) {
      const body = await begun(found.body);
      return body === undefined ? { bypass: "unreadable" } : { ...place, isAlike, kept: { ...found, body } };
    }
    found?.body?.cancel().catch(() => {});
    return { ...place, isAlike };
  } catch (error) {
    log("error", "page_cache_failed", "the page cache is left out", { error, site: visit.site.id });
    return { bypass: "failed" };
  }
}

/** A kept page as if the origin had sent it. */
function restored({ note: { born, headers, statusText }, body }, now) {
  const age = String(Math.max(0, Math.floor((now - born) / 1000)));
  return new Response(body, { status: 200, statusText, headers: [...headers, ["age", age]] });
}

/** Asks the origin for a page that others may be given: without a cookie. */
function askForAll(visit, signal, validators = {}) {
  return passOn(visit, visit.url, true, signal, (headers) => {
    headers.delete("cookie");
    for (const [name, value] of Object.entries(validators)) {
      headers.set(name, value);
    }
  });
}

/** Names of `Vary` that a request must not have, so that it is as the one whose answer is kept; undefined when that would not do. */
function varying(headers, request) {
  const names = (headers.get("vary") ?? "").toLowerCase().split(",").map((name) => name.trim());
  const rest = names.filter((name) => name !== "" && !ALIKE.has(name));
  return rest.every((name) => /^[\w!#$%&'+.^`|~-]+$/.test(name) && !request.headers.has(name)) ? rest : undefined;
}

/** The note of an answer that may be kept, as far as its head tells; else the `reason`. */
function noteOf({ request }, response, asked) {
  const { headers, status, statusText } = response;
  if (status !== 200 || !isRewritable(response)) {
    return { reason: "no_page" };
  }
  if (headers.has("set-cookie")) {
    return { reason: "set_cookie" };
  }
  if (["content-security-policy", "content-security-policy-report-only"].some((name) => /nonce-/i.test(headers.get(name) ?? ""))) {
    return { reason: "nonce" };
  }
  // Other bytes are not read as they are written.
  if (![statusText, ...headers.values()].every((value) => /^[\t\x20-\x7e]*$/.test(value))) {
    return { reason: "headers" };
  }
  const without = varying(headers, request);
  if (without === undefined) {
    return { reason: "vary" };
  }
  if (Number(headers.get("content-length")) > LARGEST) {
    return { reason: "too_large" };
  }
  const usable = usableFor(headers, asked, Date.now());
  const left = headers.has("content-encoding") ? [...NOT_KEPT, ...OF_ENCODED] : NOT_KEPT;
  const told = { "if-none-match": headers.get("etag"), "if-modified-since": headers.get("last-modified") };
  return {
    ...usable,
    without,
    statusText,
    generation: crypto.randomUUID(),
    validators: Object.fromEntries(Object.entries(told).filter(([, value]) => value !== null)),
    headers: [...headers].filter(([name]) => !left.includes(name)),
  };
}

/** An answer of the origin, kept beside the visitor who gets it if it may be. `known`: something is kept in its place, or may be. */
function keptBeside(visit, key, response, asked, known) {
  try {
    const note = noteOf(visit, response, asked);
    if (note.reason !== undefined) {
      refuse(visit, key, note.reason, known && response.status < 500);
      return response;
    }
    const [forVisitor, forCache] = response.body.tee();
    visit.ctx.waitUntil(store(visit, key, note, forCache, known));
    return new Response(forVisitor, response);
  } catch (error) {
    log("error", "page_not_kept", "a page can't be kept", { error, site: visit.site.id });
    return response;
  }
}

/** Counts why a page is not kept; what was kept in its place is no longer right. */
function refuse(visit, key, reason, known) {
  count("not_kept", reason);
  pause(visit);
  if (known) {
    disown(key);
    visit.ctx.waitUntil(forget(key));
  }
}

async function store(visit, key, note, stream, known) {
  const { bytes, reason } = await gather(stream, true);
  if (bytes === undefined) {
    // How a body comes says nothing of what is kept already.
    refuse(visit, key, reason, known && reason !== "broke_off" && reason !== "too_slow");
  } else {
    await put(visit, key, note, bytes);
  }
}

async function put({ place }, key, note, bytes) {
  const reason = await keep(key, bytes, note, Math.max(note.fresh, note.stale, note.error));
  if (reason === undefined) {
    remember(key, note);
    unkept.delete(place);
    count("kept", "pages");
  } else {
    count("not_kept", reason);
  }
}

/** When someone set out to renew a page, by its key. */
const renewing = new Map();

/** Asks for a page anew that went out stale. Never rejects. */
async function renew(visit, key, note) {
  const asked = Date.now();
  const since = renewing.get(key);
  if (since !== undefined && asked - since < RENEWAL_MS) {
    return;
  }
  renewing.set(key, asked);
  try {
    // What happens from here on is no part of what became of the visitor's page.
    const aside = { ...visit, counts: {}, times: {}, pending: [] };
    const response = await askForAll(aside, undefined, note.validators);
    if (response.status === 304) {
      await confirm(visit, key, note, response, asked);
    } else if (response.status >= 500) {
      response.body?.cancel().catch(() => {});
    } else {
      const renewed = noteOf(visit, response, asked);
      if (renewed.reason === undefined) {
        await store(visit, key, renewed, response.body, true);
      } else {
        response.body?.cancel().catch(() => {});
        refuse(visit, key, renewed.reason, true);
      }
    }
    count("renewed");
  } catch (error) {
    log("error", "page_not_renewed", "a page can't be renewed", { error, site: visit.site.id });
  } finally {
    renewing.delete(key);
  }
}

/** Keeps on what the origin says has not changed, with what it says of it now (RFC 9111, section 4.3.4). */
async function confirm(visit, key, note, response, asked) {
  const found = await find(key);
  if (!found || found.note.generation !== note.generation) {
    found?.body?.cancel().catch(() => {});
    return;
  }
  const headers = new Headers(note.headers);
  for (const [name, value] of response.headers) {
    if (!name.startsWith("content-") || name.startsWith("content-security-policy")) {
      headers.set(name, value);
    }
  }
  const bytes = new Uint8Array(await new Response(found.body).arrayBuffer());
  const confirmed = noteOf(visit, new Response(bytes, { status: 200, statusText: note.statusText, headers }), asked);
  if (confirmed.reason === undefined) {
    const validators = { ...note.validators, ...confirmed.validators };
    await put(visit, key, { ...confirmed, validators }, bytes);
  } else {
    refuse(visit, key, confirmed.reason, true);
  }
}
