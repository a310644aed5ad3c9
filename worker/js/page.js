// A page of the site: what the origin sends, personalised where some experience concerns it.

import { became } from "./counters.js";
import { pageOf, redirectOf } from "./elsewhere.js";
import { decide } from "./instance.js";
import { log } from "./log.js";
import { tellDecisions, tellTimes, timed } from "./observe.js";
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
  const other = plan && (await elsewhere(visit, plan));
  if (other !== undefined) {
    asked?.drop();
  }
  const response = other ?? (await askOrigin(plan !== undefined).answer);
  if (plan === undefined || !isRewritable(response)) {
    became(visit, "untouched", plan && "not_a_page");
    return response;
  }
  try {
    return told(visit, plan, await rewrite(response, plan, visit));
  } catch (error) {
    asItIs(visit, "rewriting", error);
    // Where its body broke before anything of it was sent, there is nothing to lose in asking once more.
    return response.bodyUsed ? passOn(visit, visit.url, false) : response;
  }
}

function asItIs(visit, reason, error) {
  became(visit, "failed", reason);
  log("error", "page_as_it_is", "a page goes out as the origin sent it", { error, site: visit.site.id });
}

/** An edited page, or a redirect, with what it tells of how it was made. */
function told(visit, plan, response) {
  if (visit.outcome === "edited" || visit.outcome === "redirected") {
    tellTimes(visit, response.headers);
    tellDecisions(plan, response.headers);
  }
  return response;
}

/** What the visitor gets in the place of this page; undefined when that is nothing, and when it is not to be had. */
async function elsewhere(visit, plan) {
  try {
    const redirect = await redirectOf(plan, visit);
    if (redirect !== undefined) {
      return told(visit, plan, redirect);
    }
    const url = pageOf(plan, visit);
    return url && (await otherPage(visit, url));
  } catch (error) {
    log("error", "variant_page_left_out", "a variant's page is left out", { error, site: visit.site.id });
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
  // The path is the manifest's, with a visitor's words in it perhaps.
  log("error", "variant_page_left_out", `a variant's page has the status ${status}: the page itself is shown`, { status, site: visit.site.id });
  drop();
  return undefined;
}

/** What is to be done to this page; undefined when that is nothing, and when anything at all went wrong. */
async function planOf(visit, beforeWaiting) {
  try {
    const answer = await timed(visit, "decide", () => decide(visit, beforeWaiting));
    if (typeof answer !== "string") {
      // A truth is told where no experience concerns the page: whether it's a bot that asks. Nothing: there is no program.
      visit.bot = answer === true;
      if (typeof answer !== "boolean") {
        became(visit, "failed", "no_program");
      }
      return undefined;
    }
    const plan = JSON.parse(answer);
    visit.bot = plan.bot;
    visit.version = plan.version;
    return plan;
  } catch (error) {
    asItIs(visit, "decision", error);
    return undefined;
  }
}
