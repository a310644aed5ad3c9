// The purposes that hold for a visit, as the core says (src/consent.rs): by the choice in its cookie, on the terms of the site's program, less what
// the browser refuses.

import { PURPOSES } from "./choice.js";
import { run } from "./instance.js";
import { CONSENT, cookieOf } from "./visitor.js";

/** The purposes that hold; undefined where no program is at hand, so that nobody knows. */
export function purposesKnown({ request, site }) {
  const isSent = (name) => request.headers.get(name) === "1";
  const bits = run((rust) => rust.agreed(site.id, cookieOf(request, CONSENT), isSent("sec-gpc"), isSent("dnt")));
  return bits === undefined ? undefined : PURPOSES.filter((_, at) => (bits >> at) & 1);
}

/** The same; none where nobody knows. */
export const purposesOf = (visit) => purposesKnown(visit) ?? [];
