// In what events were otherwise than the tracking plan says, counted by a shard: beside the events, in the same transaction, so that what
// is sent again counts once. Names of events and of properties are anybody's words: so much is kept of a day, the rest is one number.

const DAY_MS = 24 * 3600 * 1000;

/** So many different violations of a day are told apart. */
const MOST_A_DAY = 200;

/** So many days they are kept. */
const DAYS = 30;

/** What stands for those that are not told apart. */
const REST = ["", "more", "", ""];

const ADD = `INSERT INTO violations (day, event, code, path, source, expected, count, last) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET count = count + excluded.count, last = max(last, excluded.last), expected = excluded.expected`;
const KNOWN = "SELECT 1 FROM violations WHERE day = ? AND event = ? AND code = ? AND path = ? AND source = ?";
const SUM = `SELECT event, code, path, source, max(expected) AS expected, sum(count) AS count, max(last) AS last FROM violations
  WHERE day >= ? GROUP BY event, code, path, source ORDER BY count DESC, event, code, path, source`;

const dayOf = (now) => Math.floor(now / DAY_MS);

/** Makes the table where it is not there yet. */
export function createViolations(sql) {
  sql.exec(`CREATE TABLE IF NOT EXISTS violations (day INTEGER NOT NULL, event TEXT NOT NULL, code TEXT NOT NULL, path TEXT NOT NULL, source TEXT NOT NULL,
    expected TEXT NOT NULL, count INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (day, event, code, path, source)) WITHOUT ROWID`);
}

/** What of an event is to be counted, for `noteViolations`; undefined where that is nothing. */
export const violationsIn = ({ type, event, source, violations }) => violations && { event: event ?? type, source, violations };

/** Counts the violations of events that are new. */
export function noteViolations(sql, noted, now) {
  const day = dayOf(now);
  for (const { event, source, violations } of noted) {
    for (const { code, path = "", expected = "" } of violations) {
      const what = [event, code, path, source];
      const isFull = () => sql.exec("SELECT count(*) AS n FROM violations WHERE day = ?", day).one().n >= MOST_A_DAY;
      const isTold = sql.exec(KNOWN, day, ...what).toArray().length > 0 || !isFull();
      sql.exec(ADD, day, ...(isTold ? what : REST), isTold ? expected : "", 1, now);
    }
  }
}

/** The violations of the last days, the most frequent first: `event`, `code`, `path`, `source`, `expected`, `count` and `last`. */
export const violations = ({ sql, now }, days) => sql.exec(SUM, dayOf(now) - Math.min(days, DAYS) + 1).toArray();

/** Forgets what is too old. */
export const forgetViolations = (sql, now) => void sql.exec("DELETE FROM violations WHERE day <= ?", dayOf(now) - DAYS);

/** The violations of several shards as those of one, the most frequent first. */
export function together(lists) {
  const found = new Map();
  for (const one of lists.flat()) {
    const name = JSON.stringify([one.event, one.code, one.path, one.source]);
    const known = found.get(name);
    found.set(name, known === undefined ? { ...one } : { ...known, count: known.count + one.count, last: Math.max(known.last, one.last) });
  }
  return [...found.values()].sort((a, b) => b.count - a.count || (a.event < b.event ? -1 : 1));
}
