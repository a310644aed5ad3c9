// The tables of a shard, and how an older shard's become today's.
//
// A profile is a key: `a:<anonymousId>` or `u:<userId>`. It has parts: what its own events made, by the browser that they came from
// (of an anonymous profile one, named ""), and what other shards handed over (`pushed`, named by the profile that it is of).

import { createViolations } from "../events/violations.js";
import { createTables as createOutbox } from "./outbox.js";

/** What was made in which version, in order. A shard that is behind does what it is missing; nothing here is ever changed. */
const VERSIONS = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
   -- One part of a profile. base, state: without the events of the window, and with them; base_* and newest_*: the last event of each.
   -- held: events in the window; ids: messageIds that are remembered. dirty: how often it was tried to fold what the state lacks of the
   -- window; 0 where it lacks nothing. version: how often it changed. targets: how many other profiles it is handed to. came: when
   -- something of it came last, and with which consent.
   CREATE TABLE parts (
     id INTEGER PRIMARY KEY,
     profile TEXT NOT NULL,
     pushed INTEGER NOT NULL,
     name TEXT NOT NULL,
     version INTEGER NOT NULL DEFAULT 0,
     base BLOB,
     base_at INTEGER,
     base_id TEXT,
     state BLOB,
     newest_at INTEGER,
     newest_id TEXT,
     held INTEGER NOT NULL DEFAULT 0,
     ids INTEGER NOT NULL DEFAULT 0,
     dirty INTEGER NOT NULL DEFAULT 0,
     targets INTEGER NOT NULL DEFAULT 0,
     came INTEGER NOT NULL,
     consent TEXT,
     UNIQUE (profile, pushed, name)
   );
   CREATE INDEX parts_dirty ON parts (id) WHERE dirty > 0;
   -- messageIds, and of those in the window the event. until: when the id may be forgotten.
   CREATE TABLE events (
     part INTEGER NOT NULL,
     id TEXT NOT NULL,
     at INTEGER NOT NULL,
     until INTEGER NOT NULL,
     json TEXT,
     PRIMARY KEY (part, id)
   ) WITHOUT ROWID;
   -- To which profiles an anonymous one is handed: its user's, and those of the same visitor's other ids. gone: that it is taken back.
   -- due: when it is to be handed over; NULL when the other side has it.
   CREATE TABLE targets (
     profile TEXT NOT NULL,
     target TEXT NOT NULL,
     gone INTEGER NOT NULL DEFAULT 0,
     tries INTEGER NOT NULL DEFAULT 0,
     due INTEGER,
     PRIMARY KEY (profile, target)
   ) WITHOUT ROWID;
   CREATE INDEX targets_due ON targets (due) WHERE due IS NOT NULL;
   -- Whose an anonymous profile is: the first user by (at, id) whom it was identified as.
   CREATE TABLE links (profile TEXT PRIMARY KEY, user TEXT NOT NULL, at INTEGER NOT NULL, id TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE notes (id TEXT PRIMARY KEY, profile TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
   CREATE INDEX notes_profile ON notes (profile, at);
   CREATE TABLE tags (profile TEXT NOT NULL, tag TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, PRIMARY KEY (profile, tag)) WITHOUT ROWID;`,
  `-- Whom this shard was told to forget, by a pseudonym: of a purpose nothing that is older than \`at\` is taken any more, until \`until\`.
   CREATE TABLE erased (who TEXT NOT NULL, purpose TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (who, purpose)) WITHOUT ROWID;
   -- Erasures that this shard sees to. keys, purposes: JSON. told: what each shard knows of it, JSON.
   CREATE TABLE erasures (id TEXT PRIMARY KEY, keys TEXT NOT NULL, purposes TEXT NOT NULL, at INTEGER NOT NULL, told TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL) WITHOUT ROWID;
   -- What is to be taken out of this shard's own objects in the bucket. date, after: how far that is.
   CREATE TABLE exported (id TEXT PRIMARY KEY, keys TEXT NOT NULL, purposes TEXT NOT NULL, date TEXT NOT NULL, after TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL) WITHOUT ROWID;
   -- That something was erased, and when all of it was; nothing of whose it was.
   CREATE TABLE receipts (id TEXT PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL, done INTEGER) WITHOUT ROWID;
   -- What free pages of the file are overwritten with (overwrite.js).
   CREATE TABLE filler (id INTEGER PRIMARY KEY, zeros BLOB);
   -- What was said of a profile's purposes. part: of a browser's own profile "" for what it said itself; in a user's the key of the browser
   -- that said it; and the key of a user for what holds by what was said in their other browsers (choices.js).
   CREATE TABLE consents (
     profile TEXT NOT NULL,
     part TEXT NOT NULL,
     purpose TEXT NOT NULL,
     status TEXT NOT NULL,
     at INTEGER NOT NULL,
     version INTEGER NOT NULL,
     by TEXT NOT NULL,
     PRIMARY KEY (profile, part, purpose)
   ) WITHOUT ROWID;
   -- Who is told what holds in a profile: its browsers, and users who are this one. gone: that it is none of them any more. due: when they
   -- are to be told; NULL where they were.
   CREATE TABLE told (
     profile TEXT NOT NULL,
     target TEXT NOT NULL,
     gone INTEGER NOT NULL DEFAULT 0,
     tries INTEGER NOT NULL DEFAULT 0,
     due INTEGER,
     PRIMARY KEY (profile, target)
   ) WITHOUT ROWID;
   CREATE INDEX told_due ON told (due) WHERE due IS NOT NULL;
   -- Each choice as it was made. who: an HMAC of the profile's key, which nobody reads without the site's secret.
   CREATE TABLE history (who TEXT NOT NULL, at INTEGER NOT NULL, version INTEGER NOT NULL, by TEXT NOT NULL, choice TEXT NOT NULL);
   CREATE INDEX history_who ON history (who, at);
   -- Who of the owner's read or exported a profile.
   CREATE TABLE accesses (profile TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, what TEXT NOT NULL);
   CREATE INDEX accesses_profile ON accesses (profile, at);
   -- Counts by day, of nobody.
   CREATE TABLE consent_counts (day INTEGER NOT NULL, purpose TEXT NOT NULL, status TEXT NOT NULL, version INTEGER NOT NULL, by TEXT NOT NULL,
     n INTEGER NOT NULL, PRIMARY KEY (day, purpose, status, version, by)) WITHOUT ROWID;
   CREATE TABLE measured (day INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, experience TEXT NOT NULL, variant TEXT NOT NULL,
     n INTEGER NOT NULL, PRIMARY KEY (day, kind, name, experience, variant)) WITHOUT ROWID;`,
  `-- Whether a server or a token said that a part is its profile's, and the same of whose a browser is; else it is only what the browser says.
   ALTER TABLE parts ADD COLUMN proven INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE links ADD COLUMN proven INTEGER NOT NULL DEFAULT 0;
   -- With which part (\`pushed\`) its state was put together, as there were too many (parts.js); NULL where it never was.
   ALTER TABLE parts ADD COLUMN merged INTEGER;
   UPDATE parts SET merged = 2 WHERE pushed = 1 AND version = ${Number.MAX_SAFE_INTEGER};`,
  `-- The profiles that an erasure is about, numbered as they were found: a user may have any number of browsers.
   CREATE TABLE erasing (id TEXT NOT NULL, n INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY (id, n), UNIQUE (id, key)) WITHOUT ROWID;
   INSERT INTO erasing (id, n, key) SELECT erasures.id, each.key, each.value FROM erasures, json_each(erasures.keys) AS each;
   ALTER TABLE erasures DROP COLUMN keys;
   -- An erasure of many profiles has several of these, each with the number of its first one behind the erasure's id.
   UPDATE exported SET id = id || ':0';`,
  `-- Whether what was said of a user's purposes comes from a browser where a token or a server said who they are (choices.js).
   ALTER TABLE consents ADD COLUMN proven INTEGER NOT NULL DEFAULT 0;`,
];

/** The shard's settings by name; undefined where there is none. */
export function getMeta(sql, name) {
  return sql.exec("SELECT value FROM meta WHERE name = ?", name).toArray()[0]?.value;
}

/** Keeps a setting. */
export function setMeta(sql, name, value) {
  sql.exec("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value);
}

/** Makes the tables that are not there yet. */
export function createTables(sql, now) {
  const isNew = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'meta'").toArray().length === 0;
  const version = isNew ? 0 : (getMeta(sql, "schema") ?? 0);
  if (version < VERSIONS.length) {
    VERSIONS.slice(version).forEach((statements) => sql.exec(statements));
    setMeta(sql, "schema", VERSIONS.length);
  }
  createOutbox(sql, now);
  createViolations(sql);
}
