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

/** So many parts has a profile: browsers that its user was known in, and that time before they were. */
const MOST_PARTS = 64;

/** Parts that were put together as there were too many; handed over no more. */
export const TOGETHER = 2;
const NEVER_AGAIN = Number.MAX_SAFE_INTEGER;

// Other users' profiles stay as they came, as they are handed on by their names; and the first part, as it has the number of the whole.
const MERGEABLE = `SELECT id, pushed, state FROM parts WHERE profile = ? AND pushed < ${TOGETHER} AND state IS NOT NULL AND dirty = 0
  AND NOT (pushed = 1 AND name GLOB 'u:*') AND NOT (pushed = 0 AND name = '') ORDER BY came, id`;

/** Puts one part together with others before it. */
function putTogether(shard, profile, part) {
  const { sql, site } = shard;
  const whole = merge(site, [findPart(sql, profile, TOGETHER, "")?.state, part.state]);
  sql.exec("UPDATE parts SET state = ?, version = version + 1 WHERE id = ?", whole, partOf(shard, profile, TOGETHER, "").id);
  sql.exec("DELETE FROM events WHERE part = ?", part.id);
  if (part.pushed) {
    sql.exec("UPDATE parts SET state = NULL, version = ? WHERE id = ?", NEVER_AGAIN, part.id);
  } else {
    sql.exec("DELETE FROM parts WHERE id = ?", part.id);
  }
}

/** Puts the part of which nothing came for longest together with others before it, where a profile has as many parts as it may have. */
export function makeRoom(shard, profile) {
  const parts = shard.sql.exec(MERGEABLE, profile).toArray();
  if (parts.length < MOST_PARTS || shard.program === undefined) {
    return;
  }
  try {
    putTogether(shard, profile, parts[0]);
  } catch (error) {
    // What comes is taken nevertheless: the profile has one part more.
    log("error", "parts_not_merged", "parts of a profile could not be put together: it has one more than usual", { error, site: shard.site });
  }
}
