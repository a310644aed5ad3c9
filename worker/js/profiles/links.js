// Who is who: anonymous profiles become parts of users' profiles, and of each other where they are one visitor's.
//
// An anonymous profile is handed to its targets, whole and with its version, each time that it has changed; who has a newer version
// keeps that. So handing over may be repeated, and may come in any order. Whose it is, is the first user by (at, id) whom it was
// identified as: an earlier `identify` that comes later takes it from whom it was given to.

import { log } from "../log.js";
import { findPart, makeRoom, partOf } from "./fold.js";
import { later } from "./retry.js";
import { forgetMember } from "./watch.js";

/** So many ids of one visitor are known to each other. */
const MOST_PEERS = 8;

/** A profile that changed is handed over after so long: more may follow. */
const PAUSE_MS = 1000;

/** So many are handed over at a time. */
const AT_ONCE = 50;

/** The key of a user's profile, and of a browser's. */
export const userKey = (id) => `u:${id}`;
export const anonymousKey = (id) => `a:${id}`;

/** Has a profile handed to its targets, as something of it is new. */
function renew(sql, profile, due) {
  sql.exec("UPDATE targets SET due = ? WHERE profile = ? AND gone = 0 AND (due IS NULL OR due > ?)", due, profile, due);
}

/** A part of this shard's own changed: those who have it are to get it again. */
export function changed(shard, { profile, pushed, targets }) {
  if (pushed === 0 && targets > 0) {
    renew(shard.sql, profile, shard.now + PAUSE_MS);
  }
}

function aim(shard, profile, target, gone) {
  const { sql, now } = shard;
  sql.exec(
    "INSERT INTO targets (profile, target, gone, due) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET gone = excluded.gone, due = excluded.due, tries = 0",
    profile,
    target,
    gone,
    now,
  );
}

/** Notes that whom a profile is handed to, or what is handed over with it, is another now. */
function retarget(shard, profile) {
  const { sql, now } = shard;
  partOf(sql, profile, 0, "", now);
  const count = "(SELECT count(*) FROM targets WHERE targets.profile = parts.profile)";
  sql.exec(`UPDATE parts SET version = version + 1, targets = ${count} WHERE profile = ? AND pushed = 0`, profile);
  renew(sql, profile, now);
}

/** The user whose an anonymous profile is: `{ user, at, id }`; undefined when it is nobody's yet. */
export const linkOf = (sql, profile) => sql.exec("SELECT user, at, id FROM links WHERE profile = ?", profile).toArray()[0];

/** An anonymous profile was identified as a user's. Returns whether that says anything new. */
export function link(shard, { profile, user, at, id }) {
  const { sql } = shard;
  const known = linkOf(sql, profile);
  if (known !== undefined && (known.at < at || (known.at === at && known.id <= id))) {
    return false;
  }
  sql.exec("INSERT INTO links (profile, user, at, id) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET user = excluded.user, at = excluded.at, id = excluded.id", profile, user, at, id);
  if (known !== undefined && known.user !== user) {
    aim(shard, profile, userKey(known.user), 1);
  }
  aim(shard, profile, userKey(user), 0);
  retarget(shard, profile);
  // From now on it is told of the user, in whose profile it is.
  forgetMember(sql, profile);
  return true;
}

/** Two anonymous profiles are one visitor's. Returns whether that is new. */
export function join(shard, { profile, peer }) {
  const { sql } = shard;
  const peers = sql.exec("SELECT target FROM targets WHERE profile = ? AND target LIKE 'a:%'", profile).toArray();
  if (profile === peer || peers.length >= MOST_PEERS || peers.some(({ target }) => target === peer)) {
    return false;
  }
  aim(shard, profile, peer, 0);
  retarget(shard, profile);
  return true;
}

/** What another shard hands over: `{ profile, target, version, state, gone, link }`. Returns whether anything is new. */
export function receive(shard, { profile, target, version, state, gone, link: owner }) {
  const { sql, now } = shard;
  // Each tells the other what it knows of their visitor, so that whose both are is the same in the end.
  const isLinked = owner !== undefined && target.startsWith("a:") && link(shard, { ...owner, profile: target });
  const part = findPart(sql, target, 1, profile);
  if (part !== undefined && part.version >= version) {
    return isLinked;
  }
  if (part === undefined && !gone && state === null) {
    return isLinked;
  }
  if (part === undefined) {
    makeRoom(shard, target);
  }
  const { id } = part ?? partOf(sql, target, 1, profile, now);
  sql.exec("UPDATE parts SET version = ?, state = ?, came = ? WHERE id = ?", version, gone ? null : state, now, id);
  return true;
}

/** What is to be handed over for a target. */
function parcelOf(sql, { profile, target, gone }) {
  const { version, state } = findPart(sql, profile, 0, "");
  return { profile, target, version, state, gone: gone === 1, link: linkOf(sql, profile) };
}

async function hand(shard, row) {
  const { sql, site } = shard;
  const parcel = parcelOf(sql, row);
  try {
    await shard.send(parcel);
    // What changed meanwhile has a newer version, and is due again.
    sql.exec(
      `UPDATE targets SET due = NULL, tries = 0 WHERE profile = ?1 AND target = ?2 AND gone = ?3
         AND ?4 = (SELECT version FROM parts WHERE profile = ?1 AND pushed = 0)`,
      row.profile,
      row.target,
      row.gone,
      parcel.version,
    );
  } catch (error) {
    log("error", "part_not_handed_over", "a profile could not be handed to whose part it is; that is tried again", { error, site });
    sql.exec("UPDATE targets SET due = ?, tries = tries + 1 WHERE profile = ? AND target = ?", shard.now + later(row.tries + 1), row.profile, row.target);
  }
}

/** Hands over what is due: of these profiles, or of all. Never rejects. */
export async function handOver(shard, profiles) {
  const { sql, now } = shard;
  const rows = sql
    .exec("SELECT * FROM targets WHERE due <= ?1 AND (?2 IS NULL OR profile IN (SELECT value FROM json_each(?2))) ORDER BY due LIMIT ?3", now, profiles === undefined ? null : JSON.stringify(profiles), AT_ONCE)
    .toArray();
  await Promise.all(rows.map((row) => hand(shard, row)));
}

/** When something is to be handed over next; undefined for never. */
export const handDue = (sql) => sql.exec("SELECT min(due) AS due FROM targets WHERE due IS NOT NULL").one().due ?? undefined;
