// The way to the shards, for who is not one: which shard a profile is in, calls in groups, and what comes back.

import { violationsIn } from "../events/violations.js";
import { log } from "../log.js";
import { Memo } from "../memo.js";
import { pseudonymOf } from "./erased.js";
import { merge, prepare, project } from "./learn.js";
import { anonymousKey, userKey } from "./links.js";

/** In how many shards a site's profiles are. It never changes: where a profile is follows from it. */
export const SHARDS = 64;

/** How long a shard is waited for. */
const PATIENCE_MS = 5000;

/** Those that an isolate asked for last. */
const numbers = new Memo(2000);

/** The number of the shard that a profile is in. */
export async function shardOf(key) {
  let number = numbers.get(key);
  if (number === undefined) {
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
    number = new DataView(hash).getUint32(0) % SHARDS;
    numbers.set(key, number);
  }
  return number;
}

/** Whether profiles are kept at all. */
export const hasProfiles = (env) => typeof env.PROFILES?.idFromName === "function";

/** A shard, to be called. */
export function shardNamed(env, site, number) {
  const name = `${site}/${number}`;
  return env.PROFILES.get(env.PROFILES.idFromName(name));
}

/** Calls a shard, and waits for `patience` milliseconds at most. */
export async function callWithin(patience, env, site, number, method, ...given) {
  let late;
  const timeout = new Promise((_, reject) => (late = setTimeout(() => reject(new Error("a shard does not answer")), patience)));
  try {
    return await Promise.race([shardNamed(env, site, number)[method](site, number, ...given), timeout]);
  } finally {
    clearTimeout(late);
  }
}

/** Calls a shard as long as most wait for one. */
export const callShard = (...call) => callWithin(PATIENCE_MS, ...call);

/** The key of the profile that an event belongs to, and its part there. */
function ownerOf({ userId, anonymousId, messageId }) {
  if (userId === undefined && anonymousId === undefined) {
    // It is nobody's: only counted once. Some keys, so that not all of them are in one shard.
    return { key: `n:${messageId.charCodeAt(messageId.length - 1) % SHARDS}`, part: "" };
  }
  return userId === undefined ? { key: anonymousKey(anonymousId), part: "" } : { key: userKey(userId), part: anonymousId ?? "" };
}

/** What an event says of who is who. */
function linksIn({ type, userId, anonymousId, previousId, timestamp, messageId, trusted }, proven = 0) {
  const id = type === "identify" ? anonymousId : type === "alias" ? previousId : undefined;
  if (id === undefined || userId === undefined) {
    return [];
  }
  // That a user is another one only a server may say; its word for an id leaves open whose that is.
  const isUser = type === "alias" && trusted && previousId !== userId;
  return [anonymousKey(id), ...(isUser ? [userKey(id)] : [])].map((profile) => ({ profile, user: userId, at: timestamp, id: messageId, proven }));
}

/** What is asked for to know a browser: its own profile, or its user's where that is proven. */
function wantsOf({ anonymousId, user, claimed, isRead = true }) {
  const device = anonymousKey(anonymousId);
  if (user !== undefined) {
    return [{ profile: userKey(user), device, isRead }];
  }
  const own = { profile: device, device, isRead };
  // Who says that they are a user, and does not prove it, knows what their own browser did alone.
  return claimed === undefined ? [own] : [{ ...own, user: claimed }, { profile: userKey(claimed), part: anonymousId, device, isRead }];
}

/** What a browser says of its purposes, for each profile that it is about: its own, and its user's where that is proven. */
async function saidBy(visit, { anonymousId, user, statement, isNew = false }) {
  if (statement === undefined) {
    return [];
  }
  const device = anonymousKey(anonymousId);
  const profiles = user === undefined ? [device] : [device, userKey(user)];
  return Promise.all(
    profiles.map(async (profile) => ({ profile, device, statement, isNew, isProven: user !== undefined, isCounted: profile === device, ...(isNew && { who: await pseudonymOf(visit.env, profile) }) })),
  );
}

/** Whether it is proven that an event is its user's, as a number: a server says so, or a token did in the browser that it came from (`user`). */
const provenOf = ({ trusted, userId }, user) => (trusted || (userId !== undefined && userId === user) ? 1 : 0);

/**
 * What each shard is to be called with, by its number: one call each. `places` says which of the entries its events are, `linked` which
 * its links are of; `user` is the one who is proven in the browser that they came from.
 */
