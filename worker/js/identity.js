// Logging in and out. A browser may say who its visitor is, and that is written (events); it reads what is known of that user only with a
// token that the site's server signed. From then on its projection is the user's, until it logs out, or for thirty days.

import { bodyOf, failed, isPreview, provenBy } from "./asked.js";
import { answerWith, storedAfter, withSlots } from "./consent.js";
import { shortDigest } from "./digest.js";
import { newId } from "./host.js";
import { decide } from "./instance.js";
import { give, hasProfiles, projectionFor } from "./profiles/shards.js";
import { dropped, refreshed, slotsChanged, visitorOf } from "./projection.js";
import { whatFollows, visitAfter } from "./settled.js";
import { ID, MAX_AGE_S, PROJECTION, choiceOf, cookieOf, keysOf, setCookie, signedId, wordsOf } from "./visitor.js";

/** A name of the log-in: the same token of the same browser is one. */
const messageIdOf = async (token, id) => `identity-${await shortDigest(`${id}\n${token}`)}`;

async function logIn(visit, response) {
  const { env, site } = visit;
  if (wordsOf(env.IDOINE_IDENTITY_SECRET).length === 0 || keysOf(env).length === 0 || !hasProfiles(env)) {
    return failed(response, 501, "no_identities", "Nobody can log in: IDOINE_KEY, IDOINE_IDENTITY_SECRET or the binding PROFILES is not set.");
  }
  const { body, refused } = await bodyOf(visit, response, ["token"]);
  if (refused !== undefined) {
    return refused;
  }
  const { token } = body;
  if (token === undefined) {
    return failed(response, 400, "bad_request", 'Expected {"token": ".."}.');
  }
  const visitor = await visitorOf(visit);
  if (!visitor?.purposes.includes("personalization")) {
    return failed(response, 403, "no_consent", "The visitor did not agree to personalization: nothing is known of them.");
  }
  const { user, refused: unproven } = await provenBy(visit, response, token);
  if (unproven !== undefined) {
    return unproven;
  }
  const now = Date.now();
  const { id: anonymousId, purposes } = visitor;
  const said = { messageId: await messageIdOf(token, anonymousId), type: "identify", anonymousId, userId: user, timestamp: now, receivedAt: now };
  const event = { ...said, site: site.id, source: "identity", trusted: true, consent: purposes };
  const own = { anonymousId, user, statement: choiceOf(visit.request) };
  const { statuses, projection, told } = await give(visit, [{ event, keep: purposes.includes("analytics"), fold: true }], { own });
  if (statuses.includes("failed") || projection === undefined) {
    return failed(response, 503, "unavailable", "The user's profile can't be read at the moment. Please try again later.", { "retry-after": "10" });
  }
  const { cookies, slots } = await whatFollows(visit, visitor, { projection, told }, true);
  return answerWith(response, withSlots(await storedAfter(visit, cookies), slots), cookies);
}

async function logOut(visit, response) {
  const { env } = visit;
  const visitor = await visitorOf(visit);
  const cookies = cookieOf(visit.request, PROJECTION) === undefined ? [] : [dropped(visit)];
  let slots = [];
  if (visitor !== undefined && visitor.purposes.length > 0) {
    const id = newId();
    const [secret] = keysOf(env);
    cookies.push(setCookie(visit, ID, secret === undefined ? id : await signedId(secret, id), MAX_AGE_S));
    if (secret !== undefined && hasProfiles(env) && visitor.purposes.includes("personalization")) {
      const projection = await projectionFor(visit, { anonymousId: id });
      const after = visitAfter(visit, cookies);
      // What takes it away must not come behind what sets it.
      const fresh = projection === undefined ? [] : await refreshed(after, { id, isOld: false, opened: undefined }, projection);
      if (fresh.length > 0) {
        cookies.splice(0, cookies.length - 1);
      }
      cookies.push(...fresh);
      // Where nobody says what is known of the new one, nothing is.
      slots = slotsChanged(visit, visitor, projection ?? new Uint8Array());
    }
  }
  return answerWith(response, withSlots(await storedAfter(visit, cookies), slots), cookies);
}

/** The answer to a request that logs a visitor in or out. */
export async function identity(visit) {
  const response = await decide(visit);
  const { method } = visit.request;
  if (response?.status !== 200 || !["POST", "DELETE"].includes(method)) {
    return response;
  }
  if (isPreview(visit)) {
    return answerWith(response, await storedAfter(visit, []), []);
  }
  return method === "POST" ? logIn(visit, response) : logOut(visit, response);
}
