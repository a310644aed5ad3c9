// What is deleted is gone from the file too. SQLite leaves the bytes of a deleted row where they were, and of one that grew at each place
// that it ever had: in the gaps of pages that are in use, and in pages that are free. Workers may neither switch `secure_delete` on nor
// `VACUUM` (SQLITE_AUTH; all that a shard does is inside of a transaction). So each table is written anew into pages of zeros, and all pages
// that are free then are overwritten with zeros. What is in the journal goes with it, when the shard sleeps (docs/consent.md).

import { log } from "../log.js";
import { getMeta, setMeta } from "./tables.js";

/** So soon after something was deleted, as more may follow, and so often at most: it writes the whole shard. */
const PAUSE_MS = 5000;
const AGAIN_MS = 10 * 60_000;

/** Of a shard that is larger the pages are overwritten as they are used again. */
const LARGEST = 128 * 1024 * 1024;

const PAGE = 4096;

/**
 * So much more than it ever was seen to be is filled: between two looks it may have been larger. The file grows by that once at most, as what
 * is filled counts for nothing in how large it was.
 */
const MARGIN = 64 * PAGE;

/**
 * Bytes of zeros that fill so many pages to their last byte, in two rows: SQLite leaves some of a leaf's bytes free beside the one row that is
 * as large as it may be, in which would be left what was there. So the first row leaves room for a small second one. All numbers of rows
 * take three bytes, as a row's own place in its page does.
 */
const SECOND = 40;
const FIRST_ID = 1 << 14;
const zeros = (pages) => (pages === 1 ? 4028 : 4022 + (pages - 1) * (PAGE - 4));

/** Has the file written anew. */
export function overwriteSoon({ sql, now }) {
  if (getMeta(sql, "overwrite") === undefined) {
    setMeta(sql, "overwrite", Math.max(now + PAUSE_MS, (getMeta(sql, "overwritten") ?? 0) + AGAIN_MS));
  }
}

/** When that is to be; undefined for never. */
export const overwriteDue = (sql) => getMeta(sql, "overwrite");

/** Notes how large the file was: it never becomes smaller, and nobody tells how many of its pages are free. */
export function noteSize(sql) {
  const size = sql.databaseSize;
  if (size > (getMeta(sql, "largest") ?? 0)) {
    setMeta(sql, "largest", size);
  }
}

/** Takes free pages until none is left of a file of so many bytes. */
function fill(sql, size) {
  let id = FIRST_ID;
  for (let left = size - sql.databaseSize; left > 0; left = size - sql.databaseSize) {
    for (const bytes of [zeros([128, 8].find((pages) => left > 8 * pages * PAGE) ?? 1), SECOND]) {
      sql.exec("INSERT INTO filler (id, zeros) VALUES (?, zeroblob(?))", id, bytes);
      id += 1;
    }
  }
}

/** Writes a table into fresh pages, and forgets the old one. */
function copy(sql, { name, sql: text }) {
  sql.exec(text.replace(/^CREATE TABLE\s+("?)\w+\1/, `CREATE TABLE fresh_${name}`));
  sql.exec(`INSERT INTO fresh_${name} SELECT * FROM ${name}`);
  // Numbers that are used once are used once still.
  if (/\bAUTOINCREMENT\b/.test(text)) {
    sql.exec("DELETE FROM sqlite_sequence WHERE name = ?", `fresh_${name}`);
    sql.exec("INSERT INTO sqlite_sequence (name, seq) SELECT ?, seq FROM sqlite_sequence WHERE name = ?", `fresh_${name}`, name);
  }
}

const TABLES = "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name <> 'filler'";

/** Writes all tables anew, and zeros into all pages that are free then. */
function writeAnew({ sql, transaction }) {
  const tables = sql.exec(TABLES).toArray();
  const indices = sql.exec("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").toArray();
  // First what is free is zeros, as the copies are written there: a page that comes of that list may keep what was in it.
  transaction(() => fill(sql, getMeta(sql, "largest") + MARGIN));
  transaction(() => sql.exec("DELETE FROM filler"));
  transaction(() => {
    tables.forEach((table) => copy(sql, table));
    noteSize(sql);
    const largest = getMeta(sql, "largest");
    for (const { name } of tables) {
      sql.exec(`DROP TABLE ${name}`);
      sql.exec(`ALTER TABLE fresh_${name} RENAME TO ${name}`);
    }
    fill(sql, largest + MARGIN);
    sql.exec("DELETE FROM filler");
    indices.forEach((index) => sql.exec(index.sql));
  });
}

/** Whether something is being erased, and not for long yet: what never comes to an end is not waited for. */
function isErasing({ sql, now }) {
  const { at } = sql.exec("SELECT min(at) AS at FROM erasures").one();
  return at !== null && at > now - AGAIN_MS;
}

/** Does what is due of that, where nothing is being erased. */
export function overwrite(shard) {
  const { sql, site, now } = shard;
  const due = overwriteDue(sql);
  if (due === undefined || due > now) {
    return;
  }
  if (isErasing(shard)) {
    setMeta(sql, "overwrite", now + PAUSE_MS);
    return;
  }
  noteSize(sql);
  if (sql.databaseSize > LARGEST) {
    log("warn", "not_overwritten", "a shard is too large to be written anew: what was deleted in it is overwritten in time", { site });
  } else {
    try {
      writeAnew(shard);
    } catch (error) {
      log("error", "not_overwritten", "a shard could not be written anew; that is tried again", { error, site });
      setMeta(sql, "overwrite", now + AGAIN_MS);
      return;
    }
  }
  sql.exec("DELETE FROM meta WHERE name = 'overwrite'");
  setMeta(sql, "overwritten", now);
}
