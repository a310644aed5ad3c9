// What a shard deletes of visitors: all that is theirs, wherever it lies, or what is kept of them for some purposes. Synchronous, a part of
// the caller's transaction, and the same however often it is done.

import { PURPOSES } from "../choice.js";
import { forgetReaders } from "./accesses.js";
import { forget as forgetChoices } from "./choices.js";
import { purposeOf, traitsOf, without } from "./erased.js";
import { strip } from "./learn.js";
import { reduced } from "./links.js";
import { deletePart, togetherWith } from "./parts.js";
import { eventIn, isTheirs, subjectsOf } from "./whose.js";

/** What goes of whom nobody needs to know any more that they withdrew: what is kept for any purpose, and what holds of those. */
export const ALL_WITHDRAWN = [...PURPOSES, "choices"];

/** What goes in an erasure: that, and each choice as it was made, which is kept under a pseudonym. */
export const EVERYTHING = [...ALL_WITHDRAWN, "history"];

/** What goes with a profile of which nothing came for too long. What sinks have of it is kept for as long as its own purpose says. */
export const OVER = ["personalization", "choices", "history"];

const LIST = "IN (SELECT value FROM json_each(?1))";

/**
 * Of texts of JSON those that hold one of some words, which stand in the argument. What they are in it is looked at then. The column is told with its
 * table: `json` alone is one of `json_each`.
 */
const holding = (column) => `EXISTS (SELECT 1 FROM json_each(?1) WHERE instr(${column}, value) > 0)`;

/** The streams by name (outbox.js). */
const STREAMS = ["queue", "r2"];

const isWhole = (purposes) => PURPOSES.every((purpose) => purposes.includes(purpose));

/** Whether all goes that is known of somebody, and not what is kept for some purposes. */
export const isErasure = (purposes) => EVERYTHING.every((one) => purposes.includes(one));

/** Whether profiles go that are over (`OVER`). */
export const isOver = (purposes) => !isWhole(purposes) && purposes.includes("choices");

/** Whether only the program says what is to go: what things are for, of which some stay. */
export const needsProgram = (purposes) => !isWhole(purposes) && !isOver(purposes);

/** The purpose that a sink is for; of one that is not known any more undefined. */
export function purposeOfSink(program, sink) {
  const webhook = program?.webhooks.find(({ name }) => `webhook:${name}` === sink);
  return webhook?.purpose ?? (sink.startsWith("webhook:") ? undefined : (program?.consent?.sinks?.[sink] ?? "analytics"));
}

/** Whether an event is to go that a sink has for a purpose of these: its own, or the sink's. Who entered an audience is no event. */
export function goes(program, purposes, event, sink) {
  const own = event.type === undefined ? [] : [purposeOf(program, event)];
  return isWhole(purposes) || [...own, purposeOfSink(program, sink)].some((purpose) => purposes.includes(purpose));
}

/** Whether any event could go that the bucket has. */
export function mayGoFromBucket(program, purposes) {
  // Of what is not declared it is analytics.
  const those = ["analytics", purposeOfSink(program, "r2"), ...Object.values(program?.consent?.events ?? {})];
  return !isOver(purposes) && those.some((purpose) => purposes.includes(purpose));
}

/** The parts that are theirs: of their profiles, and of others' what they did or handed over. */
function partsOf(sql, { keys, browsers, users }) {
  const own = sql.exec(`SELECT * FROM parts WHERE profile ${LIST}`, JSON.stringify(keys)).toArray();
  const handed = sql.exec(`SELECT * FROM parts WHERE pushed = 1 AND name ${LIST} AND NOT profile ${LIST}`, JSON.stringify(keys)).toArray();
  // What another user did in their browser is that user's; a browser that goes by itself goes from all.
  const done = users.length > 0 ? [] : sql.exec(`SELECT * FROM parts WHERE pushed = 0 AND profile GLOB 'u:*' AND name ${LIST}`, JSON.stringify(browsers)).toArray();
  return { own, others: [...handed, ...done] };
}

/**
 * Empties a part whose messageIds are kept on, so that what is kept for another purpose counts once still. Whom it is handed to is told: it is newer
 * than what was erased.
 */
function emptyPart(sql, { id }, at) {
  sql.exec("UPDATE events SET json = NULL WHERE part = ?", id);
  sql.exec("UPDATE parts SET version = max(version, ?) + 1, base = NULL, base_at = NULL, base_id = NULL, state = NULL, newest_at = NULL, newest_id = NULL, held = 0, dirty = 0 WHERE id = ?", at, id);
}

/** Takes events out of windows of profiles that stay: who is named in them as somebody else. Their parts are folded anew. */
function leaveWindows(sql, who) {
  const rows = sql.exec(`SELECT part, id, json FROM events WHERE json IS NOT NULL AND ${holding("events.json")}`, JSON.stringify(who.words)).toArray();
  const theirs = rows.filter(({ json }) => isTheirs(who, JSON.parse(json)));
  for (const { part, id } of theirs) {
    sql.exec("DELETE FROM events WHERE part = ? AND id = ?", part, id);
    sql.exec("UPDATE parts SET held = max(held - 1, 0), ids = max(ids - 1, 0), dirty = max(dirty, 1) WHERE id = ?", part);
  }
  return theirs.length;
}

