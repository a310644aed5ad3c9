// The purposes that hold for a visit, as the core says (src/consent.rs): by the choice in its cookie, on the terms of the site's program, less what
// the browser refuses.

import { PURPOSES } from "./choice.js";
import { run } from "./instance.js";
import { CONSENT, cookieOf } from "./visitor.js";

/** What the core says of a request: a bit for each purpose, and one more (worker/src/collect.rs). */
function bitsOf({ request, site }) {
  const isSent = (name) => request.headers.get(name) === "1";
  return run((rust) => rust.agreed(site.id, cookieOf(request, CONSENT), isSent("sec-gpc"), isSent("dnt")));
}

/** The purposes that hold; undefined where no program is at hand, so that nobody knows. */
export function purposesKnown(visit) {
  const bits = bitsOf(visit);
  return bits === undefined ? undefined : PURPOSES.filter((_, at) => (bits >> at) & 1);
}

/** The same; none where nobody knows. */
export const purposesOf = (visit) => purposesKnown(visit) ?? [];

/** Whether what a visitor does is counted without them: the site measures so, and neither they nor their browser refuse it. */
export const isMeasured = (visit) => ((bitsOf(visit) ?? 0) >> PURPOSES.length) === 1;
