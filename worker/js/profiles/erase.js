// Erasures: everything that is stored of a visitor goes, or what is stored of them for a purpose that they withdrew.
//
// One shard sees to an erasure, that of the profile which it is about. It keeps a job in a table, and goes on by alarm until all is done:
// first it asks all shards for further profiles of the same visitor (their browsers, what their user was called before) until there are no
// more, then has all of them delete everything, the objects in the bucket included. Nothing is deleted
// before it is written down whom it leads to. Shards may be asked and told the same any number of times. What stays is a receipt:
// a random id, when, and what was done.

import { log } from "../log.js";
import { forgetHistory, historyOf } from "./choices.js";
import { NUMBERS, each } from "./each.js";
import { hasLines, keepOf, noteErased, noteLines, pseudonymsOf } from "./erased.js";
import { begin as beginExported, isBusy } from "./exported.js";
import { anonymousKey, relatedTo, userKey } from "./links.js";
import { noteSize, overwriteSoon } from "./overwrite.js";
import { ALL_WITHDRAWN, EVERYTHING, isErasure, isOver, mayGoFromBucket, needsProgram, purge, purposeOfSink } from "./purge.js";
import { later } from "./retry.js";
import { callShard, shardOf } from "./shards.js";

/** How long who asks for it waits for all shards to be told; they are told in any case. */
const PATIENCE_MS = 1000;

/** So many profiles a shard is told of at a time. */
const AT_ONCE = 1000;

/** For so long who asks for an erasure again, and of whom nothing came since, has had it. */
const AGAIN_MS = 3600 * 1000;

/** How soon a shard is asked again whose objects are being looked through. */
const BUSY_MS = 2000;

/** Further profiles of the same visitors as a shard knows them. */
export const related = ({ sql }, { keys }) => ({ more: relatedTo(sql, keys) });

/**
 * Those of these profiles of which there may be lines in objects that this shard wrote: who had an event taken has a part until the profile is
 * over, and is noted then. A browser has one in the profile of each user that it says it is.
 */
function linedOf(sql, keys, named) {
  const LINED = "SELECT profile AS key FROM parts WHERE pushed <> 1 AND profile IN (SELECT value FROM json_each(?1)) UNION SELECT 'a:' || name FROM parts WHERE pushed = 0 AND 'a:' || name IN (SELECT value FROM json_each(?1))";
  const known = new Set(sql.exec(LINED, JSON.stringify(keys)).toArray().map(({ key }) => key));
  return keys.filter((key, at) => known.has(key) || hasLines(sql, named[at]));
}

/** What a shard does of an erasure, for these keys, the first of which has the number `from`. Answers whether it is not done yet. */
export async function forget(shard, { id, from, keys, purposes, at }) {
  const { sql, env, number, program } = shard;
  if (keys.length > 0) {
    // Secrets change: what was noted by an older one is of the same.
    const named = await Promise.all(keys.map((key) => pseudonymsOf(env, key)));
    const pseudonyms = named.map(([current]) => current);
    const homes = await Promise.all(keys.map(shardOf));
    const { holders } = shard.transaction(() => {
      const lined = linedOf(sql, keys, named);
      noteErased(shard, pseudonyms, purposes, at);
      if (purposes.includes("history")) {
        forgetHistory(sql, named.flat());
      }
      if (isOver(purposes)) {
        noteLines(shard, lined.map((key) => pseudonyms[keys.indexOf(key)]), keepOf(program)[purposeOfSink(program, "r2")]);
      }
      // As large as it is before anything is deleted.
      noteSize(sql);
      const found = purge(shard, { keys, purposes, at });
      if (found.count > 0) {
        overwriteSoon(shard);
      }
      // What is in the bucket was written by the shards that have them, or had. An erasure trusts nothing but a look.
      if (mayGoFromBucket(program, purposes) && (found.count > 0 || lined.length > 0 || (homes.includes(number) && isErasure(purposes)))) {
        beginExported(shard, { id, from, keys, purposes });
      }
      return found;
    });
    shard.moved(holders);
    if (program === undefined && needsProgram(purposes)) {
      throw new Error("there is no program");
    }
  }
  return { isBusy: isBusy(sql, id) };
}

/** The erasures that are going on, by the database that they are of: who asks and the alarm may both see to one. */
const going = new WeakMap();

const jobOf = (sql, id) => sql.exec("SELECT * FROM erasures WHERE id = ?", id).toArray()[0];

