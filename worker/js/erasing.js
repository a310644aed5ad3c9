// A visitor has all that is stored of them erased, within their own session: what their browser's id and, where they are logged in, their
// user are known of. A session alone is not enough for a user's (asked.js), so that nobody who finds a browser open can do that.

import { askedBy, failed, isPreview } from "./asked.js";
import { PURPOSES, writeChoice } from "./choice.js";
import { answerWith } from "./consent.js";
import { decide } from "./instance.js";
import { log } from "./log.js";
import { eraseAll, keysOf as profilesOf } from "./profiles/erase.js";
import { prepare } from "./profiles/learn.js";
import { callShard, hasProfiles, shardOf } from "./profiles/shards.js";
import { dropped } from "./projection.js";
import { CONSENT, ID, MAX_AGE_S, PROJECTION, cookieOf, hasKey, readableCookie, setCookie } from "./visitor.js";

/** The cookie that says that all was withdrawn; none where nothing was ever chosen. */
async function withdrawn(visit) {
  if (cookieOf(visit.request, CONSENT) === undefined) {
    return [];
  }
  const version = (await prepare(visit.env, visit.ctx, visit.site.id))?.consent?.version ?? 1;
  const choice = Object.fromEntries(PURPOSES.map((purpose) => [purpose, "withdrawn"]));
  return [readableCookie(visit, CONSENT, writeChoice({ choice, version, at: Date.now(), by: "visitor" }), MAX_AGE_S)];
}

/** Has what was kept for purposes erased, where a page keeps the choice itself; the receipt. Rejects where the shard can't be told. */
async function takenBack({ env, site }, keys, purposes) {
  const id = crypto.randomUUID();
  await callShard(env, site.id, await shardOf(keys[0]), "own", "erase", { id, keys, purposes, what: `withdrawn: ${purposes.join(", ")}` });
  return id;
}

/** The answer to a request that has what is stored of its visitor erased. */
export async function erasing(visit) {
  const response = await decide(visit);
  if (response?.status !== 200 || visit.request.method !== "POST") {
    return response;
  }
  if (isPreview(visit)) {
    return failed(response, 403, "forbidden", "In a preview nothing is erased.");
  }
  const { anonymousId, user, body, refused } = await askedBy(visit, response, ["token", "anonymousId", "purposes"]);
  if (refused !== undefined) {
    return refused;
  }
  // Without a secret any id is one: nobody could prove that it is theirs.
  const keys = hasKey(visit.env) && hasProfiles(visit.env) ? profilesOf({ anonymousId, user }) : [];
  let receipt;
  try {
    if (body.purposes !== undefined) {
      receipt = keys.length === 0 ? null : await takenBack(visit, keys, body.purposes);
      return answerWith(response, { receipt, erased: true }, []);
    }
    // Of an id that a client made up, what it did in a user's name is with that user alone.
    receipt = keys.length === 0 ? null : await eraseAll(visit.env, visit.site.id, keys, body.anonymousId === undefined);
  } catch (error) {
    log("error", "not_erased", "a shard could not be told of an erasure; that is tried again", { error, site: visit.site.id });
    return failed(response, 503, "unavailable", "It could not be erased at the moment. Please try again later.", { "retry-after": "10" });
  }
  const cookies = [ID, PROJECTION].filter((name) => cookieOf(visit.request, name) !== undefined).map((name) => (name === PROJECTION ? dropped(visit) : setCookie(visit, name, "", 0)));
  return answerWith(response, { receipt, erased: true }, [...cookies, ...(await withdrawn(visit))]);
}