async function grouped(entries, joins, said, wants, user) {
  const calls = new Map();
  const callFor = async (key) => {
    const number = await shardOf(key);
    if (!calls.has(number)) {
      calls.set(number, { events: [], places: [], links: [], linked: [], joins: [], said: [], wants: [] });
    }
    return calls.get(number);
  };
  for (const [place, { event, keep, fold, need = "analytics" }] of entries.entries()) {
    const { key, part } = ownerOf(event);
    const call = await callFor(key);
    const { messageId: id, timestamp: at, consent } = event;
    const proven = provenOf(event, user);
    call.events.push({ key, part, id, at, json: JSON.stringify(event), keep, fold, need, proven, consent: JSON.stringify(consent ?? []), noted: violationsIn(event) });
    call.places.push(place);
    for (const link of fold ? linksIn(event, proven) : []) {
      const other = await callFor(link.profile);
      other.links.push(link);
      other.linked.push(place);
    }
  }
  for (const join of joins) {
    (await callFor(join.profile)).joins.push(join);
  }
  for (const one of said) {
    (await callFor(one.profile)).said.push(one);
  }
  for (const want of wants) {
    (await callFor(want.profile)).wants.push(want);
  }
  return calls;
}

/** The projection of states, for the one whom they are of; undefined where that fails. */
function projectionOf(site, answers, user, now) {
  const states = answers.flatMap((answer) => answer.states.flat());
  const quantiles = answers.find((answer) => answer.quantiles !== undefined)?.quantiles;
  try {
    return project(site, merge(site, states), quantiles, now, user);
  } catch (error) {
    log("error", "not_projected", "a profile can't be projected", { error, site });
    return undefined;
  }
}

/**
 * Gives events to their shards. `entries` are `{ event, keep, fold, need }`: a canonical event, whether sinks get it, whether it becomes
 * part of a profile, and the purpose that it needs itself. Of `options` all may be left out: `own`, the browser that asks, `{ anonymousId,
 * user, claimed, others, statement, isNew, isRead }` (`user` is proven by a token, `claimed` is said by its events, `others` are other ids
 * of ours that it brought, `statement` is what it says of its purposes, with `isNew` just now, and with `isRead` false its profile is not to
 * be read); `imported`, whether these are of an import.
 *
 * Answers `{ statuses, projection, told }`: for each event "accepted", "duplicate", "dropped" or "failed", which is to be sent again; the
 * projection of `own`, bytes before they are sealed, undefined when it can't be told; and what holds in that browser (`toldTo` of
 * choices.js, of each profile that was asked), undefined likewise. Never rejects.
 */
export async function give(visit, entries, { own, imported = false } = {}) {
  const { env, ctx, site } = visit;
  const statuses = new Array(entries.length).fill("failed");
  try {
    const joins = (own?.others ?? []).flatMap((other) => [
      { profile: anonymousKey(own.anonymousId), peer: anonymousKey(other) },
      { profile: anonymousKey(other), peer: anonymousKey(own.anonymousId) },
    ]);
    const wants = own === undefined ? [] : wantsOf(own);
    const said = own === undefined ? [] : await saidBy(visit, own);
    const hasLinks = joins.length > 0 || entries.some(({ event, fold }) => fold && linksIn(event).length > 0);
    // What is linked just now is known to be when all of it was taken.
    const calls = await grouped(entries, joins, said, hasLinks ? [] : wants, own?.user);
    const failed = new Set();
    const answers = await Promise.all(
      [...calls].map(async ([number, { places, linked, ...call }]) => {
        try {
          const answer = await callShard(env, site.id, number, "accept", { ...call, imported });
          answer.statuses.forEach((status, at) => (statuses[places[at]] = status));
          return answer;
        } catch (error) {
          log("error", "shard_failed", "a shard did not take events; who sent them is told to send them again", { error, site: site.id });
          [...places, ...linked].forEach((place) => failed.add(place));
          return undefined;
        }
      }),
    );
    failed.forEach((place) => (statuses[place] = "failed"));
    if (own === undefined || (await prepare(env, ctx, site.id)) === undefined) {
      return { statuses };
    }
    const read = hasLinks ? await readAll(env, site, wants) : answers;
    if (read.includes(undefined)) {
      return { statuses };
    }
    const told = read.flatMap((answer) => answer.told ?? []);
    return { statuses, told, ...(own.isRead !== false && { projection: projectionOf(site.id, read, own.user, Date.now()) }) };
  } catch (error) {
    log("error", "shard_failed", "events could not be given to their shards", { error, site: site.id });
    return { statuses };
  }
}

/** What the shards say of profiles; undefined for each that does not answer. */
async function readAll(env, site, wants) {
  return Promise.all(
    wants.map(async (want) => {
      try {
        return await callShard(env, site.id, await shardOf(want.profile), "read", [want]);
      } catch (error) {
        log("error", "shard_failed", "a shard did not answer", { error, site: site.id });
        return undefined;
      }
    }),
  );
}

/** The projection of a browser, `own` as for `give`; undefined when it can't be told. Never rejects. */
export async function projectionFor(visit, own) {
  return (await give(visit, [], { own })).projection;
}

/** Has any of the shards count something of nobody: a call of owned.js by its name. Never rejects; false where it was not counted. */
export async function countAnywhere({ env, site }, name, given) {
  try {
    await callShard(env, site.id, Math.floor(Math.random() * SHARDS), "own", name, given);
    return true;
  } catch (error) {
    log("error", "not_counted_anywhere", "a count of nobody is lost", { error, site: site.id });
    return false;
  }
}
