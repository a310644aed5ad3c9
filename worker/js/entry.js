// The outermost part of the Worker. Whatever breaks further in, a throw, a trap, a promise that never settles, the
// visitor gets what the origin sends: nothing of Idoine stands between a request and its page but this file, origin.js
// and, where a page is edited, rewrite.js with stream.js and guard.js.

import { asset, isAsset } from "./assets.js";
import { decide } from "./instance.js";
import { passOn } from "./origin.js";
import { readPreview } from "./preview.js";
import { isPageRequest, isRewritable, rewrite } from "./rewrite.js";

/** Everything of Idoine's own is below this path. */
const BASE = "/_idoine/";

/** The origin's page, personalised where some experience concerns it. */
async function page(request, env, ctx, visit) {
  let asked;
  const askOrigin = (willEdit) => (asked ??= passOn(request, env, visit.url, willEdit));
  // How the origin is asked follows from the plan. Where the plan waits for enrichments, the origin is asked beside them;
  // should it fail then, that is found below.
  const beforeWaiting = () => void askOrigin(true).catch(() => {});
  const plan = isPageRequest(request) ? await planOf(request, env, ctx, visit, beforeWaiting) : undefined;
  const response = await askOrigin(plan !== undefined);
  if (plan === undefined || !isRewritable(response)) {
    return response;
  }
  try {
    return await rewrite(response, plan, request);
  } catch (error) {
    console.error(`idoine: a page goes out as the origin sent it: ${error}`);
    return response;
  }
}

/** What is to be done to this page; undefined when that is nothing, and when anything at all went wrong. */
async function planOf(request, env, ctx, visit, beforeWaiting) {
  try {
    const plan = await decide(request, env, ctx, visit, beforeWaiting);
    return typeof plan === "string" ? JSON.parse(plan) : undefined;
  } catch (error) {
    console.error(`idoine: a page goes out as the origin sent it: ${error}`);
    return undefined;
  }
}

/** An answer of Idoine's own: a file, or the API. */
async function own(request, env, ctx, visit) {
  let response;
  try {
    response = isAsset(visit.url.pathname) ? await asset(request, env, visit.url) : await decide(request, env, ctx, visit);
  } catch (error) {
    console.error(`idoine: no answer to ${visit.url.pathname}: ${error}`);
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
      const visit = readPreview(request, env);
      const { pathname } = visit.url;
      return await (pathname.startsWith(BASE) ? own : page)(request, env, ctx, visit);
    } catch (error) {
      console.error(`idoine: ${error}`);
      return new Response("The page can't be shown at the moment. Please try again.\n", {
        status: 500,
        headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
      });
    }
  },
};
