// What visitors ask for of what is stored of them: all that is held, and that what is wrong is corrected.

import { failure } from "./answer.js";
import { askedBy, bodyOf, failed, isPreview } from "./asked.js";
import { answerWith, storedAfter, withSlots } from "./consent.js";
import { decide } from "./instance.js";
import { isMap } from "./json.js";
import { chunksOf, heldOf } from "./profiles/held.js";
import { accepts, prepare } from "./profiles/learn.js";
import { placeIn } from "./profiles/lines.js";
import { anonymousKey, userKey } from "./profiles/links.js";
import { give, hasProfiles } from "./profiles/shards.js";
import { whatFollows } from "./settled.js";
import { choiceOf, hasKey } from "./visitor.js";

/** The source of what a visitor corrects; the core lets it count before all others. */
const VISITOR = "visitor";

/** Who asks, as `askedBy` has it, where profiles are kept. */
async function known(visit, response, fields) {
  const { env } = visit;
  if (!hasKey(env) || !hasProfiles(env)) {
    return { refused: failed(response, 501, "no_profiles", "No profiles are kept: IDOINE_KEY or the binding PROFILES is not set.") };
  }
  return askedBy(visit, response, fields);
}

/**
 * What an export is asked for by its body, as options of `heldOf`; or what is wrong with it: status, code, words. A page of the lines in the
 * bucket has a cursor, `after`, and is nothing but lines.
 */
function wantedBy(site, { exported, after }) {
  if (after === undefined) {
    return { options: { exported } };
  }
  const place = typeof after === "string" && exported !== false ? placeIn(site, after) : undefined;
  return place === undefined ? { wrong: [400, "bad_cursor", "`after` is the `next` of the answer before, and goes with the lines in the bucket."] } : { options: { after: place } };
}

/** What is held, as a file. */
export function heldFile(held, headers = {}) {
  const chunks = chunksOf(held);
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (done) {
        controller.close();
      } else {
        controller.enqueue(encoder.encode(value));
      }
    },
    cancel: () => chunks.return(),
  });
  return new Response(body, { headers: { ...headers, "content-type": "application/json", "content-disposition": 'attachment; filename="idoine-export.json"', "cache-control": "private, no-store" } });
}

/** The answer to a visitor who wants all that is held of them. */
export async function exported(visit) {
  const response = await decide(visit);
  if (visit.request.method !== "POST" || response?.status !== 200) {
    return response;
  }
  const { visitor, anonymousId, user, body, refused } = await known(visit, response, ["token", "exported", "after", "anonymousId"]);
  if (refused !== undefined) {
    return refused;
  }
  const { options, wrong } = wantedBy(visit.site.id, body);
  if (wrong !== undefined) {
    return failed(response, ...wrong);
  }
  const key = user !== undefined ? userKey(user) : anonymousId && anonymousKey(anonymousId);
  if (key === undefined || isPreview(visit)) {
    return failed(response, 404, "nothing_held", "Nothing is held of this browser's visitor.");
  }
  const held = await heldOf(visit, key, { browser: visitor?.id, choice: choiceOf(visit.request), ...options });
  return held === undefined ? failed(response, 503, "unavailable", "What is held can't be read at the moment. Please try again later.", { "retry-after": "10" }) : heldFile(held, Object.fromEntries(response.headers));
}

/** A value as an event's trait has it; undefined for what no trait can be. Lists are written with commas. */
function valueOf(value) {
  if (value === null || ["boolean", "number", "string"].includes(typeof value)) {
    return value === "" ? undefined : value;
  }
  const isList = Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "" && !item.includes(","));
  return isList ? (value.length === 0 ? null : value.join(",")) : undefined;
}

