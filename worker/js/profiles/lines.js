// Events that were written to the bucket EVENTS_BUCKET (sinks/r2.js), found again: the objects of a shard, day by day, and the lines in them.

import { shardPrefix, siteFolder } from "./sinks/r2.js";
import { mayRead } from "./whose.js";

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

/** The partitions of a site, in the order of their dates. */
export async function partitionsOf(store, site) {
  const found = [];
  for await (const { delimitedPrefixes } of listed(store, { prefix: siteFolder(site), delimiter: "/" })) {
    found.push(...delimitedPrefixes);
  }
  return found.sort();
}

/** The names of the objects that a shard wrote into a partition, some at a time; of those behind one, where `after` names it. */
export async function* objectsIn(store, folder, shard, after = "") {
  for await (const { objects } of listed(store, { prefix: folder + shardPrefix(shard), ...(after !== "" && { startAfter: after }) })) {
    yield objects.map(({ key }) => key);
  }
}

/** The lines of an object, without ever holding more of it than one of them and a piece. */
async function* linesIn(store, name) {
  const object = await store.get(name);
  let left = "";
  for await (const piece of object?.body.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (left + piece).split("\n");
    left = lines.pop();
    yield* lines.filter(Boolean);
  }
  if (left !== "") {
    yield left;
  }
}

/** The events that somebody (`subjectsOf`) may read, in the objects that some shards wrote. */
export async function* linesOf({ EVENTS_BUCKET: store }, site, shards, who) {
  if (typeof store?.list !== "function") {
    return;
  }
  for (const folder of await partitionsOf(store, site)) {
    for (const shard of shards) {
      for await (const names of objectsIn(store, folder, shard)) {
        for (const name of names) {
          for await (const line of linesIn(store, name)) {
            // Most lines are told by a look.
            if (who.words.some((word) => line.includes(word)) && mayRead(who, JSON.parse(line))) {
              yield line;
            }
          }
        }
      }
    }
  }
}
