// Events of erased visitors in the bucket: a shard takes them out of the objects that it has written, one object after the other, and writes
// what is left of each under its own name. The objects of days that are over are deleted.

import { log } from "../log.js";
import { goes, isOf, subjectsOf } from "./purge.js";
import { later } from "./retry.js";
import { bucket, dayOf, ndjson, shardPrefix, siteFolder } from "./sinks/r2.js";

/** So many objects one alarm looks at; the others have the next one, at once. */
const OBJECTS = 50;

/** Has the objects of this shard looked through. What is told later of the same erasure has it begin anew. */
export function begin({ sql, env, now }, { id, keys, purposes }) {
  if (!bucket.isBound(env)) {
    return;
  }
  const [row] = sql.exec("SELECT keys FROM exported WHERE id = ?", id).toArray();
  const all = [...new Set([...JSON.parse(row?.keys ?? "[]"), ...keys])];
  sql.exec("INSERT OR REPLACE INTO exported (id, keys, purposes, date, after, due) VALUES (?, ?, ?, '', '', ?)", id, JSON.stringify(all), JSON.stringify(purposes), now);
}

export const isBusy = (sql, id) => sql.exec("SELECT 1 FROM exported WHERE id = ?", id).toArray().length > 0;

/** When it is to go on; undefined where nothing is left. */
export const exportedDue = (sql) => sql.exec("SELECT min(due) AS due FROM exported").one().due ?? undefined;

/** All that a listing has, page after page. */
async function* listed(store, options) {
  for (let cursor; ; ) {
    const page = await store.list({ ...options, ...(cursor && { cursor, startAfter: undefined }) });
    yield page;
    if (!page.truncated) {
      return;
    }
    cursor = page.cursor;
  }
}

/** The partitions of a site, by their dates. */
async function partitionsOf(store, site) {
  const found = [];
  for await (const { delimitedPrefixes } of listed(store, { prefix: siteFolder(site), delimiter: "/" })) {
    found.push(...delimitedPrefixes);
  }
  return found.sort();
}

/** Takes what is theirs out of an object. */
async function rewrite(store, name, isGoing) {
  const object = await store.get(name);
  const lines = object === null ? [] : (await object.text()).split("\n").filter(Boolean);
  const kept = lines.filter((line) => !isGoing(line));
  if (kept.length === lines.length) {
    return;
  }
  if (kept.length === 0) {
    await store.delete(name);
    return;
  }
  const [text, options] = ndjson(kept);
  if ((await store.put(name, text, { ...options, onlyIf: { etagMatches: object.etag } })) === null) {
    throw new Error("an object changed meanwhile");
  }
}

/** Looks at some of the objects behind the place that a row says, and notes how far it came. Returns how many it may look at still. */
async function some(shard, row, left) {
  const { sql, env, site, number, program } = shard;
  const who = subjectsOf(JSON.parse(row.keys));
  const purposes = JSON.parse(row.purposes);
  const isGoing = (line) => {
    const event = who.words.some((word) => line.includes(word)) ? JSON.parse(line) : undefined;
    return event !== undefined && isOf(who, event) && goes(program, purposes, event, "r2");
  };
  const at = (date, after) => sql.exec("UPDATE exported SET date = ?, after = ?, tries = 0 WHERE id = ? AND keys = ?", date, after, row.id, row.keys);
  for (const folder of (await partitionsOf(env.EVENTS_BUCKET, site)).filter((folder) => folder >= row.date)) {
    const startAfter = folder === row.date && row.after !== "" ? { startAfter: row.after } : {};
    for await (const { objects } of listed(env.EVENTS_BUCKET, { prefix: folder + shardPrefix(number), ...startAfter })) {
      for (const { key } of objects) {
        if (left <= 0) {
          return left;
        }
        await rewrite(env.EVENTS_BUCKET, key, isGoing);
        at(folder, key);
        left -= 1;
      }
    }
  }
  sql.exec("DELETE FROM exported WHERE id = ? AND keys = ?", row.id, row.keys);
  return left;
}

/** Goes on with it. Never rejects: what fails is tried again. */
export async function takeOut(shard) {
  const { sql, site, now } = shard;
  let left = OBJECTS;
  for (const row of sql.exec("SELECT * FROM exported WHERE due <= ? ORDER BY due, id", now).toArray()) {
    try {
      left = await some(shard, row, left);
    } catch (error) {
      log("error", "exports_not_erased", "what is erased could not be taken out of the bucket; that is tried again", { error, site });
      sql.exec("UPDATE exported SET tries = tries + 1, due = ? WHERE id = ?", now + later(row.tries + 1), row.id);
    }
  }
}

/** Deletes the objects of days before an instant. */
export async function expire({ env, site, number }, before) {
  if (!bucket.isBound(env)) {
    return;
  }
  const first = `${siteFolder(site)}date=${dayOf(before)}/`;
  for (const folder of (await partitionsOf(env.EVENTS_BUCKET, site)).filter((folder) => folder < first)) {
    for await (const { objects } of listed(env.EVENTS_BUCKET, { prefix: folder + shardPrefix(number) })) {
      await env.EVENTS_BUCKET.delete(objects.map(({ key }) => key));
    }
  }
}
