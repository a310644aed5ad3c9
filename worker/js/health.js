// `/_idoine/health`: whether this isolate can do its work. Answered here, so that it is answered when there is no Wasm instance.

import { failure } from "./answer.js";
import { decide } from "./instance.js";

/** What the Rust side says of its program; undefined when it says nothing. */
async function programOf(visit) {
  try {
    const answer = await decide(visit);
    return answer instanceof Response ? await answer.json() : undefined;
  } catch {
    return undefined; // It is logged where it failed.
  }
}

/** The answer: 200 when a page could be personalised, else 503 and what is missing. */
export async function health(visit) {
  const { method } = visit.request;
  if (method !== "GET" && method !== "HEAD") {
    return failure(405, "method_not_allowed", "This address does not take that method.", { allow: "GET, HEAD" });
  }
  const { id, origin, unreadable } = visit.site;
  const told = await programOf(visit);
  const state = {
    site: id,
    version: told?.version ?? null,
    program: told?.version ? "ok" : "missing",
    instance: told === undefined ? "broken" : "ok",
    origin: origin === undefined ? "missing" : "ok",
    sites: unreadable ? "unreadable" : "ok",
  };
  const good = ["program", "instance", "origin", "sites"].every((part) => state[part] === "ok");
  return Response.json({ status: good ? "ok" : "unavailable", ...state }, { status: good ? 200 : 503, headers: { "cache-control": "no-store" } });
}
