// Events that were written to the bucket EVENTS_BUCKET (sinks/r2.js), found again: the objects of a shard, day by day, and the lines in them.
// There may be hundreds of thousands: what somebody may read of them is looked for in pages, each of which one request can pay for.

import { base64url, fromBase64url } from "../visitor.js";
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

/**
 * So often the bucket is asked for a page, by listings and for objects, so many at a time; so many bytes it reads. A request may ask others a
 * thousand times in all, and who wants the page waits for it.
 */
const MOST_CALLS = 200;
const AT_ONCE = 4;
const MOST_BYTES = 16_000_000;

/** What somebody who looks through the bucket is given, to go on behind a name. */
const cursorOf = (name) => base64url(new TextEncoder().encode(name));

/** The name in a cursor; undefined where it is none of this site's. It says where to go on, and not for whom. */
export function placeIn(site, cursor) {
  try {
    const name = new TextDecoder("utf-8", { fatal: true }).decode(fromBase64url(cursor));
    const folder = siteFolder(site);
    return name.startsWith(folder) && /^[^/]+\/\d{1,2}-[^/]*$/.test(name.slice(folder.length)) ? name : undefined;
  } catch {
    return undefined;
  }
}

/** The names of the objects that a page looks at, of those behind a name, and the name behind which the next page's are; null where there are none. */
async function looked(store, site, shards, after) {
  const folders = await partitionsOf(store, site);
  // What a shard's objects begin with in a partition is before them all in the order of names.
  const places = folders.flatMap((folder) => shards.map((shard) => folder + shardPrefix(shard))).filter((place) => place >= after || after.startsWith(place)).sort();
  const names = [];
  let bytes = 0;
  for (let calls = 0; places.length > 0; ) {
    if (calls + AT_ONCE > MOST_CALLS) {
      return { names, next: places[0] };
    }
    const group = places.splice(0, AT_ONCE);
    calls += group.length;
    const pages = await Promise.all(group.map((prefix) => store.list({ prefix, limit: MOST_CALLS, ...(after.startsWith(prefix) && { startAfter: after }) })));
    for (const { objects, truncated } of pages) {
      for (const { key, size } of objects) {
        if (names.length > 0 && (calls >= MOST_CALLS || bytes + size > MOST_BYTES)) {
          return { names, next: names.at(-1) };
        }
        names.push(key);
        calls += 1;
        bytes += size;
      }
      if (truncated) {
        return { names, next: names.at(-1) };
      }
    }
  }
  return { names, next: null };
}

/** The lines of an object that somebody may read. */
async function ownIn(store, name, who) {
  const own = [];
  for await (const line of linesIn(store, name)) {
    // Most lines are told by a look.
    if (who.words.some((word) => line.includes(word)) && mayRead(who, JSON.parse(line))) {
      own.push(line);
    }
  }
  return own;
}

/**
 * A page of the events that somebody (`subjectsOf`) may read in the objects that some shards wrote, of those behind a name (`placeIn`): its
 * `lines`, and the cursor of the `next` page, null where this is the last. There may be no line in it.
 */
export async function pageOf({ EVENTS_BUCKET: store }, site, shards, who, after = "") {
  const { names, next } = typeof store?.list === "function" ? await looked(store, site, shards, after) : { names: [], next: null };
  const lines = (async function* () {
    for (let at = 0; at < names.length; at += AT_ONCE) {
      yield* (await Promise.all(names.slice(at, at + AT_ONCE).map((name) => ownIn(store, name, who)))).flat();
    }
  })();
  return { lines, next: next && cursorOf(next) };
}
