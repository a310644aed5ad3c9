// What visitors and servers report: read, judged, and given to the shards that keep it. An answer of 200 says that what was accepted is
// on disk; where a shard failed it is 503, who sent it sends all of it again, and what was kept before is a duplicate then.

import { isMeasured, purposesOf } from "../agreed.js";
import { failure } from "../answer.js";
import { count } from "../counters.js";
import { sentWith } from "../host.js";
import { run } from "../instance.js";
import { log } from "../log.js";
import { measure, rowOf } from "../measure.js";
import { splitPreview } from "../preview.js";
import { prepare } from "../profiles/learn.js";
import { give, hasProfiles } from "../profiles/shards.js";
import { visitorOf } from "../projection.js";
import { whatFollows } from "../settled.js";
import { choiceOf, hasKey } from "../visitor.js";
import { readJson } from "./body.js";
import { readEvent } from "./event.js";
import { eventsOf } from "./formats.js";
import { asksForKeys, senderOf } from "./keys.js";
import { MOST_EVENTS, MOST_EVENT_BYTES } from "./limits.js";
import { identified, otherOf } from "./ids.js";
import { agreedTo, notKept } from "./purposes.js";
import { withZone } from "./zone.js";

/** What an answer lets pages of the site's other hosts read. */
function shared({ origin }) {
  return {
    vary: "origin",
    ...(origin && { "access-control-allow-origin": origin, "access-control-allow-credentials": "true", "access-control-expose-headers": "retry-after" }),
  };
}

/**
 * What the program says of a request and of the events that it brings (worker/src/collect.rs): `version`, `own` and `foreign`, `bot`,
 * and `events`; and the headers of the answer (`shared`).
 */
export async function judge({ request, env, ctx, site, url }, events, isTrusted) {
  await prepare(env, ctx, site.id);
  const judged = JSON.parse(run((rust) => rust.judge(site.id, url.href, sentWith(request), JSON.stringify(events), isTrusted)));
  return { ...judged, shared: shared(judged) };
}

/** Whether a page sent a request, as far as browsers tell. */
const isOfPage = ({ headers }) => headers.has("origin") || headers.has("sec-fetch-site");

/** Why a request brings nothing that is taken: status, code, words; undefined when it does. */
function refusal(visit, format, { refused, sent, sender, judged }) {
  if (refused !== undefined) {
    return [refused.status, refused.code, refused.message];
  }
  if (judged.foreign) {
    return [403, "forbidden", "Events can only be sent from pages of the site's hosts, and from servers."];
  }
  if (sender === undefined || (!sender.hasKey && !judged.own && asksForKeys(visit))) {
    return [401, "unauthorized", "Expected a write key of this Worker: by Basic, `x-write-key`, `authorization: Bearer` or `writeKey`."];
  }
  if (sender.kind === "server" && isOfPage(visit.request)) {
    return [403, "key_in_page", "A server's key was sent by a page, where all can read it: it is a secret. Take another one."];
  }
  if (sent === undefined) {
    return [400, "bad_request", format.list === undefined ? "Expected an event." : `Expected {"${format.list}": [..]}.`];
  }
  if (sent.events.length > MOST_EVENTS) {
    return [400, "too_many", `Expected ${MOST_EVENTS} events at most.`];
  }
  if (judged.version === null || !hasProfiles(visit.env)) {
    return [503, "no_program", "Events can't be taken at the moment: there is no program, or the binding PROFILES is missing."];
  }
  return undefined;
}

/** Whether a request comes from someone who looks at the site as someone else. Local start allows that everywhere: there the page's address tells. */
function isPreview({ request, env, overrides }) {
  if (overrides === undefined) {
    return false;
  }
  return env.IDOINE_PREVIEW !== "local" || overrides.length > 0 || isPreviewed(request.headers.get("referer"));
}

const isPreviewed = (address) => typeof address === "string" && splitPreview(address).length > 1;

