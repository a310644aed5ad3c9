// What the site's owner asks of a shard, and writes to it, and what erasures do to it. The calls come by their names from `Profiles.own`.

import { violations } from "../events/violations.js";
import { accessesOf, noteAccess } from "./accesses.js";
import { choicesIn, countChoice, countMeasured, measuredIn } from "./counts.js";
import { deadLetters, resend } from "./dead.js";
import { erase, forget, related } from "./erase.js";
import { held, heldEvents, heldWaiting } from "./held.js";
import { linkOf } from "./links.js";
import { isKnown, notesOf, tagsOf } from "./noted.js";
import { waiting } from "./outbox.js";
import { quantiles, renew, sketched, tell } from "./quantiles.js";
import { keysAfter, membershipsOf, statesOf } from "./read.js";
import { getMeta } from "./tables.js";

/** So many notes, and tags, has a profile. */
const MOST_NOTES = 100;
const MOST_TAGS = 50;

/** So many profiles a shard looks at in one call. */
const AT_ONCE = 1000;

/** A profile with all that is known beside its states; null when there is none. `by` reads it. */
function profile(shard, key, by) {
  const { sql } = shard;
  if (!isKnown(sql, key)) {
    return null;
  }
  noteAccess(shard, key, by, "profile");
  const parts = sql.exec("SELECT pushed, name, version, came, state IS NULL AS isEmpty FROM parts WHERE profile = ? ORDER BY pushed, name", key).toArray();
  return {
    states: statesOf(shard, { profile: key }),
    quantiles: getMeta(sql, "quantiles"),
    about: JSON.stringify({
      key,
      user: linkOf(sql, key)?.user ?? null,
      parts: parts
        .filter(({ isEmpty }) => !isEmpty)
        .map(({ pushed, name, came }) => ({ of: pushed ? name : name === "" ? key : `a:${name}`, handed_over: pushed === 1, last: new Date(came).toISOString() })),
      notes: notesOf(sql, key),
      tags: tagsOf(sql, key),
    }),
  };
}

const UNKNOWN = { unknown: true };

/** Answers to who reads something of a profile, and notes that they do. */
const reading = (what, tell) => (shard, key, { by }) => {
  if (!isKnown(shard.sql, key)) {
    return UNKNOWN;
  }
  noteAccess(shard, key, by, what);
  return { [what]: tell(shard.sql, key) };
};

/** The notes of a profile; its tags; who read it, this time too. */
const notes = reading("notes", notesOf);
const tags = reading("tags", tagsOf);
const accesses = reading("accesses", accessesOf);

/** Adds a note. */
function note({ sql, now }, key, { id, by, text }) {
  if (!isKnown(sql, key)) {
    return UNKNOWN;
  }
  if (sql.exec("SELECT count(*) AS n FROM notes WHERE profile = ?", key).one().n >= MOST_NOTES) {
    return { full: true };
  }
  sql.exec("INSERT INTO notes (id, profile, at, by, text) VALUES (?, ?, ?, ?, ?)", id, key, now, by, text);
  return { notes: notesOf(sql, key) };
}

/** Takes a note away. */
const unnote = ({ sql }, key, { id }) => (sql.exec("DELETE FROM notes WHERE profile = ? AND id = ? RETURNING 1", key, id).toArray().length > 0 ? { notes: notesOf(sql, key) } : UNKNOWN);

/** Puts tags on a profile, beside those that it has. */
function tag({ sql, now }, key, { by, tags: added }) {
  if (!isKnown(sql, key)) {
    return UNKNOWN;
  }
  const before = tagsOf(sql, key).map(({ tag: name }) => name);
  if (new Set([...before, ...added]).size > MOST_TAGS) {
    return { full: true };
  }
  added.forEach((name) => sql.exec("INSERT INTO tags (profile, tag, at, by) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", key, name, now, by));
  return { tags: tagsOf(sql, key) };
}

/** Takes a tag off. */
const untag = ({ sql }, key, { tag: name }) => (sql.exec("DELETE FROM tags WHERE profile = ? AND tag = ? RETURNING 1", key, name).toArray().length > 0 ? { tags: tagsOf(sql, key) } : UNKNOWN);

/** The profiles behind `after` with their memberships, some of them; `after` is the last one, null when there are no more. */
function looked(shard, after, most) {
  const quantiles = getMeta(shard.sql, "quantiles");
  const keys = keysAfter(shard, after, most);
  const found = keys.map((key) => ({ key, ...membershipsOf(shard, statesOf(shard, { profile: key }), quantiles) }));
  return { found, after: keys.length < most ? null : keys.at(-1) };
}

/**
 * How many profiles are in the audiences, and how many in two of them: of some profiles behind `after`. `counts` and `unknown` are by the
 * audience's name, `overlaps` by two names in their order as JSON.
 */
function audiences(shard, after) {
  const answer = { profiles: 0, counts: {}, unknown: {}, overlaps: {}, after: null };
  const more = (counts, name) => (counts[name] = (counts[name] ?? 0) + 1);
  const { found, after: last } = looked(shard, after, AT_ONCE);
  for (const { audiences: names, unknown } of found) {
    answer.profiles += 1;
    unknown.forEach((name) => more(answer.unknown, name));
    names.forEach((name, at) => {
      more(answer.counts, name);
      names.slice(at + 1).forEach((other) => more(answer.overlaps, JSON.stringify([name, other])));
    });
  }
  return { ...answer, after: last };
}

/** The keys of members of an audience, of some profiles behind `after`; `by` reads them. */
function members(shard, audience, after, by) {
  const { found, after: last } = looked(shard, after, AT_ONCE);
  const keys = found.filter(({ audiences: names }) => names.includes(audience)).map(({ key }) => key);
  keys.forEach((key) => noteAccess(shard, key, by, `audience ${audience}`));
  return { keys, after: last };
}

/** What became of an erasure that this shard saw to; null where it has no such receipt. */
const receipt = ({ sql }, id) => sql.exec("SELECT id, at, what, done FROM receipts WHERE id = ?", id).toArray()[0] ?? null;

/** Counts a choice, or what happened, of nobody. */
const choice = (shard, statement) => countChoice(shard, statement);
const measure = (shard, rows) => countMeasured(shard, rows);

/** How it stands with the sinks: what waits for them, and how many dead letters there are. */
const sinks = ({ sql }) => ({ waiting: waiting(sql), counts: deadLetters(sql, 0, 0).counts });

/** Dead letters behind a number, of one sink or all. */
const letters = ({ sql }, after, limit, sink) => deadLetters(sql, after, limit, sink);

/** Has dead letters sent again. */
const again = ({ sql, now, transaction }, which) => transaction(() => resend(sql, which, now));

/** The calls by name, and those of them that write. */
export const CALLS = { erase, forget, related, profile, notes, note, unnote, tags, tag, untag, audiences, members, violations, sketched, quantiles, renew, tell, sinks, letters, again, receipt, accesses, choice, choices: choicesIn, measure, measured: measuredIn, held, heldEvents, heldWaiting };
export const WRITES = new Set(["erase", "forget", "choice", "measure", "note", "unnote", "tag", "untag", "quantiles", "renew", "tell", "again"]);
