// A page of the site: what the origin sends, personalised where some experience concerns it.

import { noteOutcome, obtain, placeOf, variantFor } from "./cache.js";
import { became } from "./counters.js";
import { pageOf, redirectOf } from "./elsewhere.js";
import { Fragments } from "./fragments.js";
import { decide } from "./instance.js";
import { log } from "./log.js";
import { tellDecisions, tellTimes, timed } from "./observe.js";
import { ask, passOn } from "./origin.js";
import { isPageRequest, isRewritable, rewrite, unshared } from "./rewrite.js";
import { isShareable, keepVariant, nameOf } from "./variants.js";

/** The answer to a request of the site. */
export async function page(visit) {
  if (!isPageRequest(visit.request)) {
    return passOn(visit, visit.url, false);
  }
  let place;
  let asked;
  const find = (version) => (place ??= placeOf(visit, version));
  const askOrigin = (version) => (asked ??= obtain(visit, find(version)));
  // How the origin is asked follows from the plan. Where the plan waits for enrichments, the page itself, which nearly always
  // is the one that is wanted, is looked for beside them.
  const plan = await planOf(visit, (version) => void askOrigin(version));
  const taken = async () => {
    const { response, outcome, generation } = await asked.answer;
    noteOutcome(visit, outcome);
    return { response, generation };
  };
  if (plan === undefined) {
    became(visit, "untouched");
    return asked === undefined ? passOn(visit, visit.url, false) : (await taken()).response;
  }
  const fragments = new Fragments(visit, plan);
  void fragments.start();
  const other = await elsewhere(visit, plan);
  if (other !== undefined) {
    asked?.drop();
    if (!isRewritable(other)) {
      fragments.drop();
      return other;
    }
    return told(visit, plan, await personalised(visit, plan, fragments, other));
  }
  const { key, wishes } = await find(plan.version);
  const mayBeKept = key !== undefined && isShareable(plan);
  let named;
  const name = () => (named ??= nameOf(plan));
  const variant = mayBeKept ? await variantFor(visit, { key, wishes }, name) : undefined;
  if (variant !== undefined) {
    asked?.drop();
    noteOutcome(visit, ["variant"]);
    became(visit, "edited");
    return told(visit, plan, variant);
  }
  askOrigin(plan.version);
  const { response, generation } = await taken();
  if (!isRewritable(response)) {
    fragments.drop();
    became(visit, "untouched", "not_a_page");
    return response;
  }
  const edited = await personalised(visit, plan, fragments, response, visit.cache === "hit" || visit.cache === "stale");
  // Where the origin was asked again, with the visitor's cookies, it is not the kept page that was edited.
  const isVariant = mayBeKept && generation !== undefined && visit.cache === "hit";
  return told(visit, plan, isVariant ? keepVariant(visit, key, await name(), generation, edited) : edited);
}

/** A page with the edits of a plan; as the origin sent it where that fails. `isKept`: its bytes are from the cache, and there are others. */
async function personalised(visit, plan, fragments, response, isKept = false) {
  try {
    return await rewrite(response, plan, visit, fragments);
  } catch (error) {
    asItIs(visit, "rewriting", error);
  }
  // Where its body broke before anything of it was sent, there is nothing to lose in asking once more.
  if (!isKept) {
    fragments.drop();
    return response.bodyUsed ? passOn(visit, visit.url, false) : response;
  }
  noteOutcome(visit, ["bypass", "unreadable"]);
  const again = await passOn(visit, visit.url, true);
  return isRewritable(again) ? personalised(visit, plan, fragments, again) : again;
}

function asItIs(visit, reason, error) {
  became(visit, "failed", reason);
  log("error", "page_as_it_is", "a page goes out as the origin sent it", { error, site: visit.site.id });
}

/** An edited page, or a redirect, with what it tells of how it was made, and what the visitor is given with it: neither is kept for others. */
function told(visit, plan, response) {
  if (visit.outcome === "edited" || visit.outcome === "redirected") {
    plan.cookies?.forEach((cookie) => response.headers.append("set-cookie", cookie));
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
  // A redirect from there could be relative to the path that was asked for, which the visitor's browser knows nothing of.
  if (response.status < 300) {
    noteOutcome(visit, ["bypass", "other_page"]);
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
    const text = await timed(visit, "decide", () => decide(visit, beforeWaiting));
    if (typeof text === "string") {
      const plan = JSON.parse(text);
      visit.bot = plan.bot;
      visit.version = plan.version;
      return plan;
    }
    // A truth is told where no experience concerns the page: whether it's a bot that asks. Nothing: there is no program.
    visit.bot = text === true;
    if (typeof text !== "boolean") {
      became(visit, "failed", "no_program");
    }
  } catch (error) {
    asItIs(visit, "decision", error);
  }
  return undefined;
}