/** Notes further profiles that an erasure is about. */
function add(sql, id, keys) {
  const ADD = "INSERT INTO erasing (id, n, key) SELECT ?1, (SELECT coalesce(max(n) + 1, 0) FROM erasing WHERE id = ?1), ?2 WHERE true ON CONFLICT DO NOTHING";
  keys.forEach((key) => sql.exec(ADD, id, key));
}

const keysOfJob = (sql, condition, ...given) => sql.exec(`SELECT key FROM erasing WHERE id = ? AND ${condition}`, ...given).toArray().map(({ key }) => key);

/**
 * Asks all shards, or tells them, what they were not yet, of so many profiles. Returns how far it is: `isMore` where it may go on at once,
 * `isDone`.
 */
async function step(shard, job) {
  const { sql, env, site, number } = shard;
  const { id, at } = job;
  const [purposes, told] = [job.purposes, job.told].map((text) => JSON.parse(text));
  const { total } = sql.exec("SELECT count(*) AS total FROM erasing WHERE id = ?", id).one();
  const isAsking = told.asked.some((many) => many < total);
  const [name, call, known] = isAsking ? ["related", related, told.asked] : ["forget", forget, told.known];
  // Whose a browser's events are is told by all its users.
  const users = isAsking ? [] : keysOfJob(sql, "key GLOB 'u:*'", id);
  const busy = new Set();
  let fails = 0;
  await each(NUMBERS.filter((one) => known[one] < total || (!isAsking && told.busy.includes(one))), async (one) => {
    const from = known[one];
    const some = keysOfJob(sql, "n >= ? AND n < ? ORDER BY n", id, from, Math.min(from + AT_ONCE, total));
    const keys = some.length === 0 ? [] : [...new Set([...some, ...users])];
    try {
      const { more = [], isBusy } = await (one === number ? call(shard, { id, from, keys, purposes, at }) : callShard(env, site, one, "own", name, { id, from, keys, purposes, at }));
      add(sql, id, more);
      known[one] = from + some.length;
      if (isBusy) {
        busy.add(one);
      }
    } catch (error) {
      fails += 1;
      log("error", "not_erased", "a shard could not be told of an erasure; that is tried again", { error, site });
    }
  });
  told.busy = [...busy];
  const tries = fails > 0 ? job.tries + 1 : 0;
  const due = Date.now() + (fails > 0 ? later(tries) : BUSY_MS);
  sql.exec("UPDATE erasures SET told = ?, tries = ?, due = ? WHERE id = ?", JSON.stringify(told), tries, due, id);
  const isLeft = isAsking || known.some((many) => many < total);
  return { isMore: isLeft && fails === 0, isDone: !isLeft && fails === 0 && busy.size === 0 };
}

/** Goes on with an erasure, as far as it comes now. */
async function goOn(shard, id) {
  const { sql, site } = shard;
  const own = going.get(sql) ?? new Set();
  going.set(sql, own);
  if (own.has(id)) {
    return;
  }
  own.add(id);
  try {
    for (let job = jobOf(sql, id); job !== undefined; job = jobOf(sql, id)) {
      const { isMore, isDone } = await step(shard, job);
      if (isDone) {
        shard.transaction(() => {
          noteSize(sql);
          sql.exec("DELETE FROM erasures WHERE id = ?", id);
          sql.exec("DELETE FROM erasing WHERE id = ?", id);
          sql.exec("UPDATE receipts SET done = ? WHERE id = ?", Date.now(), id);
          overwriteSoon(shard);
        });
      } else if (!isMore) {
        return;
      }
    }
  } catch (error) {
    log("error", "not_erased", "an erasure did not come to its end; that is tried again", { error, site });
    sql.exec("UPDATE erasures SET tries = tries + 1, due = ? WHERE id = ?", Date.now() + later(1), id);
  } finally {
    own.delete(id);
  }
}

/** Notes that profiles are to be erased, for purposes; the alarm does it. `what` says to whom it may concern why. */
export function note({ sql, now }, { id, keys: given, purposes, what }) {
  const none = NUMBERS.map(() => 0);
  const told = JSON.stringify({ asked: none, known: none, busy: [] });
  sql.exec("INSERT INTO receipts (id, at, what) VALUES (?, ?, ?)", id, now, what);
  add(sql, id, [...given, ...relatedTo(sql, given)]);
  sql.exec("INSERT INTO erasures (id, purposes, at, told, due) VALUES (?, ?, ?, ?, ?)", id, JSON.stringify(purposes), now, told, now);
}