/** An event without those of its traits that nobody agreed to. */
function permitted(event, declared, agreed) {
  const refused = Object.keys(declared).filter((name) => !agreed.includes(declared[name]));
  if (refused.length === 0) {
    return event;
  }
  return { ...event, traits: Object.fromEntries(Object.entries(event.traits).filter(([name]) => !refused.includes(name))) };
}

const dropped = (reason) => ({ status: "dropped", reason });

/** What people do in pages. Of the other types each says who somebody is. */
const DONE = ["page", "track", "exposure"];

/** Whether an event is counted without its visitor (`measures`): what people do in pages. */
const isCounted = ({ type }, { purpose }, { sender, judged, measures }) => measures && DONE.includes(type) && purpose === "analytics" && sender.kind === "browser" && !judged.bot;

/** What becomes of an event: a `result`, or an `entry` for the shards; and what is counted of it (`row`). */
async function prepared(visit, { event, preferences }, path, judgement, about) {
  const { format, sender, judged, visitor, held, preview } = about;
  if (preview || (visit.overrides !== undefined && isPreviewed(event.context?.page?.url))) {
    return { result: dropped("preview") };
  }
  const isTrusted = sender.kind === "server";
  const agreed = agreedTo(visit.request, { held, isOwn: format.isOwn, isTrusted, preferences, basis: sender.purposes });
  const keep = agreed.includes(judgement.purpose);
  const fold = agreed.includes("personalization") && hasKey(visit.env);
  const row = !agreed.includes("analytics") && isCounted(event, judgement, about) ? rowOf(event) : undefined;
  if (!keep && !fold) {
    return { result: dropped(row === undefined ? notKept(visit.env, agreed) : "counted"), row };
  }
  const known = await identified(visit, permitted(event, judgement.traits ?? {}, agreed), { isTrusted, visitor });
  const { anonymousId, userId, type } = known;
  if (anonymousId === undefined && userId === undefined && ["identify", "group", "alias"].includes(type)) {
    const error = { code: "missing_field", message: "Expected `userId` or `anonymousId`: of whom it is said.", path: `${path}/userId` };
    return { result: { status: "rejected", error } };
  }
  const { violations } = judgement;
  const stored = {
    ...known,
    ...(!isTrusted && { context: withZone(event.context, visit.request) }),
    site: visit.site.id,
    source: sender.name,
    trusted: isTrusted,
    ...(judged.bot && !isTrusted && { bot: true }),
    consent: agreed,
    ...(violations && { violations }),
  };
  // Without an id there is no profile that it could be part of.
  const isSomebodys = fold && (anonymousId ?? userId) !== undefined;
  const other = isSomebodys ? await otherOf(visit, event, { isTrusted, visitor }) : undefined;
  return { entry: { event: stored, keep, fold: isSomebodys, need: judgement.purpose, other }, row };
}

/** The browser whose projection follows from the events that it sent; undefined where it has none. */
function ownOf({ request }, { visitor }, entries) {
  if (visitor === undefined) {
    return undefined;
  }
  const claimed = entries.findLast(({ event, fold }) => fold && event.userId !== undefined)?.event.userId;
  const others = new Set(entries.map(({ other }) => other).filter((other) => other !== undefined));
  const isRead = visitor.purposes.includes("personalization");
  return { anonymousId: visitor.id, others: [...others], ...(visitor.user ? { user: visitor.user } : { claimed }), statement: choiceOf(request), isRead };
}

/** Gives events to the shards: a result for each, and what follows for the browser (`whatFollows`). */
async function kept(visit, given, prepared) {
  const entries = prepared.map(({ entry }) => entry).filter(Boolean);
  const own = ownOf(visit, given, entries);
  const taken = entries.length === 0 ? { statuses: [] } : await give(visit, entries, { own });
  const told = taken.statuses.values();
  const results = prepared.map(({ result, entry }) => {
    if (result !== undefined) {
      return result;
    }
    const { violations } = entry.event;
    const status = told.next().value;
    return status === "dropped" ? dropped("no_consent") : { status, ...(violations && { violations }) };
  });
  const follows = given.visitor === undefined ? { cookies: [], slots: [] } : await whatFollows(visit, given.visitor, taken);
  return { results, ...follows };
}

