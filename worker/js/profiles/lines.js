// Events that were written to the bucket EVENTS_BUCKET (sinks/r2.js), read again: for who wants to know what is held of somebody.

import { siteFolder } from "./sinks/r2.js";

/** The objects that some shards wrote, page by page: their names. */
export async function* objectsOf({ EVENTS_BUCKET }, site, shards) {
  const wanted = new Set(shards.map(String));
  for (let cursor; ; ) {
    const page = await EVENTS_BUCKET.list({ prefix: siteFolder(site), cursor });
    for (const { key } of page.objects) {
      if (wanted.has(/\/(\d+)-[^/]*\.ndjson$/.exec(key)?.[1])) {
        yield key;
      }
    }
    if (!page.truncated) {
      return;
    }
    ({ cursor } = page);
  }
}

/** The lines of an object, without ever holding more of it than one of them and a piece. */
export async function* linesIn({ EVENTS_BUCKET }, name) {
  const object = await EVENTS_BUCKET.get(name);
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
 * Whether an event is somebody's to read, who has these ids. What was done in a user's name in a browser is that user's alone: another one may
 * have had it before, or after.
 */
export function isOf({ anonymousId, userId, previousId }, { anonymous, users }) {
  return (userId === undefined ? anonymous.has(anonymousId) : users.has(userId)) || users.has(previousId);
}

/** The events of somebody in the objects that some shards wrote. `ids`: `{ anonymous, users }`, sets. */
export async function* linesOf(env, site, shards, ids) {
  if (typeof env.EVENTS_BUCKET?.list !== "function") {
    return;
  }
  const texts = [...ids.anonymous, ...ids.users].map((id) => JSON.stringify(id));
  for await (const name of objectsOf(env, site, shards)) {
    for await (const line of linesIn(env, name)) {
      // Most lines are told by a look.
      if (texts.some((text) => line.includes(text)) && isOf(JSON.parse(line), ids)) {
        yield line;
      }
    }
  }
}
