// What was shown at the edge alone, handed on to whoever stores it: a redirect leaves no page in which it could be counted.

import { count, countAfter, isAhead } from "./counters.js";
import { log } from "./log.js";
import { give, hasProfiles } from "./profiles/shards.js";
import { idOf, purposesOf } from "./visitor.js";

/** The longest that a redirect waits for whoever stores it; the handing over then goes on behind it. */
const PATIENCE_MS = 100;

/**
 * An exposure as the event that shards take: to the sinks goes what is known without the visitor, and their id where they agreed to
 * analytics; into their profile with their consent to personalisation, and where that is all they agreed to, as an event of its own.
 */
async function entriesOf(visit, { messageId, type, time, anonymousId, bot, site, ...properties }) {
  const consent = purposesOf(visit.request);
  const event = { messageId, type, anonymousId, timestamp: time, receivedAt: Date.now(), properties, site, source: "edge", trusted: true, bot, consent };
  const fold = consent.includes("personalization");
  if (anonymousId !== undefined || !fold) {
    return [{ event, keep: true, fold: fold && anonymousId !== undefined }];
  }
  const known = await idOf(visit);
  const own = known && { event: { ...event, anonymousId: known.id }, keep: false, fold };
  return [{ event, keep: true, fold: false }, ...(own ? [own] : [])];
}

/** Gives an exposure to the shards; rejects when one of them did not take it. */
async function keep(visit, exposure) {
  const { statuses } = await give(visit, await entriesOf(visit, exposure));
  if (statuses.includes("failed")) {
    throw new Error("a shard did not take it");
  }
}

/**
 * Hands an exposure over: to the shards of profiles, from where it goes to the sinks as other events do; where there are none, to the queue
 * EVENTS; where that is not bound, to the log without the visitor's id. Resolves when that is done, or after a while. Never rejects:
 * what is lost is counted, and costs no visitor their page.
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
    const isKept = hasProfiles(env);
    if (!isKept && typeof env.EVENTS?.send !== "function") {
      const { anonymousId: _, ...fields } = exposure;
      log("info", "exposure", "a visitor is redirected", fields);
      count(visit, "exposures");
      return;
    }
    const sent = (isKept ? keep(visit, exposure) : env.EVENTS.send(exposure)).then(() => count(visit, "exposures")).catch(lost);
    countAfter(visit, sent);
    visit.ctx.waitUntil(sent);
    let late;
    await Promise.race([sent, new Promise((resolve) => (late = setTimeout(resolve, PATIENCE_MS)))]);
    clearTimeout(late);
  } catch (error) {
    lost(error);
  }
}
