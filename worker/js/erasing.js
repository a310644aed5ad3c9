// A visitor has all that is stored of them erased, within their own session: what their browser's id and, where they are logged in, their
// user are known of. A session alone is not enough for a user's: the identity token is to be made anew, so that nobody who finds a browser open
// can do that.

import { failure } from "./answer.js";
import { PURPOSES } from "./choice.js";
import { answerWith } from "./consent.js";
import { readBody } from "./host.js";
import { decide } from "./instance.js";
import { isMap } from "./json.js";
import { log } from "./log.js";
import { eraseAll, keysOf as profilesOf } from "./profiles/erase.js";
import { prepare } from "./profiles/learn.js";
import { hasProfiles } from "./profiles/shards.js";
import { dropped } from "./projection.js";
import { openedFor } from "./sealed.js";
import { userOf } from "./token.js";
import { CONSENT, ID, MAX_AGE_S, PROJECTION, cookieOf, hasKey, idOf, readableCookie, setCookie, wordsOf } from "./visitor.js";

/** Bytes of a body. */
const LARGEST = 16 * 1024;

/** A failure with the headers by which pages of the site's other hosts may read it. */
const failed = (response, status, code, message, more = {}) => failure(status, code, message, { ...Object.fromEntries(response.headers), ...more });

/** What a body says: `{}` where there is none, undefined where it is no object. */
function bodyOf(bytes) {
  if (bytes.length === 0) {
    return {};
  }
  try {
    const body = JSON.parse(new TextDecoder().decode(bytes));
    return isMap(body) && (body.token === undefined || typeof body.token === "string") ? body : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Who asks within their session: `{ anonymousId, user }`, each where it is known, or a `refusal`. Whoever is logged in proves it once more.
 */
export async function proven(visit, response) {
  const { request, env, site } = visit;
  const bytes = Number(request.headers.get("content-length")) > LARGEST ? undefined : await readBody(request, LARGEST);
  if (bytes === undefined) {
    return { refusal: failed(response, 413, "too_large", `The body is larger than ${LARGEST / 1024} KB.`) };
  }
  const body = bodyOf(bytes);
  if (body === undefined) {
    return { refusal: failed(response, 400, "bad_request", 'Expected {"token"?: ".."}.') };
  }
  const known = await idOf(visit);
  // Whatever was agreed to: it is about what is there.
  const user = (await openedFor(visit, known?.id))?.user || undefined;
  const unauthorized = (code, message) => ({ refusal: failed(response, 401, code, message, { "www-authenticate": "Bearer" }) });
  if (body.token === undefined) {
    return user === undefined ? { anonymousId: known?.id } : unauthorized("token_needed", "The visitor is logged in: send the identity token, made anew, as `token`.");
  }
  const { user: told, wrong } = await userOf(body.token, wordsOf(env.IDOINE_IDENTITY_SECRET), site.id, Date.now());
  if (told === undefined || (user !== undefined && told !== user)) {
    return unauthorized("bad_token", `The identity token is not good. ${wrong ?? "It is another user's than the one who is logged in."}`);
  }
  return { anonymousId: known?.id, user: told };
}

/** The cookie that says that all was withdrawn; none where nothing was ever chosen. */
async function withdrawn(visit) {
  if (cookieOf(visit.request, CONSENT) === undefined) {
    return [];
  }
  const version = (await prepare(visit.env, visit.ctx, visit.site.id))?.consent?.version ?? 1;
  const value = ["v2", ...PURPOSES.map((purpose) => `~${purpose}`), version, Math.floor(Date.now() / 1000), "v"].join(".");
  return [readableCookie(visit, CONSENT, value, MAX_AGE_S)];
}

/** The answer to a request that has what is stored of its visitor erased. */
export async function erasing(visit) {
  const response = await decide(visit);
  if (response?.status !== 200 || visit.request.method !== "POST") {
    return response;
  }
  // Who looks at the site by a preview's link changes nothing of what is stored.
  if (visit.overrides !== undefined && visit.env.IDOINE_PREVIEW !== "local") {
    return failed(response, 403, "forbidden", "In a preview nothing is erased.");
  }
  const visitor = await proven(visit, response);
  if (visitor.refusal !== undefined) {
    return visitor.refusal;
  }
  // Without a secret any id is one: nobody could prove that it is theirs.
  const keys = hasKey(visit.env) && hasProfiles(visit.env) ? profilesOf(visitor) : [];
  let receipt = null;
  try {
    ({ receipt } = keys.length === 0 ? { receipt } : await eraseAll(visit.env, visit.site.id, keys, "erased by the visitor"));
  } catch (error) {
    log("error", "not_erased", "a shard could not be told of an erasure; that is tried again", { error, site: visit.site.id });
    return failed(response, 503, "unavailable", "It could not be erased at the moment. Please try again later.", { "retry-after": "10" });
  }
  const cookies = [ID, PROJECTION].filter((name) => cookieOf(visit.request, name) !== undefined).map((name) => (name === PROJECTION ? dropped(visit) : setCookie(visit, name, "", 0)));
  return answerWith(response, { receipt, erased: true }, [...cookies, ...(await withdrawn(visit))]);
}
