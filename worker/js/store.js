// What the Rust side asks of the KV namespace beside plain reading: values with their metadata, and what is told from lists of keys.
// Answers are JSON text, so that nothing of KV's own has to be taken apart over there.

/** What we note beside a key; others may write what they like beside theirs. */
const isNoted = (metadata) => metadata !== null && typeof metadata === "object" && typeof metadata.at === "string";

/** A value as text and what is noted beside it: `{ value, metadata }`, each null where there is none. */
export async function entryOf(store, key, cacheTtl) {
  const { value, metadata } = await store.getWithMetadata(key, { type: "text", cacheTtl });
  return JSON.stringify({ value, metadata });
}

/** At most so many of the keys with a prefix from a cursor on, in their order; and the cursor where the next ones begin. */
async function keysOf(store, prefix, most, from) {
  const keys = [];
  let cursor = from || undefined;
  do {
    const listed = await store.list({ prefix, cursor, limit: Math.min(most - keys.length, 1000) });
    keys.push(...listed.keys.map(({ name, metadata }) => ({ name: name.slice(prefix.length), metadata })));
    cursor = listed.list_complete ? undefined : listed.cursor;
  } while (cursor !== undefined && keys.length < most);
  return { keys, cursor };
}

/**
 * The versions of a site that are in the store, those that were published last first, at most so many:
 * `{ versions: [{ version, at, by, bytes }], more }`. Of those without a note nobody knows when they came, or whose they are; they
 * are listed for every site, and looked at before they become live.
 */
export async function versionsOf(store, site, most) {
  const { keys, cursor } = await keysOf(store, "program:", 10_000, "");
  const versions = keys
    .filter(({ name, metadata }) => /^[0-9a-f]{16}$/.test(name) && (!isNoted(metadata) || metadata.site === site))
    .map(({ name, metadata }) => {
      const { at = null, by = null, bytes = null } = isNoted(metadata) ? metadata : {};
      return { version: name, at, by, bytes };
    })
    .sort((a, b) => (b.at ?? "").localeCompare(a.at ?? "") || a.version.localeCompare(b.version));
  return JSON.stringify({ versions: versions.slice(0, most), more: versions.length > most || cursor !== undefined });
}

/** What is noted beside the keys with a prefix: `{ entries, cursor }`; the cursor is null when these are the last. */
export async function notesOf(store, prefix, most, from) {
  const { keys, cursor } = await keysOf(store, prefix, most, from);
  return JSON.stringify({ entries: keys.map(({ metadata }) => metadata).filter(isNoted), cursor: cursor ?? null });
}

/** Stores a text or bytes with what is noted beside it, JSON text; so many seconds, or for ever. */
export async function put(store, key, value, metadata, seconds) {
  await store.put(key, value, { metadata: JSON.parse(metadata), expirationTtl: seconds });
}
