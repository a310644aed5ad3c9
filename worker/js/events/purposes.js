// For which purposes an event may be kept.

import { PURPOSES } from "../choice.js";
import { CONSENT, cookieOf, hasKey } from "../visitor.js";

/** What a browser refuses for its person by Global Privacy Control: profiling. */
const REFUSED = ["personalization", "marketing"];

/**
 * The purposes that an event's visitor agreed to. `preferences` are what the event itself says (undefined where it says nothing), `basis`
 * what is declared for its key, `held` what holds for the request (agreed.js), `isOwn` whether it is of our own format, `isTrusted` whether a server says so.
 *
 * Of a browser the choice that the site's cookie holds counts, and what other clients' events say besides can only take away from it.
 * Without a choice, and of a server, it is what the event says; where that is nothing, what is declared for its key.
 */
export function agreedTo(request, { held, isOwn, isTrusted, preferences, basis }) {
  const said = PURPOSES.filter((purpose) => (preferences ?? basis).includes(purpose));
  if (isTrusted) {
    return said;
  }
  // A value that is no choice agrees to nothing.
  if (cookieOf(request, CONSENT) !== undefined) {
    return held.filter((purpose) => isOwn || preferences === undefined || preferences.includes(purpose));
  }
  return request.headers.get("sec-gpc") === "1" ? said.filter((purpose) => !REFUSED.includes(purpose)) : said;
}

/** Why an event is not kept whose visitor did not agree to the purpose that it needs itself. */
export const notKept = (env, agreed) => (agreed.includes("personalization") && !hasKey(env) ? "no_key" : "no_consent");
