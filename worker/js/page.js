// A page of the site: what the origin sends, personalised where some experience concerns it.

import { pageOf, redirectOf } from "./elsewhere.js";
import { Fragments } from "./fragments.js";
import { decide } from "./instance.js";
import { log } from "./log.js";
import { ask, passOn } from "./origin.js";
import { isPageRequest, isRewritable, rewrite, unshared } from "./rewrite.js";

/** The answer to a request of the site. */
export async function page(visit) {
  if (!isPageRequest(visit.request)) {
    return passOn(visit, visit.url, false);
  }
  let asked;
  const askOrigin = (willEdit) => (asked ??= ask(visit, visit.url, willEdit));
  // How the origin is asked follows from the plan. Where the plan waits for enrichments, the origin is asked beside them for the
  // page itself, which nearly always is the one that is wanted.
  const beforeWaiting = () => void askOrigin(true);
  const plan = await planOf(visit, beforeWaiting);
  const fragments = new Fragments(visit, plan);
  void fragments.start();
  const other = plan && (await elsewhere(visit, plan));
  if (other !== undefined) {
    asked?.drop();
  }
  const response = other ?? (await askOrigin(plan !== undefined).answer);
  if (plan === undefined || !isRewritable(response)) {
    fragments.drop();
    return response;
  }
  try {
    return await rewrite(response, plan, visit, fragments);
  } catch (error) {
    fragments.drop();
    asItIs(error);
    return response;
  }
}

function asItIs(error) {
  log("error", "page_as_it_is", "a page goes out as the origin sent it", { error });
}

/** What the visitor gets in the place of this page; undefined when that is nothing, and when it is not to be had. */
async function elsewhere(visit, plan) {
  try {
    const url = pageOf(plan, visit);
    return redirectOf(plan, visit) ?? (url && (await otherPage(visit, url)));
  } catch (error) {
    log("error", "variant_page_left_out", "a variant's page is left out", { error });
    return undefined;
  }
}

/** Another page of the origin at this address; undefined when it has none there. */
async function otherPage(visit, url) {
  const { answer, drop } = ask(visit, url, true);
  const response = await answer;
  if (response.status < 400) {
    return unshared(response);
  }
  const { status } = response;
  log("error", "variant_page_left_out", `the page ${url.pathname} of a variant has the status ${status}: the page itself is shown`, { status });
  drop();
  return undefined;
}

/** What is to be done to this page; undefined when that is nothing, and when anything at all went wrong. */
async function planOf(visit, beforeWaiting) {
  try {
    const plan = await decide(visit, beforeWaiting);
    return typeof plan === "string" ? JSON.parse(plan) : undefined;
  } catch (error) {
    asItIs(error);
    return undefined;
  }
}
