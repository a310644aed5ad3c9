// Dead letters: events and messages that their sink did not take. They are kept until they are sent again, for a while, and unless there
// are too many.

import { log } from "../log.js";

/** So many are kept in a shard; of more the oldest go. */
const MOST = 100_000;

/** For so long they are kept. */
const KEPT_MS = 30 * 24 * 3600 * 1000;

/** So many are shown, or sent again, at a time. */
const AT_ONCE = 500;

/** Makes the table that is not there yet. */
export function createDeadLetters(sql) {
  // `id` is the message's to a webhook; `at` when what it tells happened, `died` when it was given up.
  sql.exec(
    "CREATE TABLE IF NOT EXISTS dead (seq INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, id TEXT, at INTEGER NOT NULL, died INTEGER NOT NULL, tries INTEGER NOT NULL, error TEXT, body TEXT NOT NULL)",
  );
}

/** Gives letters (`{ sink, id, at, body, tries }`) up. */
export function bury(sql, letters, now, error, { site }) {
  if (letters.length === 0) {
    return;
  }
  for (const { sink, id, at, body, tries } of letters) {
    sql.exec("INSERT INTO dead (sink, id, at, died, tries, error, body) VALUES (?, ?, ?, ?, ?, ?, ?)", sink, id, at, now, tries, error ?? null, body);
  }
  log("error", "dead_letters", "a sink was given up for some events, which are dead letters now", { site, sink: letters[0].sink, letters: letters.length });
  const { n } = sql.exec("SELECT count(*) AS n FROM dead").one();
  if (n > MOST) {
    sql.exec("DELETE FROM dead WHERE seq IN (SELECT seq FROM dead ORDER BY seq LIMIT ?)", n - MOST);
    log("error", "dead_letters_lost", "there are too many dead letters: the oldest are lost", { site, letters: n - MOST });
  }
}

/** Lets those go that are too old. */
export function expire(sql, now, { site }) {
  // In their order they died: the first is the oldest.
  const [oldest] = sql.exec("SELECT died FROM dead ORDER BY seq LIMIT 1").toArray();
  if (oldest !== undefined && oldest.died <= now - KEPT_MS) {
    const { rowsWritten } = sql.exec("DELETE FROM dead WHERE died <= ?", now - KEPT_MS);
    log("error", "dead_letters_lost", "dead letters were not sent again for too long, and are lost", { site, letters: rowsWritten });
  }
}

/** The dead letters behind the number `after`, oldest first, and how many there are by sink. */
export function deadLetters(sql, after = 0, limit = 100, sink = null) {
  const query = "SELECT seq, sink, at, died, tries, error, body FROM dead WHERE seq > ?1 AND (?2 IS NULL OR sink = ?2) ORDER BY seq LIMIT ?3";
  const letters = sql.exec(query, after, sink, Math.min(limit, AT_ONCE)).toArray();
  const counts = sql.exec("SELECT sink, count(*) AS letters, min(at) AS oldest FROM dead GROUP BY sink").toArray();
  return { letters, counts };
}

/**
 * Sends letters again, the oldest first, a bounded number of them: of one `sink`, or all; with its number, or those, `seqs`. Returns how many
 * were, and how many are left. A letter of a sink that is not wanted any more stays where it is.
 */
export function resend(sql, { sink, seqs }, now) {
  const chosen = sql
    .exec(
      `SELECT dead.* FROM dead JOIN sinks ON sinks.name = dead.sink
       WHERE (?1 IS NULL OR dead.sink = ?1) AND (?2 IS NULL OR dead.seq IN (SELECT value FROM json_each(?2))) ORDER BY dead.seq LIMIT ?3`,
      sink ?? null,
      seqs === undefined ? null : JSON.stringify(seqs),
      AT_ONCE,
    )
    .toArray();
  for (const letter of chosen) {
    if (letter.sink.startsWith("webhook:")) {
      sql.exec("INSERT INTO deliveries (sink, id, at, due, tries, body) VALUES (?, ?, ?, ?, 0, ?)", letter.sink, letter.id, letter.at, now, letter.body);
    } else {
      sql.exec("INSERT INTO outbox (at, since, json, only) VALUES (?, ?, ?, ?)", letter.at, now, letter.body, letter.sink);
    }
    sql.exec("DELETE FROM dead WHERE seq = ?", letter.seq);
  }
  for (const name of new Set(chosen.map((letter) => letter.sink))) {
    // Who asks for it believes that the sink is well again.
    sql.exec("UPDATE sinks SET due = ? WHERE name = ?", now, name);
  }
  return { resent: chosen.length, left: sql.exec("SELECT count(*) AS n FROM dead").one().n };
}
