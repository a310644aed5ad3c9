// The outermost part of the Worker. Whatever breaks further in, a throw, a trap, a promise that never settles, the
// visitor gets what the origin sends: nothing of Idoine stands between a request and its page but this file, page.js, origin.js
// and, where a page is edited, rewrite.js with stream.js and guard.js.

import { asset, isAsset } from "./assets.js";
import { decide } from "./instance.js";
import { mayPreview, preview, previewed } from "./links.js";
import { log } from "./log.js";
import { page } from "./page.js";
import { readPreview } from "./preview.js";
import { siteOf } from "./sites.js";

/** Everything of Idoine's own is below this path. */
const BASE = "/_idoine/";

/**
 * A request, and what is known of it from the start: `url` and `overrides`, its URL without preview parameters, and those (a flat
 * list of paths and texts; undefined where preview is not allowed); `site`, the site it is for.
 */
function visitOf(request, env, ctx) {
  const { url, overrides } = readPreview(request, env);
  return { request, env, ctx, url, overrides, site: siteOf(env, url) };
}

/** An answer of Idoine's own: a file, or the API. */
async function own(visit) {
  const { request, url } = visit;
  let response;
  try {
    response = isAsset(url.pathname) ? await asset(visit) : await decide(visit);
  } catch (error) {
    log("error", "no_answer", "a request of the API gets no answer", { error });
  }
  if (!(response instanceof Response)) {
    return Response.json(
      { error: { code: "unavailable", message: "No answer can be given at the moment; the site is not affected." } },
      { status: 503, headers: { "cache-control": "no-store" } },
    );
  }
  return request.method === "HEAD" ? new Response(null, response) : response;
}

export default {
  async fetch(request, env, ctx) {
    try {
      // What can't be caught (CPU or memory limits) falls open too where the Worker is on a route of the site's zone.
      ctx.passThroughOnException();
      const visit = visitOf(request, env, ctx);
      // Only who brings a preview link, or came by one, waits for it to be checked.
      const led = mayPreview(visit) ? await preview(visit) : undefined;
      return led ?? (visit.url.pathname.startsWith(BASE) ? await own(visit) : previewed(visit, await page(visit)));
    } catch (error) {
      log("error", "request_failed", "a request gets no answer", { error });
      return new Response("The page can't be shown at the moment. Please try again.\n", {
        status: 500,
        headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
      });
    }
  },
};
