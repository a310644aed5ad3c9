// A page of the site: what the origin sends, personalised where some experience concerns it.

import { noteOutcome, obtain, placeOf, variantFor } from "./cache.js";
import { pageOf, redirectOf } from "./elsewhere.js";
import { decide } from "./instance.js";
import { log } from "./log.js";
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
  const { plan, text } = await planOf(visit, (version) => void askOrigin(version));
  const taken = async () => {
    const { response, outcome, generation } = await asked.answer;
    noteOutcome(visit, outcome);
    return { response, generation };
  };
  if (plan === undefined) {
    return asked === undefined ? passOn(visit, visit.url, false) : (await taken()).response;
  }
  const other = await elsewhere(visit, plan);
  if (other !== undefined) {
    asked?.drop();
    return isRewritable(other) ? personalised(visit, plan, other) : other;
  }
  const { key, wishes } = await find(plan.version);
  const name = key !== undefined && isShareable(plan) ? await nameOf(text) : undefined;
  const variant = name && (await variantFor(visit, { key, wishes }, name));
  if (variant !== undefined) {
    asked?.drop();
    noteOutcome(visit, ["variant"]);
    return variant;
  }
  askOrigin(plan.version);
  const { response, generation } = await taken();
  if (!isRewritable(response)) {
    return response;
  }
  const edited = await personalised(visit, plan, response, visit.cache === "hit" || visit.cache === "stale");
  return name !== undefined && generation !== undefined ? keepVariant(visit, key, name, generation, edited) : edited;
}

/** A page with the edits of a plan; as the origin sent it where that fails. `isKept`: its bytes are from the cache, and there are others. */
async function personalised(visit, plan, response, isKept = false) {
  try {
    return await rewrite(response, plan, visit.request);
  } catch (error) {
    asItIs(error);
  }
  if (!isKept) {
    return response;
  }
  noteOutcome(visit, ["bypass", "unreadable"]);
  const again = await passOn(visit, visit.url, true);
  return isRewritable(again) ? personalised(visit, plan, again) : again;
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
    noteOutcome(visit, ["bypass", "other_page"]);
    return unshared(response);
  }
  const { status } = response;
  log("error", "variant_page_left_out", `the page ${url.pathname} of a variant has the status ${status}: the page itself is shown`, { status });
  drop();
  return undefined;
}

/** What is to be done to this page, and the text that says so; nothing of it when that is nothing, and when anything at all went wrong. */
async function planOf(visit, beforeWaiting) {
  try {
    const text = await decide(visit, beforeWaiting);
    return typeof text === "string" ? { plan: JSON.parse(text), text } : {};
  } catch (error) {
    asItIs(error);
    return {};
  }
}
