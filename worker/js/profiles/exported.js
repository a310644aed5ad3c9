// Events of erased visitors in the bucket: a shard takes them out of the objects that it has written, one object after the other, and writes
// what is left of each under its own name. The objects of days that are over are deleted.

import { log } from "../log.js";
import { objectsIn, partitionsOf } from "./lines.js";
import { noteSize, overwriteSoon } from "./overwrite.js";
import { goes, needsProgram } from "./purge.js";
import { later } from "./retry.js";
import { bucket, dayOf, ndjson, siteFolder } from "./sinks/r2.js";
import { isTheirs, subjectsOf } from "./whose.js";

/** So many objects one alarm looks at; the others have the next one, at once. */
const OBJECTS = 50;

/**
 * Has the objects of this shard looked through for profiles of an erasure, of which the first has the number `from`. What is told later of
 * the same ones has it begin anew.
 */
export function begin({ sql, env, now }, { id, from, keys, purposes }) {
  if (!bucket.isBound(env)) {
    return;
  }
  const name = `${id}:${from}`;
  const [row] = sql.exec("SELECT keys FROM exported WHERE id = ?", name).toArray();
  const all = [...new Set([...JSON.parse(row?.keys ?? "[]"), ...keys])];
  sql.exec("INSERT OR REPLACE INTO exported (id, keys, purposes, date, after, due) VALUES (?, ?, ?, '', '', ?)", name, JSON.stringify(all), JSON.stringify(purposes), now);
}

/** Whether they are being looked through for an erasure. */
export const isBusy = (sql, id) => sql.exec("SELECT 1 FROM exported WHERE id GLOB ? || ':*' LIMIT 1", id).toArray().length > 0;

/** When it is to go on; undefined where nothing is left. */
export const exportedDue = (sql) => sql.exec("SELECT min(due) AS due FROM exported").one().due ?? undefined;

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
  if (program === undefined && needsProgram(purposes)) {
    throw new Error("there is no program");
  }
  const isGoing = (line) => {
    const event = who.words.some((word) => line.includes(word)) ? JSON.parse(line) : undefined;
    return event !== undefined && isTheirs(who, event) && goes(program, purposes, event, "r2");
  };
  const at = (date, after) => sql.exec("UPDATE exported SET date = ?, after = ?, tries = 0 WHERE id = ? AND keys = ?", date, after, row.id, row.keys);
  for (const folder of (await partitionsOf(env.EVENTS_BUCKET, site)).filter((folder) => folder >= row.date)) {
    for await (const names of objectsIn(env.EVENTS_BUCKET, folder, number, folder === row.date ? row.after : "")) {
      for (const name of names) {
        if (left <= 0) {
          return left;
        }
        await rewrite(env.EVENTS_BUCKET, name, isGoing);
        at(folder, name);
        left -= 1;
      }
    }
  }
  noteSize(sql);
  sql.exec("DELETE FROM exported WHERE id = ? AND keys = ?", row.id, row.keys);
  // Whom it was about stood there.
  overwriteSoon(shard);
  return left;
}

/** Goes on with it. Never rejects: what fails is tried again. */
export async function takeOut(shard) {
  const { sql, site, now } = shard;
  let left = OBJECTS;
  for (const row of sql.exec("SELECT * FROM exported WHERE due <= ? ORDER BY due, id", now).toArray()) {
    if (left <= 0) {
      return;
    }
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
    for await (const names of objectsIn(env.EVENTS_BUCKET, folder, number)) {
      await env.EVENTS_BUCKET.delete(names);
    }
  }
}