/** What is wrong with corrections: status, code, words; undefined when nothing is. */
function wrongWith(site, traits, { editable = [], traits: purposes = {} } = {}, agreed) {
  const names = isMap(traits) ? Object.keys(traits) : [];
  if (names.length === 0) {
    return [400, "bad_request", 'Expected {"traits": {"name": value}} with one trait at least; null takes a value away.'];
  }
  const fixed = names.find((name) => !editable.includes(name));
  if (fixed !== undefined) {
    return [400, "not_editable", `The trait \`${fixed.slice(0, 64)}\` is none that visitors may change.`];
  }
  const isValue = (value, name) => value === null || (value !== undefined && accepts(site, name, value));
  const odd = names.find((name) => !isValue(valueOf(traits[name]), name));
  if (odd !== undefined) {
    return [400, "bad_value", `That is no value of \`${odd}\`: expected one of its type, and of those that it can have, or null.`];
  }
  const denied = names.find((name) => !agreed.includes(purposes[name]));
  return denied === undefined ? undefined : [403, "no_consent", `The visitor did not agree to ${purposes[denied]}, which \`${denied}\` is for.`];
}

/** The answer to a visitor who says what their traits are, or that they are to be none. */
async function corrected(visit) {
  const response = await decide(visit);
  if (visit.request.method !== "POST" || response?.status !== 200) {
    return response;
  }
  const { env, ctx, site } = visit;
  const { visitor, user, body, refused } = await known(visit, response, ["traits", "token"]);
  if (refused !== undefined) {
    return refused;
  }
  // Without personalization nothing is folded, whatever a trait is for.
  const agreed = visitor?.purposes.includes("personalization") ? visitor.purposes : [];
  const program = await prepare(env, ctx, site.id);
  const wrong = wrongWith(site.id, body.traits, program?.consent, agreed);
  if (wrong !== undefined) {
    return failed(response, ...wrong);
  }
  if (isPreview(visit)) {
    return answerWith(response, await storedAfter(visit, []), []);
  }
  const now = Date.now();
  const traits = Object.fromEntries(Object.entries(body.traits).map(([name, value]) => [name, valueOf(value)]));
  const who = { anonymousId: visitor.id, ...((user ?? visitor.user) && { userId: user ?? visitor.user }) };
  const event = { messageId: crypto.randomUUID(), type: "identify", ...who, timestamp: now, receivedAt: now, traits, site: site.id, source: VISITOR, trusted: false, consent: agreed };
  const own = { anonymousId: visitor.id, ...(visitor.user && { user: visitor.user }), statement: choiceOf(visit.request) };
  const given = await give(visit, [{ event, keep: agreed.includes("analytics"), fold: true }], { own });
  if (given.statuses.includes("failed") || given.projection === undefined) {
    return failed(response, 503, "unavailable", "It could not be kept at the moment. Please try again later.", { "retry-after": "10" });
  }
  const { cookies, slots } = await whatFollows(visit, visitor, given);
  return answerWith(response, withSlots(await storedAfter(visit, cookies), slots), cookies);
}

/** The answer to a request for what is stored of a visitor: the Rust side reads it, and corrections are written here. */
export const profile = (visit) => (visit.request.method === "POST" ? corrected(visit) : decide(visit));

/** The answer to an owner who exports a profile: the Rust side looked at the token, has noted it, and says whose it is and which profile. */
export async function exportedFor(visit) {
  const response = await decide(visit);
  const [by, key] = ["x-idoine-by", "x-idoine-key"].map((name) => decodeURIComponent(response?.headers.get(name) ?? ""));
  if (response?.status !== 200 || key === "") {
    return response;
  }
  const { body, refused } = await bodyOf(visit, new Response(), ["exported", "after"]);
  if (refused !== undefined) {
    return refused;
  }
  const { options, wrong } = wantedBy(visit.site.id, body);
  if (wrong !== undefined) {
    return failure(...wrong);
  }
  const held = await heldOf(visit, key, { by, ...options });
  if (held === undefined) {
    return failure(503, "unavailable", "Not all of the shards answered: try again.", { "retry-after": "1" });
  }
  return held === null ? failure(404, "no_profile", "There is no such profile.") : heldFile(held);
}
