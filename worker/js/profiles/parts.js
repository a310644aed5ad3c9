// The parts that a profile is made of (see tables.js), and how many of them there are.

import { log } from "../log.js";
import { firstVersion } from "./erased.js";
import { merge } from "./learn.js";

const FIND = "SELECT * FROM parts WHERE profile = ? AND pushed = ? AND name = ?";
const ADD = "INSERT INTO parts (profile, pushed, name, came, version, targets) VALUES (?1, ?2, ?3, ?4, ?5, (SELECT count(*) FROM targets WHERE profile = ?1)) RETURNING *";

/** A part; undefined when there is none. */
export const findPart = (sql, profile, pushed, name) => sql.exec(FIND, profile, pushed, name).toArray()[0];

/** A part, made where there is none. */
export function partOf(shard, profile, pushed, name) {
  const { sql, now } = shard;
  return findPart(sql, profile, pushed, name) ?? sql.exec(ADD, profile, pushed, name, now, firstVersion(shard, profile)).one();
}

/** So many parts has a profile: browsers that its user was known in, and that time before they were. Of those that are proven, and of all others. */
const MOST_PARTS = 64;

/** So many parts of a user's profile are, or were, of browsers that only say that they are that user's. */
const MOST_CLAIMS = 1000;

/**
 * Parts that were put together as there were too many, by whether they are proven: what browsers only claim moves nothing that is proven,
 * and nothing of that goes when they are erased.
 */
const TOGETHER = { proven: 2, claimed: 3 };
const FIRST_TOGETHER = TOGETHER.proven;

const NEVER_AGAIN = Number.MAX_SAFE_INTEGER;

// Other users' profiles stay as they came, as they are handed on by their names; and the first part, as it has the number of the whole.
const MERGEABLE = `SELECT id, pushed, proven, merged, state FROM parts WHERE profile = ? AND proven = ? AND pushed < ${FIRST_TOGETHER} AND state IS NOT NULL AND dirty = 0
  AND NOT (pushed = 1 AND name GLOB 'u:*') AND NOT (pushed = 0 AND name = '') ORDER BY came, id`;

const CLAIMS = `SELECT count(*) AS n FROM parts WHERE profile = ? AND proven = 0 AND pushed < ${FIRST_TOGETHER} AND name <> ''`;

/** Puts one part together with others before it. The part stays, empty: so it is known what it is in. */
function putTogether(shard, profile, part) {
  const { sql, site } = shard;
  const place = part.merged ?? (part.proven ? TOGETHER.proven : TOGETHER.claimed);
  const whole = merge(site, [findPart(sql, profile, place, "")?.state, part.state]);
  sql.exec("UPDATE parts SET state = ?, version = version + 1 WHERE id = ?", whole, partOf(shard, profile, place, "").id);
  sql.exec("DELETE FROM events WHERE part = ?", part.id);
  sql.exec("UPDATE parts SET merged = ?, base = NULL, base_at = NULL, base_id = NULL, state = NULL, newest_at = NULL, newest_id = NULL, held = 0, ids = 0 WHERE id = ?", place, part.id);
  if (part.pushed) {
    sql.exec("UPDATE parts SET version = ? WHERE id = ?", NEVER_AGAIN, part.id);
  }
}

/**
 * Whether a profile takes one more part, proven or not. Where it has as many as it may have, the one of which nothing came for longest is put
 * together with others before it.
 */
export function hasRoom(shard, profile, isProven) {
  const { sql, site, program } = shard;
  if (!isProven && sql.exec(CLAIMS, profile).one().n >= MOST_CLAIMS) {
    log("warn", "claim_left_out", "too many browsers say that they are a user's and prove it not: one more is no part of that profile", { site });
    return false;
  }
  const parts = sql.exec(MERGEABLE, profile, isProven ? 1 : 0).toArray();
  if (parts.length < MOST_PARTS || program === undefined) {
    return true;
  }
  try {
    putTogether(shard, profile, parts[0]);
  } catch (error) {
    // What comes is taken nevertheless: the profile has one part more.
    log("error", "parts_not_merged", "parts of a profile could not be put together: it has one more than usual", { error, site });
  }
  return true;
}

/** Notes that a part is proven to be its profile's. */
export const prove = (sql, { id }) => void sql.exec("UPDATE parts SET proven = 1 WHERE id = ?", id);

/** What parts of a profile were put together with: parts of others may be in it too. */
export const togetherWith = (sql, parts) =>
  [...new Set(parts.filter(({ merged }) => merged !== null).map(({ profile, merged }) => JSON.stringify([profile, merged])))]
    .flatMap((one) => findPart(sql, ...JSON.parse(one), "") ?? []);

/** Takes a part away, and what it remembers of events. */
export function deletePart(sql, { id, profile, pushed }) {
  sql.exec("DELETE FROM events WHERE part = ?", id);
  sql.exec("DELETE FROM parts WHERE id = ?", id);
  // Of those that were put together nothing is in it any more: they are taken again when they are handed over next.
  sql.exec("UPDATE parts SET merged = NULL, version = iif(pushed = 1, 0, version) WHERE profile = ? AND merged = ?", profile, pushed);
}
