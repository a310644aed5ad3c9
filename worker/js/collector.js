// What was shown at the edge alone, handed on to whoever stores it: a redirect leaves no page in which it could be counted.

import { count, countAfter, isAhead } from "./counters.js";
import { log } from "./log.js";

/** The longest that a redirect waits for the queue; the handing over then goes on behind it. */
const PATIENCE_MS = 100;

/**
 * Hands an exposure over, to the queue EVENTS where it is bound and to the log where it is not, there without the visitor's id.
 * Resolves when that is done, or after a while. Never rejects: what is lost is counted, and costs no visitor their page.
 */
export async function handOver(visit, exposure) {
  // Who looks at the site as someone else, and who may never see it, has been exposed to nothing.
  if (exposure === undefined || visit.overrides !== undefined || isAhead(visit.request)) {
    return;
  }
  const { env, site } = visit;
  const lost = (error) => {
    count(visit, "exposures_lost");
    log("error", "exposure_lost", "an exposure is lost", { error, site: site.id, experience: exposure.experience });
  };
  try {
    if (typeof env.EVENTS?.send !== "function") {
      const { anonymousId: _, ...fields } = exposure;
      log("info", "exposure", "a visitor is redirected", fields);
      count(visit, "exposures");
      return;
    }
    const sent = env.EVENTS.send(exposure).then(() => count(visit, "exposures")).catch(lost);
    countAfter(visit, sent);
    visit.ctx.waitUntil(sent);
    let late;
    await Promise.race([sent, new Promise((resolve) => (late = setTimeout(resolve, PATIENCE_MS)))]);
    clearTimeout(late);
  } catch (error) {
    lost(error);
  }
}
