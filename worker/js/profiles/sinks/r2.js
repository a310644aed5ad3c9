// The bucket EVENTS_BUCKET: events as NDJSON, partitioned by site and by the day on which they were taken, in the way of Hive, which DuckDB,
// Spark and others read as columns. A batch has the same name whenever it is sent, so sending it twice leaves one object.

/** A batch is written when it has so many events or bytes, or is so old. */
const MOST_EVENTS = 5000;
const MOST_BYTES = 4_000_000;
const SECONDS = 300;

/** The day of an instant, in UTC. */
export const dayOf = (at) => new Date(at).toISOString().slice(0, 10);

/** The setting `IDOINE_EVENTS_SECONDS`, 1 to 3600. */
function secondsOf({ IDOINE_EVENTS_SECONDS: text }) {
  const seconds = Number(text ?? SECONDS);
  return seconds >= 1 && seconds <= 3600 ? seconds : SECONDS;
}

/** A site's id as a part of a path, in which neither `/` nor `=` means anything. */
const part = (text) => encodeURIComponent(String(text));

/** Where a site's partitions are, and what the names of a shard's objects begin with in one of them. */
export const siteFolder = (site) => `events/site=${part(site)}/`;
export const shardPrefix = (shard) => `${part(shard)}-`;

/** Events as the bucket has them. */
export const ndjson = (lines) => [lines.map((line) => `${line}\n`).join(""), { httpMetadata: { contentType: "application/x-ndjson" } }];

export const bucket = {
  isBound: ({ EVENTS_BUCKET }) => typeof EVENTS_BUCKET?.put === "function",

  limits: (env) => ({ events: MOST_EVENTS, bytes: MOST_BYTES, seconds: secondsOf(env), byDay: true, sizeOf: (json) => json.length }),

  /** Writes a batch, all of one day. */
  async send({ EVENTS_BUCKET }, rows, { site, shard, first, last }) {
    if (rows.length > 0) {
      const name = `${siteFolder(site)}date=${dayOf(rows[0].at)}/${shardPrefix(shard)}${first}-${last}.ndjson`;
      await EVENTS_BUCKET.put(name, ...ndjson(rows.map(({ json }) => json)));
    }
    return [];
  },
};
