// What the visitor agrees to, and what follows from it for what is stored of them. The Rust side keeps the choice and the id in the browser
// (worker/src/api/consent.rs); this has the shards keep it too, where there is an id, makes it as strict as what the same user said elsewhere, and
// adds the projection of the profile, or takes it away.

import { failed, isPreview } from "./asked.js";
import { isSame } from "./choice.js";
import { decide } from "./instance.js";
import { log } from "./log.js";
import { countAnywhere, give, hasProfiles } from "./profiles/shards.js";
import { dropped, visitorOf } from "./projection.js";
import { openedFor } from "./sealed.js";
import { whatFollows, lastOfEach, visitAfter } from "./settled.js";
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

/** The body of an answer with the slots that the page may decide again, where there are some. */
export const withSlots = (body, slots) => (slots.length > 0 ? { ...body, slots } : body);

/** So often it is tried again, behind the answer, to tell the shards of a choice, and how long after. */
const AGAIN_MS = [500, 2000, 8000];

/**
 * Keeps a choice of a browser; what the shards say of it, as `give` does. What they could not be told is tried once more, behind the answer. A
 * shard that hears that something is withdrawn sees to it that what was kept for it goes.
 */
async function keep(visit, own) {
  const given = await give(visit, [], { own });
  if (given.told === undefined) {
    const trying = async () => {
      for (const pause of AGAIN_MS) {
        await new Promise((resolve) => setTimeout(resolve, pause));
        if ((await give(visit, [], { own: { ...own, isRead: false } })).told !== undefined) {
          return;
        }
      }
      log("error", "choice_not_kept", "a choice holds in its browser, and could not be kept", { site: visit.site.id });
    };
    visit.ctx.waitUntil(trying());
  }
  return given;
}

/**
 * The answer where something is withdrawn and the shards could not be told: it holds in the browser from now on, and the browser can say it again,
 * with all that says whose it is.
 */
function untold(response, set) {
  const answer = failed(response, 503, "unavailable", "Your choice holds in this browser; what was kept could not be deleted yet. Please try again.", { "retry-after": "10" });
  const headers = new Headers(answer.headers);
  headers.delete("set-cookie");
  set.filter((cookie) => cookie.startsWith(`${CONSENT}=`)).forEach((cookie) => headers.append("set-cookie", cookie));
  return new Response(answer.body, { status: answer.status, headers });
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
  const { id: anonymousId } = visitor ?? earlier ?? {};
  // Who is proven here may say it again when they agree to nothing any more.
  const user = (await openedFor(visit, earlier?.id))?.user;
  const isRead = visitor?.purposes.includes("personalization") === true;
  const isKept = anonymousId !== undefined && hasKey(visit.env) && hasProfiles(visit.env) && !isPreview(visit);
  // A platform says on every page what was said once.
  if (!isKept && !isPreview(visit) && hasProfiles(visit.env) && !isSame(statement, choiceOf(visit.request))) {
    visit.ctx.waitUntil(countAnywhere(visit, "choice", statement));
  }
  const given = isKept ? await keep(visit, { anonymousId, ...(user && { user }), isRead, isNew: true, statement }) : {};
  if (isKept && given.told === undefined && Object.values(statement.choice).includes("withdrawn")) {
    return untold(response, set);
  }
  const { cookies, slots } = await whatFollows(after, visitor ?? { purposes: [] }, given);
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
  return answerWith(response, withSlots({ ...told, profile }, slots), cookies);
}