/** Deletes what is known of them. Returns how much that was, and the profiles of others that are less by it. */
function deleteProfiles(shard, who, purposes, at) {
  const { sql } = shard;
  const { own, others } = partsOf(sql, who);
  // Who withdraws a purpose is known still to have done so, in all browsers that are theirs: whose those are stays.
  const isErased = purposes.includes("choices");
  const isKept = !purposes.includes("analytics");
  own.forEach((part) => (part.pushed === 0 && (!isErased || (isKept && part.ids > 0)) ? emptyPart(sql, part, at) : deletePart(sql, part)));
  // What was put together can't be taken apart: where theirs is in it, all of it goes.
  const together = togetherWith(sql, others);
  [...others, ...together].forEach((part) => deletePart(sql, part));
  const holders = new Set(others.map(({ profile }) => profile));
  holders.forEach((profile) => reduced(shard, profile));
  // Of whom nothing is left is in no audience, and leaves none by that.
  sql.exec(`DELETE FROM members WHERE key ${LIST} AND NOT EXISTS (SELECT 1 FROM parts WHERE parts.profile = members.key)`, JSON.stringify([...holders]));
  let count = own.length + others.length;
  const known = [["targets", "profile"], ["targets", "target"], ["links", "profile"]];
  for (const [table, column] of [...(isErased ? known : []), ["notes", "profile"], ["tags", "profile"], ["members", "key"]]) {
    count += sql.exec(`DELETE FROM ${table} WHERE ${column} ${LIST}`, JSON.stringify(who.keys)).rowsWritten;
  }
  if (isErased) {
    count += forgetChoices(sql, who.keys) + forgetReaders(sql, who.keys);
  }
  sql.exec("UPDATE parts SET targets = (SELECT count(*) FROM targets WHERE targets.profile = parts.profile) WHERE targets > 0");
  // Where the daily look at all profiles goes on is a key too.
  sql.exec(`UPDATE watch SET after = '' WHERE after ${LIST}`, JSON.stringify(who.keys));
  return { count: count + leaveWindows(sql, who), holders };
}

/** Takes traits out of what is known of them, and out of the events of their windows. Returns how many parts that changed, and whose. */
function stripTraits(shard, who) {
  const { sql, program } = shard;
  const names = traitsOf(program, "marketing");
  const { own, others } = partsOf(sql, who);
  const changed = names.length === 0 ? [] : [...own, ...others, ...togetherWith(sql, others)].filter((part) => stripPart(sql, part, names, Infinity));
  new Set(changed.map(({ profile }) => profile)).forEach((profile) => reduced(shard, profile));
  return { count: changed.length, holders: new Set(changed.map(({ profile }) => profile)) };
}

/** Takes traits that were told before an instant out of a part. Returns whether it had any. */
export function stripPart(sql, { id, pushed, base, state, version }, names, before) {
  const [nextBase, nextState] = [base, state].map((bytes) => (bytes === null ? undefined : strip(bytes, names, before)));
  let isChanged = nextBase !== undefined || nextState !== undefined;
  for (const { id: messageId, json } of sql.exec("SELECT id, json FROM events WHERE part = ? AND json IS NOT NULL AND at < ?", id, Math.min(before, Number.MAX_SAFE_INTEGER)).toArray()) {
    const next = without(json, names);
    if (next !== json) {
      sql.exec("UPDATE events SET json = ? WHERE part = ? AND id = ?", next, id, messageId);
      isChanged = true;
    }
  }
  if (isChanged) {
    // What was handed over keeps the number that it came with: the next that comes is newer.
    sql.exec("UPDATE parts SET base = coalesce(?, base), state = coalesce(?, state), version = ? WHERE id = ?", nextBase ?? null, nextState ?? null, pushed === 0 ? version + 1 : version, id);
  }
  return isChanged;
}

/** Rows of a table whose body is theirs, each with its event. */
function* rowsOf(sql, table, column, who) {
  for (const row of sql.exec(`SELECT * FROM ${table} WHERE ${holding(`${table}.${column}`)}`, JSON.stringify(who.words)).toArray()) {
    const event = eventIn(JSON.parse(row[column]));
    if (isTheirs(who, event)) {
      yield { ...row, event };
    }
  }
}

/** Takes back what waits for sinks, and what they did not take. Returns how much that was. */
function emptySinks(shard, who, purposes) {
  const { sql, program } = shard;
  let count = 0;
  for (const { seq, only, event } of rowsOf(sql, "outbox", "json", who)) {
    const sinks = only === null ? STREAMS : [only];
    const left = sinks.filter((sink) => !goes(program, purposes, event, sink));
    if (left.length === 0) {
      // An empty row stays in its place: a batch that was begun has the same name when it is sent again.
      sql.exec("UPDATE outbox SET json = '' WHERE seq = ?", seq);
    } else if (left.length < sinks.length) {
      sql.exec("UPDATE outbox SET only = ? WHERE seq = ?", left[0], seq);
    }
    count += sinks.length - left.length;
  }
  for (const table of ["deliveries", "dead"]) {
    for (const { seq, sink, event } of rowsOf(sql, table, "body", who)) {
      if (goes(program, purposes, event, sink)) {
        sql.exec(`DELETE FROM ${table} WHERE seq = ?`, seq);
        count += 1;
      }
    }
  }
  return count;
}

/**
 * Deletes what a shard has of profiles (`keys`) for some purposes; for all of them everything. Answers with the profiles of others that
 * are less by it (`holders`), and how much it was (`count`).
 */
export function purge(shard, { keys, purposes, at }) {
  const who = subjectsOf(keys);
  const isProfile = purposes.includes("personalization");
  const { count, holders } = isProfile ? deleteProfiles(shard, who, purposes, at) : purposes.includes("marketing") ? stripTraits(shard, who) : { count: 0, holders: new Set() };
  return { holders: [...holders], count: count + (isOver(purposes) ? 0 : emptySinks(shard, who, purposes)) };
}