/** Notes that this shard has done its part for the first profiles of an erasure, and whether it looks through the bucket for them still. */
function toldOf({ sql, number }, { id, keys }, isBusy) {
  const job = jobOf(sql, id);
  const told = job && JSON.parse(job.told);
  const many = new Set(keys).size;
  if (told?.known[number] < many) {
    told.known[number] = many;
    told.busy = isBusy ? [...new Set([...told.busy, number])] : told.busy;
    sql.exec("UPDATE erasures SET told = ? WHERE id = ?", JSON.stringify(told), id);
  }
}

/** Begins with an erasure that is noted: what this shard itself has is deleted when it answers, and most others are told. */
export async function begin(shard, given) {
  const job = jobOf(shard.sql, given.id);
  if (job === undefined) {
    return; // The alarm was quicker.
  }
  const { isBusy } = await forget(shard, { ...given, from: 0, at: job.at });
  toldOf(shard, given, isBusy);
  let late;
  await Promise.race([goOn(shard, given.id), new Promise((resolve) => (late = setTimeout(resolve, PATIENCE_MS)))]);
  clearTimeout(late);
}

/** Whether all of profiles was erased a short while ago, and nothing came of them since. Of profiles of other shards this one does not know. */
async function isDone({ sql, env, now, number }, { keys, purposes }) {
  if ((await Promise.all(keys.map(shardOf))).some((home) => home !== number)) {
    return false;
  }
  const ERASED = "SELECT count(DISTINCT purpose) AS n FROM erased WHERE at > ? AND who IN (SELECT value FROM json_each(?)) AND purpose IN (SELECT value FROM json_each(?))";
  for (const names of await Promise.all(keys.map((key) => pseudonymsOf(env, key)))) {
    const isErased = sql.exec(ERASED, now - AGAIN_MS, JSON.stringify(names), JSON.stringify(purposes)).one().n === purposes.length;
    if (!isErased || historyOf(sql, names).length > 0) {
      return false;
    }
  }
  const isIn = (table) => sql.exec(`SELECT 1 FROM ${table} WHERE profile IN (SELECT value FROM json_each(?)) LIMIT 1`, JSON.stringify(keys)).toArray().length > 0;
  return !["parts", "consents", "targets", "links", "notes", "tags"].some(isIn);
}

/** Notes an erasure, and begins with it. With `isOnce` nothing is begun of whom all was erased just before. Returns whether it is. */
export async function erase(shard, { isOnce = false, ...given }) {
  if (isOnce && (await isDone(shard, given))) {
    return false;
  }
  shard.transaction(() => note(shard, given));
  await begin(shard, given);
  return true;
}

/** When erasures are to go on; undefined where there are none. */
export const eraseDue = (sql) => sql.exec("SELECT min(due) AS due FROM erasures").one().due ?? undefined;

/** Goes on with what is due. */
export async function goOnAll(shard) {
  for (const { id } of shard.sql.exec("SELECT id FROM erasures WHERE due <= ? ORDER BY due, id", shard.now).toArray()) {
    await goOn(shard, id);
  }
}

/** Has the shard of the first of these keys see to it. */
const begun = async (env, site, given) => callShard(env, site, await shardOf(given.keys[0]), "own", "erase", { ...given, purposes: EVERYTHING });

/**
 * Erases all that is stored of a visitor's profiles: returns the receipt, null where all was erased just before and nothing came since, which `isOnce`
 * has looked at. Rejects where the shard can't be told.
 */
export async function eraseAll(env, site, keys, isOnce) {
  const id = crypto.randomUUID();
  return (await begun(env, site, { id, keys, what: "erased by the visitor", isOnce })) ? id : null;
}

/** The same for the site's owner, as JSON; the receipt has its id already. */
export async function eraseOf(env, site, key, receipt) {
  await begun(env, site, { id: receipt, keys: [key], what: "erased by the owner" });
  return JSON.stringify({ receipt, erased: true });
}

/** The keys of a visitor's profiles. */
export const keysOf = ({ anonymousId, user }) => [...(user ? [userKey(user)] : []), ...(anonymousId ? [anonymousKey(anonymousId)] : [])];

/**
 * Notes that a profile's person withdrew purposes: what was kept for them goes. Without `personalization` the profile; without `marketing` the traits
 * for it; without either, and without `analytics`, the events for it that wait, and that are in the bucket. With `isAll` nothing is agreed to any
 * more, and nobody but this browser is to know: so what they said of it goes too. A part of the caller's transaction. Returns what `begin` takes.
 */
export function withdraw(shard, profile, purposes, isAll) {
  const given = { id: crypto.randomUUID(), keys: [profile], purposes: isAll ? ALL_WITHDRAWN : purposes, what: `withdrawn: ${purposes.join(", ")}` };
  note(shard, given);
  return given;
}
