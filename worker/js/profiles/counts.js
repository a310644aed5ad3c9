// Counts of a day that are of nobody: what was chosen in banners and elsewhere, and, where a site measures without asking, what happened. No
// id is in any row, and none decides which shard has it where there is none.

import { PURPOSES } from "../choice.js";

const DAY_MS = 24 * 3600 * 1000;

/** So many days they are kept. */
export const DAYS = 400;

/** So many different things of a day are told apart; names of events are anybody's words. The rest is one number. */
const MOST_A_DAY = 500;
const MOST_NAME = 100;
const REST = ["more", "", "", ""];

const dayOf = (now) => Math.floor(now / DAY_MS);
const dateOf = (day) => new Date(day * DAY_MS).toISOString().slice(0, 10);

const CHOSEN = `INSERT INTO consent_counts (day, purpose, status, version, by, n) VALUES (?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET n = n + 1`;
const MEASURED = `INSERT INTO measured (day, kind, name, experience, variant, n) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n`;
const KNOWN = "SELECT 1 FROM measured WHERE day = ? AND kind = ? AND name = ? AND experience = ? AND variant = ?";

/** Counts a choice. */
export function countChoice({ sql, now }, { choice, version, by }) {
  for (const purpose of PURPOSES.filter((name) => choice[name] !== undefined)) {
    sql.exec(CHOSEN, dayOf(now), purpose, choice[purpose], version, by);
  }
}

/** Counts what happened: rows `{ kind, name, experience, variant, n }`. */
export function countMeasured({ sql, now }, rows) {
  const day = dayOf(now);
  for (const { kind, name = "", experience = "", variant = "", n = 1 } of rows) {
    const what = [kind, ...[name, experience, variant].map((text) => String(text).slice(0, MOST_NAME))];
    const isFull = () => sql.exec("SELECT count(*) AS n FROM measured WHERE day = ?", day).one().n >= MOST_A_DAY;
    const isTold = sql.exec(KNOWN, day, ...what).toArray().length > 0 || !isFull();
    sql.exec(MEASURED, day, ...(isTold ? what : REST), n);
  }
}

const since = (now, days) => dayOf(now) - Math.min(days, DAYS) + 1;

/** What was chosen on the last days: rows `{ day, purpose, status, version, by, n }`. */
export const choicesIn = ({ sql, now }, days) => sql.exec("SELECT * FROM consent_counts WHERE day >= ?", since(now, days)).toArray();

/** What happened on the last days. */
export const measuredIn = ({ sql, now }, days) => sql.exec("SELECT * FROM measured WHERE day >= ?", since(now, days)).toArray();

/** Forgets what is too old. */
export function forgetCounts(sql, now) {
  sql.exec("DELETE FROM consent_counts WHERE day <= ?", dayOf(now) - DAYS);
  sql.exec("DELETE FROM measured WHERE day <= ?", dayOf(now) - DAYS);
}

/** Rows of several shards by these fields, each with the sum of `n`s that `add` makes of it; the newest day first. */
function summed(lists, fields, start, add) {
  const sums = new Map();
  for (const row of lists.flat()) {
    const name = JSON.stringify(fields.map((field) => row[field]));
    const sum = sums.get(name) ?? { ...Object.fromEntries(fields.map((field) => [field, row[field]])), ...start };
    add(sum, row);
    sums.set(name, sum);
  }
  const before = (a, b, [field, ...more]) => (a[field] === b[field] ? (more.length > 0 ? before(a, b, more) : 0) : a[field] < b[field] ? -1 : 1);
  return [...sums.values()].sort((a, b) => b.day - a.day || before(a, b, fields)).map(({ day, ...row }) => ({ day: dateOf(day), ...row }));
}

/**
 * What was chosen, of several shards: for each day, version and purpose how many granted, refused and withdrew it, and the share that
 * granted of those who were asked.
 */
export function chosen(lists) {
  const start = { granted: 0, refused: 0, withdrawn: 0 };
  const rows = summed(lists, ["day", "version", "purpose"], start, (sum, { status, n }) => (sum[status] += n));
  // Who withdraws was counted as granting before: they are no answer to the question.
  return rows.map((row) => ({ ...row, rate: row.granted + row.refused === 0 ? null : Math.round((row.granted / (row.granted + row.refused)) * 10_000) / 10_000 }));
}

/** What happened, of several shards. */
export const happened = (lists) => summed(lists, ["day", "kind", "name", "experience", "variant"], { n: 0 }, (sum, { n }) => (sum.n += n));
