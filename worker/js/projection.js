// A browser's projection when something was learned of its visitor: who they are by their cookies, and the cookies that they are given.

import { purposesOf } from "./agreed.js";
import { run } from "./instance.js";
import { openedFor, seal, userOf } from "./sealed.js";
import { ID, MAX_AGE_S, PROJECTION, cookieOf, idOf, keysOf, setCookie, signedId } from "./visitor.js";

/** How long a proven user is known without another proof, in seconds. */
const USER_S = 30 * 24 * 60 * 60;

/**
 * The visitor of a request, as their cookies prove it: `id`, the `user` who is logged in (empty when none is) `since` when (epoch
 * milliseconds), the `purposes` that they agreed to, and `opened`, the projection that they have; undefined when they
 * have no id of ours.
 */
export async function visitorOf(visit) {
  const known = await idOf(visit);
  if (known === undefined) {
    return undefined;
  }
  const purposes = purposesOf(visit);
  const opened = purposes.includes("personalization") ? await openedFor(visit, known.id) : undefined;
  return { ...known, user: opened?.user ?? "", since: opened?.since ?? 0, purposes, opened };
}

/** Whether two projections say the same from now on, whenever they were written. */
const same = (one, other) => run((rust) => rust.projection_same(one, other, Date.now()));

/** The slots that read something of a visitor's profile (`visitorOf`) that is another value now that their projection is `bytes`. */
export const slotsChanged = (visit, { opened }, bytes) => JSON.parse(run((rust) => rust.projection_slots(visit.site.id, opened?.bytes, bytes, Date.now())));

/**
 * The `Set-Cookie` headers that bring a visitor's cookies up to date, empty where they are: their projection is `bytes` now.
 * `visitor` is what `visitorOf` says; `isProven`, whether a token has just proved who the user is.
 */
export async function refreshed(visit, { id, isOld, opened }, bytes, isProven = false) {
  const user = userOf(bytes);
  const now = Math.floor(Date.now() / 1000);
  const cookies = [];
  const [secret] = keysOf(visit.env);
  if (isOld && secret !== undefined) {
    cookies.push(setCookie(visit, ID, await signedId(secret, id), MAX_AGE_S));
  }
  // Who is logged in is known until then and no longer, however often the projection changes.
  const isSame = opened !== undefined && opened.user === user;
  const isKnown = isSame && !isProven;
  const end = user === "" ? now + MAX_AGE_S : isKnown ? opened.end : now + USER_S;
  const isCurrent = isKnown && !opened.isOld && same(opened.bytes, bytes) && (user !== "" || opened.end - now > MAX_AGE_S / 2);
  if (!isCurrent) {
    const since = user === "" ? 0 : isSame ? opened.since : Date.now();
    const value = await seal(visit.env, visit.site.id, id, { bytes, end, since });
    if (value !== undefined) {
      cookies.push(setCookie(visit, PROJECTION, value, end - now));
    } else if (cookieOf(visit.request, PROJECTION) !== undefined) {
      cookies.push(dropped(visit));
    }
  }
  return cookies;
}

/** The `Set-Cookie` header that takes a projection away. */
export const dropped = (visit) => setCookie(visit, PROJECTION, "", 0);
