// The outermost part of the Worker. Whatever breaks further in, a throw, a trap, a promise that never settles, the
// visitor gets what the origin sends: nothing of Idoine stands between a request and its page but this file, origin.js
// and, where a page is edited, rewrite.js with stream.js and guard.js.

import { asset, isAsset } from "./assets.js";
import { pageOf, redirectOf } from "./elsewhere.js";
import { decide } from "./instance.js";
import { ask, passOn } from "./origin.js";
import { readPreview } from "./preview.js";
import { isPageRequest, isRewritable, rewrite, unshared } from "./rewrite.js";

/** Everything of Idoine's own is below this path. */
const BASE = "/_idoine/";

/** The origin's page, personalised where some experience concerns it. */
async function page(request, env, ctx, visit) {
  if (!isPageRequest(request)) {
    return passOn(request, env, visit.url, false);
  }
  let asked;
  const askOrigin = (willEdit) => (asked ??= ask(request, env, visit.url, willEdit));
  // How the origin is asked follows from the plan. Where the plan waits for enrichments, the origin is asked beside them for the
  // page itself, which nearly always is the one that is wanted.
  const beforeWaiting = () => void askOrigin(true);
  const plan = await planOf(request, env, ctx, visit, beforeWaiting);
  const other = plan && (await elsewhere(request, env, visit, plan));
  if (other !== undefined) {
    asked?.drop();
  }
  const response = other ?? (await askOrigin(plan !== undefined).answer);
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

/** What the visitor gets in the place of this page; undefined when that is nothing, and when it is not to be had. */
async function elsewhere(request, env, visit, plan) {
  try {
    const url = pageOf(plan, request, visit);
    return redirectOf(plan, request, visit) ?? (url && (await otherPage(request, env, url)));
  } catch (error) {
    console.error(`idoine: a variant's page is left out: ${error}`);
    return undefined;
  }
}

/** Another page of the origin at this address; undefined when it has none there. */
async function otherPage(request, env, url) {
  const { answer, drop } = ask(request, env, url, true);
  const response = await answer;
  if (response.status < 400) {
    return unshared(response);
  }
  console.error(`idoine: the page ${url.pathname} of a variant has the status ${response.status}: the page itself is shown`);
  drop();
  return undefined;
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
