// Who of the owner's read or exported a profile: beside the profile, so that its person can be told. That nobody does it unseen is the audit
// trail's affair (worker/src/audit.rs), which is written before anything is read.

const DAY_MS = 24 * 3600 * 1000;

/** For so long it is known, and of a profile so many times. */
const KEPT_MS = 400 * DAY_MS;
const MOST = 500;

/** Notes that somebody (the name of their token) read something of a profile. */
export function noteAccess({ sql, now }, profile, by, what) {
  sql.exec("INSERT INTO accesses (profile, at, by, what) VALUES (?, ?, ?, ?)", profile, now, by, what);
  sql.exec("DELETE FROM accesses WHERE profile = ?1 AND rowid NOT IN (SELECT rowid FROM accesses WHERE profile = ?1 ORDER BY at DESC, rowid DESC LIMIT ?2)", profile, MOST);
}

/** The pages of a long reading are one, so that they don't drive others out: so long after what was noted last. */
const ONE_READING_MS = 3600 * 1000;

/** Notes that somebody went on reading. */
export function notePage(shard, profile, by, what) {
  const noted = shard.sql.exec("SELECT 1 FROM accesses WHERE profile = ? AND by = ? AND what = ? AND at > ? LIMIT 1", profile, by, what, shard.now - ONE_READING_MS);
  if (noted.toArray().length === 0) {
    noteAccess(shard, profile, by, what);
  }
}

/** Who read what of a profile, the newest first. */
export const accessesOf = (sql, profile) =>
  sql.exec("SELECT at, by, what FROM accesses WHERE profile = ? ORDER BY at DESC, rowid DESC", profile).toArray().map(({ at, ...row }) => ({ at: new Date(at).toISOString(), ...row }));

/** Forgets who read profiles. Returns how much it was. */
export const forgetReaders = (sql, keys) => sql.exec("DELETE FROM accesses WHERE profile IN (SELECT value FROM json_each(?))", JSON.stringify(keys)).rowsWritten;

/** Forgets what is too old. */
export const forgetAccesses = (sql, now) => void sql.exec("DELETE FROM accesses WHERE at <= ?", now - KEPT_MS);
