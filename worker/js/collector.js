// What was shown at the edge alone, handed on to whoever stores it: a redirect leaves no page in which it could be counted.

import { purposesOf } from "./agreed.js";
import { count, countAfter, isAhead } from "./counters.js";
import { withZone } from "./events/zone.js";
import { log } from "./log.js";
import { give, hasProfiles } from "./profiles/shards.js";
import { visitorOf } from "./projection.js";
import { whatFollows } from "./settled.js";
import { choiceOf, hasKey } from "./visitor.js";

/** The longest that a redirect waits for whoever stores it; the handing over then goes on behind it. */
const PATIENCE_MS = 100;

/** The visitor who agreed to something; undefined where they did not, or nobody can say who they are. */
async function knownOf(visit) {
  return hasKey(visit.env) && purposesOf(visit).length > 0 ? visitorOf(visit) : undefined;
}

/**
 * An exposure as the event that shards take: to the sinks goes what is known without the visitor, and their id where they agreed to
 * analytics; into the profile of `visitor` where there is one, and where that is all they agreed to, as an event of its own.
 */
function entriesOf(visit, { messageId, type, time, anonymousId, bot, site, ...properties }, visitor) {
  const consent = purposesOf(visit);
  const event = { messageId, type, anonymousId, timestamp: time, receivedAt: Date.now(), properties, site, source: "edge", trusted: true, bot, consent };
  if (visitor === undefined) {
    return [{ event, keep: true, fold: false }];
  }
  const own = { ...event, anonymousId: visitor.id, userId: visitor.user || undefined, context: withZone(undefined, visit.request) };
  return anonymousId === undefined ? [{ event, keep: true, fold: false }, { event: own, keep: false, fold: true }] : [{ event: own, keep: true, fold: true }];
}

/** Gives an exposure to the shards, and returns the `Set-Cookie` headers that follow from it; rejects when one of them did not take it. */
async function keep(visit, exposure) {
  const visitor = await knownOf(visit);
  const isRead = visitor?.purposes.includes("personalization") === true;
  const own = visitor && { anonymousId: visitor.id, user: visitor.user || undefined, statement: choiceOf(visit.request), isRead };
  const given = await give(visit, entriesOf(visit, exposure, isRead ? visitor : undefined), { own });
  if (given.statuses.includes("failed")) {
    throw new Error("a shard did not take it");
  }
  return visitor === undefined ? [] : (await whatFollows(visit, visitor, given)).cookies;
}

/**
 * Hands an exposure over: to the shards of profiles, from where it goes to the sinks as other events do; where there are none, to the queue
 * EVENTS; where that is not bound, to the log without the visitor's id. Resolves when that is done, or after a while, with the `Set-Cookie` headers
 * that tell the browser of it. Never rejects: what is lost is counted, and costs no visitor their page.
 */
export async function handOver(visit, exposure) {
  // Who looks at the site as someone else, and who may never see it, has been exposed to nothing.
  if (exposure === undefined || visit.overrides !== undefined || isAhead(visit.request)) {
    return [];
  }
  const { env, site } = visit;
  const lost = (error) => {
    count(visit, "exposures_lost");
    log("error", "exposure_lost", "an exposure is lost", { error, site: site.id, experience: exposure.experience });
    return [];
  };
  try {
    const isKept = hasProfiles(env);
    if (!isKept && typeof env.EVENTS?.send !== "function") {
      const { anonymousId: _, ...fields } = exposure;
      log("info", "exposure", "a visitor is redirected", fields);
      count(visit, "exposures");
      return [];
    }
    const given = async () => {
      const cookies = isKept ? await keep(visit, exposure) : await env.EVENTS.send(exposure).then(() => []);
      count(visit, "exposures");
      return cookies;
    };
    const sent = given().catch(lost);
    countAfter(visit, sent);
    visit.ctx.waitUntil(sent);
    let late;
    const cookies = await Promise.race([sent, new Promise((resolve) => (late = setTimeout(resolve, PATIENCE_MS, [])))]);
    clearTimeout(late);
    return cookies;
  } catch (error) {
    return lost(error);
  }
}
