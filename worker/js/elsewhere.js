// Variants that are a whole page: a redirect to another address, or another page of the origin at the same address. What is
// asked of the origin, and whether anything is, follows from the plan; the rest of the plan is for the page that then comes.

import { handOver } from "./collector.js";
import { became } from "./counters.js";
import { withPreview } from "./preview.js";

/** Whether a request is one for a page rather than for data: what scripts fetch says so itself, by what it accepts. */
function wantsPage({ headers }) {
  return headers.get("sec-fetch-dest") !== "empty" || /\btext\/html\b|\bapplication\/xhtml\+xml\b/i.test(headers.get("accept") ?? "");
}

/** The value of the plan's edit of that kind, of which there is one at most. */
function valueOf(plan, op) {
  return plan.edits.find((edit) => edit.op === op)?.value;
}

/** Where a value leads: an address of http or https, of this site unless it names another. Undefined when it's nothing of that kind. */
function addressOf(value, base) {
  let to;
  try {
    to = new URL(value, base);
  } catch {
    return undefined;
  }
  const named = /^https?:\/\//i.test(value);
  return /^https?:$/.test(to.protocol) && (named || to.origin === base.origin) ? to : undefined;
}

function withoutHash(url) {
  return url.href.split("#", 1)[0];
}

/** The answer that leads the visitor to the page of their variant, whose exposure is handed over before; undefined when they stay. */
export async function redirectOf(plan, visit) {
  const { request, url, overrides } = visit;
  const value = valueOf(plan, "redirect");
  const to = value !== undefined && wantsPage(request) ? addressOf(value, url) : undefined;
  if (to === undefined || withoutHash(to) === withoutHash(url)) {
    return undefined;
  }
  // Who looks at the site as someone else goes on to do so.
  const location = overrides !== undefined && to.origin === url.origin ? withPreview(to, overrides) : to;
  const headers = new Headers({ location: location.href, "cache-control": "private, no-store" });
  if (plan.preview) {
    headers.set("x-robots-tag", "noindex");
  }
  became(visit, "redirected");
  const cookies = await handOver(visit, plan.exposure);
  cookies.forEach((cookie) => headers.append("set-cookie", cookie));
  return new Response(null, { status: 302, headers });
}

/** The URL that the origin is asked for in the place of this one; undefined when it is this one. */
export function pageOf(plan, { request, url }) {
  const path = valueOf(plan, "page");
  if (path === undefined || !path.startsWith("/") || !wantsPage(request)) {
    return undefined;
  }
  const asked = new URL(url);
  // Assigned, not parsed: what looks like a host or a query here is part of the path.
  asked.pathname = path;
  return asked.href === url.href ? undefined : asked;
}
