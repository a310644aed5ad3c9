// What the Rust side asks of the KV namespace beside plain reading: values with their metadata, lists of keys. Answers are JSON
// text, so that nothing of KV's own has to be taken apart over there.

/** A value as text and what is noted beside it: `{ value, metadata }`, each null where there is none. */
export async function entryOf(store, key, cacheTtl) {
  const { value, metadata } = await store.getWithMetadata(key, { type: "text", cacheTtl });
  return JSON.stringify({ value, metadata });
}

/** What is noted, if it is what we note: others may write what they like beside their keys. */
const noted = (metadata) => (metadata !== null && typeof metadata === "object" && "at" in metadata ? metadata : null);

/**
 * At most so many of the keys with a prefix, in their order: `{ keys: [{ name, metadata }], cursor }`, the names without the
 * prefix. `cursor` is where the next ones begin, null when these are the last.
 */
export async function keysOf(store, prefix, most, from) {
  const keys = [];
  let cursor = from || undefined;
  do {
    const listed = await store.list({ prefix, cursor, limit: Math.min(most - keys.length, 1000) });
    keys.push(...listed.keys.map(({ name, metadata }) => ({ name: name.slice(prefix.length), metadata: noted(metadata ?? null) })));
    cursor = listed.list_complete ? undefined : listed.cursor;
  } while (cursor !== undefined && keys.length < most);
  return JSON.stringify({ keys, cursor: cursor ?? null });
}

/** Stores a text; `options` are KV's, as JSON text. */
export async function putText(store, key, value, options) {
  await store.put(key, value, JSON.parse(options));
}

/** Stores bytes. */
export async function putBytes(store, key, value, options) {
  await store.put(key, value, JSON.parse(options));
}
