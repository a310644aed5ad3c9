// What is counted: one data point for each request that is worth one, to Analytics Engine where the binding COUNTERS is
// bound. A data point says what became of a request, and nothing of who sent it. docs/operations.md says how to ask for it;
// its table and the order of the lists here are one.

import { isAsset } from "./assets.js";
import { log } from "./log.js";

/** The numbers of a data point, in their order behind the first, which is 1. */
const NUMBERS = ["edits_left_out", "pages_broken_off", "exposures", "exposures_lost", "origin_retries", "instances_replaced", "rate_limited", "variants_over_cap"];

/** What became of events: the last numbers of a data point. */
const EVENTS = ["events_accepted", "events_duplicate", "events_dropped", "events_rejected", "events_failed"];

/** The endpoints that are told apart; what a visitor makes up is none of them. */
const ENDPOINTS = new Set(
  "health context decide consent preferences program personas collect v1 beacon/v1 api/s sourceConfig api/program api/rollback api/audit api/preview api/decide api/openapi.json ofrep/v1/evaluate/flags".split(" "),
);

/** Replacements of the isolate's Wasm instance since the last data point: they belong to no single request. */
let replaced = 0;

/** Counts a replacement of the Wasm instance. */
export function countReplaced() {
  replaced += 1;
}

/** Counts something that happened in a visit. */
export function count(visit, name, n = 1) {
  visit.counts[name] = (visit.counts[name] ?? 0) + n;
}

/**
 * Says what became of a visit's page: "edited", "redirected", "untouched" or "failed", and of the last two why. What is said last
 * holds, but a page is "untouched" only where nothing else was said of it.
 */
export function became(visit, outcome, reason = "") {
  if (visit.outcome === undefined || outcome !== "untouched") {
    visit.outcome = outcome;
    visit.reason = reason;
  }
}

/** Has a visit's data point wait for something that goes on after the answer, and never rejects. */
export function countAfter(visit, promise) {
  visit.pending.push(promise);
}

/** Whether a browser asks ahead of its visitor, who may never come: such a page is no visit yet. */
export function isAhead({ headers }) {
  // Chromium and the standard say Sec-Purpose, Safari Purpose, Firefox X-Moz.
  return ["sec-purpose", "purpose", "x-moz"].some((name) => /prefetch|prerender/i.test(headers.get(name) ?? ""));
}

/** Who asked, so that it can be left out of figures about visitors. */
function kindOfVisitor({ request, overrides, bot }) {
  if (overrides !== undefined) {
    return "preview";
  }
  return isAhead(request) ? "prefetch" : bot ? "bot" : "visitor";
}

/** The name of an address below `/_idoine/`. */
function endpointOf(pathname) {
  if (isAsset(pathname)) {
    return "asset";
  }
  const path = pathname.slice("/_idoine/".length);
  // Behind some stands a version or a key.
  const known = [path, path.replace(/\/[^/]*$/, "")].find((name) => ENDPOINTS.has(name));
  return known ?? "other";
}

/** The data point of a visit; undefined when it is not worth one: a request that only passed through, with nothing to tell. */
function pointOf(visit, status) {
  const { site, url, isOwn, outcome, reason = "", cache = "", version = "", counts, times } = visit;
  if (!isOwn && outcome === undefined && Object.keys(counts).length === 0) {
    return undefined;
  }
  const kind = isOwn ? "api" : outcome === undefined ? "passed" : "page";
  const what = isOwn ? endpointOf(url.pathname) : (outcome ?? "");
  const [numbers, events] = [NUMBERS, EVENTS].map((names) => names.map((name) => counts[name] ?? 0));
  return {
    indexes: [site.id],
    blobs: [kind, what, reason, cache, `${Math.floor(status / 100)}xx`, kindOfVisitor(visit), version],
    doubles: [1, ...numbers, times.decide ?? 0, times.origin ?? 0, ...events],
  };
}

async function write(visit, status) {
  await Promise.allSettled(visit.pending);
  if (replaced > 0) {
    count(visit, "instances_replaced", replaced);
    replaced = 0;
  }
  const point = pointOf(visit, status);
  if (point !== undefined) {
    visit.env.COUNTERS.writeDataPoint(point);
  }
}

/** Writes a visit's data point, once all of it is over. Never throws: what is counted is worth less than any page. */
export function report(visit, status) {
  const failed = (error) => log("error", "not_counted", "a request is not counted", { error, site: visit.site.id });
  try {
    if (typeof visit.env.COUNTERS?.writeDataPoint === "function") {
      visit.ctx.waitUntil(write(visit, status).catch(failed));
    }
  } catch (error) {
    failed(error);
  }
}
