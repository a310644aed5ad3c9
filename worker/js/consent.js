// What the visitor agrees to, and what follows from it for what is stored of them. The Rust side keeps the choice and the id in the browser
// (worker/src/api/consent.rs); this has the shards keep it too, where there is an id, makes it as strict as what the same user said elsewhere, and
// adds the projection of the profile, or takes it away.

import { isPreview } from "./asked.js";
import { PURPOSES, isSame } from "./choice.js";
import { decide } from "./instance.js";
import { log } from "./log.js";
import { withdraw } from "./profiles/erase.js";
import { countAnywhere, give, hasProfiles } from "./profiles/shards.js";
import { dropped, visitorOf } from "./projection.js";
import { cookiesAfter, lastOfEach, visitAfter } from "./settled.js";
import { CONSENT, PROJECTION, choiceOf, cookieOf, hasKey } from "./visitor.js";

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
  const set = lastOfEach([...response.headers.getSetCookie(), ...cookies]);
  headers.delete("set-cookie");
  set.forEach((cookie) => headers.append("set-cookie", cookie));
  return new Response(JSON.stringify(body), { status: response.status, headers });
}

/** So often it is tried again, behind the answer, to tell the shards of a choice, and how long after. */
const AGAIN_MS = [500, 2000, 8000];

/** Tries what the shards could not be told once more, behind the answer: `tell` says whether they were. */
function again(visit, tell, message) {
  const trying = async () => {
    for (const pause of AGAIN_MS) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (await tell()) {
        return;
      }
    }
    log("error", "choice_not_kept", message, { site: visit.site.id });
  };
  visit.ctx.waitUntil(trying());
}

/** Keeps a choice of a browser; what the shards say of it, as `give` does. */
async function keep(visit, own) {
  const given = await give(visit, [], { own });
  if (given.told === undefined && own.isNew) {
    const tell = async () => (await give(visit, [], { own: { ...own, isRead: false } })).told !== undefined;
    again(visit, tell, "a choice holds in its browser, and could not be kept");
  }
  return given;
}

/** Has what was kept for purposes go that a visitor withdraws. */
async function takeBack(visit, visitor, purposes) {
  const tell = async () => {
    try {
      await withdraw(visit, visitor, purposes, cookieOf(visit.request, CONSENT));
      return true;
    } catch (error) {
      log("error", "not_erased", "a shard could not be told of an erasure; that is tried again", { error, site: visit.site.id });
      return false;
    }
  };
  if (purposes.length > 0 && !(await tell())) {
    again(visit, tell, "purposes are withdrawn in their browser, and what was kept for them is not gone");
  }
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
  const statement = choiceOf(after.request);
  // Who takes back all that they agreed to has no id any more: it is theirs nevertheless.
  const [visitor, earlier] = [await visitorOf(after), await visitorOf(visit)];
  const { id: anonymousId, user } = visitor ?? earlier ?? {};
  const isRead = visitor?.purposes.includes("personalization") === true;
  // A platform says on every page what was said once.
  const isNew = !isPreview(visit) && !isSame(statement, choiceOf(visit.request));
  const isKept = anonymousId !== undefined && hasKey(visit.env) && hasProfiles(visit.env) && !isPreview(visit);
  if (!isKept && isNew && hasProfiles(visit.env)) {
    visit.ctx.waitUntil(countAnywhere(visit, "choice", statement));
  }
  const own = { anonymousId, ...((user || earlier?.user) && { user: user || earlier.user }), isRead, isNew, statement };
  // Of what is known of them nothing is to be told that goes.
  const before = choiceOf(visit.request)?.choice ?? {};
  const withdrawn = PURPOSES.filter((purpose) => before[purpose] === "granted" && state.choice[purpose] !== "granted");
  await takeBack(visit, isKept ? own : {}, withdrawn);
  const given = isKept ? await keep(visit, own) : {};
  const cookies = await cookiesAfter(after, visitor ?? { purposes: [] }, given);
  // What the user refused elsewhere is refused here too.
  const { request } = visitAfter(after, cookies);
  const { choice } = choiceOf(request);
  const granted = state.granted.filter((purpose) => !["refused", "withdrawn"].includes(choice[purpose]));
  if (!granted.includes("personalization") && cookieOf(request, PROJECTION) !== undefined) {
    cookies.push(dropped(visit));
  }
  const told = { ...state, granted, choice: { ...state.choice, ...choice } };
  if (!granted.includes("personalization") || given.projection === undefined) {
    return answerWith(response, told, cookies);
  }
  const { profile } = await storedAfter(visit, lastOfEach([...set, ...cookies]));
  return answerWith(response, { ...told, profile }, cookies);
}
