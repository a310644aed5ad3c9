// What the visitor agrees to, and what follows from it for what is stored of them. The Rust side keeps the choice and the id
// (worker/src/api/consent.rs); this adds the projection of the profile, or takes it away.

import { decide } from "./instance.js";
import { projectionFor, hasProfiles } from "./profiles/shards.js";
import { dropped, refreshed, visitorOf } from "./projection.js";
import { PROJECTION, cookieOf } from "./visitor.js";

/** A visit as it will be when the browser has these cookies too: what its next request brings. */
export function visitAfter(visit, cookies, to = visit.url) {
  const jar = new Map();
  const put = (pair) => {
    const [name, value] = [pair.slice(0, pair.indexOf("=")).trim(), pair.slice(pair.indexOf("=") + 1)];
    if (name.startsWith("idoine_")) {
      jar.set(name, value);
    }
  };
  // Of a name that comes twice the first counts.
  (visit.request.headers.get("cookie") ?? "").split(";").reverse().forEach(put);
  cookies.forEach((cookie) => put(cookie.split(";", 1)[0]));
  const headers = new Headers(visit.request.headers);
  headers.set("cookie", [...jar].filter(([, value]) => value !== "").map((pair) => pair.join("=")).join("; "));
  return { ...visit, url: to, request: new Request(to, { headers, cf: visit.request.cf }) };
}

/** What `GET /_idoine/profile` says to a browser that has these cookies too. */
export async function storedAfter(visit, cookies) {
  const after = visitAfter(visit, cookies, new URL("/_idoine/profile", visit.url));
  return (await decide(after)).json();
}

/** An answer of the Rust side with another body and further cookies. */
export function answerWith(response, body, cookies) {
  const headers = new Headers(response.headers);
  headers.set("content-type", "application/json");
  headers.set("cache-control", "private, no-store");
  cookies.forEach((cookie) => headers.append("set-cookie", cookie));
  return new Response(JSON.stringify(body), { status: response.status, headers });
}

/** The answer to a request for what is agreed to. */
export async function consent(visit) {
  const response = await decide(visit);
  if (visit.request.method !== "POST" || response?.status !== 200) {
    return response;
  }
  const state = await response.json();
  const set = response.headers.getSetCookie();
  const after = visitAfter(visit, set);
  const visitor = await visitorOf(after);
  if (!visitor?.purposes.includes("personalization")) {
    return answerWith(response, state, cookieOf(visit.request, PROJECTION) === undefined ? [] : [dropped(visit)]);
  }
  const { id: anonymousId, user } = visitor;
  const projection = hasProfiles(visit.env) ? await projectionFor(visit, { anonymousId, ...(user && { user }) }) : undefined;
  if (projection === undefined) {
    return answerWith(response, state, []);
  }
  const cookies = await refreshed(after, visitor, projection);
  const { profile } = await storedAfter(visit, [...set, ...cookies]);
  return answerWith(response, { ...state, profile }, cookies);
}
