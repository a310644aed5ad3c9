// The outermost part of the Worker. Whatever breaks further in, a throw, a trap, a promise that never settles, the
// visitor gets what the origin sends: nothing of Idoine stands between a request and its page but this file, page.js, origin.js
// and, where a page is edited, rewrite.js with stream.js and guard.js.

import { failure, plain, safe } from "./answer.js";
import { asset, isAsset } from "./assets.js";
import { consent } from "./consent.js";
import { became, report } from "./counters.js";
import { erasing } from "./erasing.js";
import { eventsAt } from "./events/addresses.js";
import { health } from "./health.js";
import { identity } from "./identity.js";
import { decide } from "./instance.js";
import { limited } from "./limit.js";
import { mayPreview, preview, previewed } from "./links.js";
import { log } from "./log.js";
import { tellTimes, timed } from "./observe.js";
import { passOn } from "./origin.js";
import { page } from "./page.js";
import { preferences } from "./preferences.js";
import { readPreview } from "./preview.js";
import { exported, exportedFor, profile } from "./rights.js";
export { Profiles } from "./profiles/shard.js";
import { siteOf } from "./sites.js";

/** Everything of Idoine's own is below this path. */
const BASE = "/_idoine/";

/**
 * A request, and what is known of it from the start: `url` and `overrides`, its URL without preview parameters, and those (a flat
 * list of paths and texts; undefined where preview is not allowed); `site`, the site it is for; `isOwn`, whether it is below our
 * base path. The rest is noted on the way and counted in the end (counters.js).
 */
function visitOf(request, env, ctx) {
  const { url, overrides } = readPreview(request, env);
  const isOwn = url.pathname.startsWith(BASE);
  return { request, env, ctx, url, overrides, site: siteOf(env, url), isOwn, counts: {}, times: {}, pending: [] };
}

/** What answers addresses that the Rust side does not answer by itself. */
const OURS = { health, consent, identity, erase: erasing, profile, export: exported, preferences };

/** The address at which the owner exports a profile. */
const EXPORT = /^api\/profiles\/[^/]+\/export$/;

/** What answers an address of ours. */
function answerOf(visit) {
  const { pathname } = visit.url;
  const name = pathname.slice(BASE.length);
  if (Object.hasOwn(OURS, name)) {
    return OURS[name](visit);
  }
  if (EXPORT.test(name)) {
    return exportedFor(visit);
  }
  const events = eventsAt(visit, name);
  if (events !== undefined) {
    return timed(visit, "collect", events);
  }
  return isAsset(pathname) ? asset(visit) : timed(visit, "decide", () => decide(visit));
}

function unavailable() {
  return failure(503, "unavailable", "No answer can be given at the moment; the site is not affected.");
}

/** An answer of Idoine's own: a file, or the API. */
async function own(visit) {
  const { request } = visit;
  let response;
  try {
    response = (await limited(visit)) ?? (await answerOf(visit));
  } catch (error) {
    log("error", "no_answer", "a request of the API gets no answer", { error, site: visit.site.id });
  }
  if (!(response instanceof Response)) {
    response = unavailable();
  }
  const answer = safe(request.method === "HEAD" ? new Response(null, response) : response);
  tellTimes(visit, answer.headers);
  return answer;
}

/** The origin's page for a request in whose way we got; undefined when it can't be asked a second time. */
async function originInstead(visit) {
  const { method, bodyUsed } = visit.request;
  if (visit.isOwn || (bodyUsed && method !== "GET" && method !== "HEAD")) {
    return undefined;
  }
  try {
    return previewed(visit, await passOn(visit, visit.url, false));
  } catch (error) {
    log("error", "request_failed", "the origin's answer can't be passed on", { error, site: visit.site.id });
    return undefined;
  }
}

export default {
  async fetch(request, env, ctx) {
    let visit;
    let response;
    try {
      // What can't be caught (CPU or memory limits) falls open too where the Worker is on a route of the site's zone.
      ctx.passThroughOnException();
      visit = visitOf(request, env, ctx);
      // Only who brings a preview link, or came by one, waits for it to be checked.
      response = mayPreview(visit) ? await preview(visit) : undefined;
      response ??= visit.isOwn ? await own(visit) : previewed(visit, await page(visit));
    } catch (error) {
      log("error", "request_failed", "a request gets no answer of ours", { error });
      if (visit !== undefined) {
        became(visit, "failed", "exception");
        response = await originInstead(visit);
      }
    }
    response ??= visit?.isOwn ? unavailable() : plain(500, "The page can't be shown at the moment. Please try again.");
    if (visit !== undefined) {
      report(visit, response.status);
    }
    return response;
  },
};