/** Counts what became of events, and says which mistakes they have: without a word of what they say. */
function tell(visit, results) {
  const mistakes = new Set();
  for (const { status, error } of results) {
    count(visit, `events_${status}`);
    if (error !== undefined) {
      mistakes.add(error.code);
    }
  }
  if (mistakes.size > 0) {
    const rejected = results.filter(({ status }) => status === "rejected").length;
    log("warn", "events_rejected", `${rejected} of ${results.length} events can't be read`, { site: visit.site.id, codes: [...mistakes] });
  }
}

/** Whether the answer is 503: who sent it sends all of it again. */
const isLost = (results) => results.some(({ status }) => status === "failed");

/**
 * What is counted of events: each once, however often it is sent again. What is stored is known when it comes again; what is not stored is nobody's, so
 * that it counts with the answer after which it does not come again.
 */
function counted(made, results) {
  return made.filter(({ entry }, at) => (entry === undefined ? !isLost(results) : results[at].status === "accepted")).flatMap(({ row }) => row ?? []);
}

function answered(format, results, slots, headers) {
  // A client that is told of one bad event among many would send all of them again, or throw all of them away.
  const bad = format.list === undefined ? results[0]?.error : undefined;
  const status = isLost(results) ? 503 : bad !== undefined ? 400 : 200;
  if (format.isOwn) {
    return Response.json({ results, ...(slots.length > 0 && { slots }) }, { status, headers });
  }
  return Response.json(bad === undefined ? { success: status === 200 } : { success: false, error: bad }, { status, headers });
}

/** The answer to a request that brings events, in a format (formats.js). */
export async function collect(visit, format) {
  const receivedAt = Date.now();
  const { request, url } = visit;
  const { value, bytes, refused } = await readJson(request);
  const sent = refused === undefined ? eventsOf(format, value) : undefined;
  const sender = senderOf(visit, sent?.writeKey ?? url.searchParams.get("writeKey") ?? undefined, format.isOwn);
  const isTrusted = sender?.kind === "server";
  const given = { isOwn: format.isOwn === true, isSmall: bytes <= MOST_EVENT_BYTES, receivedAt, sentAt: sent?.sentAt, isTrusted };
  const isTaken = sent !== undefined && sent.events.length <= MOST_EVENTS;
  const read = isTaken ? sent.events.map(([raw, path]) => ({ path, ...readEvent(raw, path, given) })) : [];
  const judged = await judge(visit, read.flatMap(({ event }) => event ?? []), isTrusted);
  const refusing = refusal(visit, format, { refused, sent, sender, judged });
  if (refusing !== undefined) {
    return failure(...refusing, judged.shared);
  }
  visit.bot = judged.bot && !isTrusted;
  visit.version = judged.version;
  const visitor = isTrusted ? undefined : await visitorOf(visit);
  const held = isTrusted ? [] : purposesOf(visit);
  const about = { format, sender, judged, visitor, held, measures: !isTrusted && isMeasured(visit), preview: isPreview(visit) };
  const judgements = judged.events.values();
  const made = await Promise.all(
    read.map(async ({ error, path, ...one }) =>
      error === undefined ? prepared(visit, one, path, judgements.next().value, about) : { result: { status: "rejected", error } },
    ),
  );
  const { results, cookies, slots } = await kept(visit, about, made);
  tell(visit, results);
  measure(visit, counted(made, results));
  const response = answered(format, results, slots, { "cache-control": "private, no-store", ...judged.shared });
  cookies.forEach((cookie) => response.headers.append("set-cookie", cookie));
  return response;
}
