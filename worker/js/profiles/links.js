// Who is who: anonymous profiles become parts of users' profiles, and of each other where they are one visitor's.
//
// An anonymous profile is handed to its targets, whole and with its version, each time that it has changed; who has a newer version
// keeps that. So handing over may be repeated, and may come in any order. Whose it is, is the first user by (at, id) whom it was
// identified as, of those who are proven before those who are only said: an earlier `identify` that comes later takes it from whom it was
// given to, and so does a proof.
//
// A user's profile is handed over where an `alias` said that its user is another one. It gives what its own events and browsers made of it
// under its own name, and what other users' profiles handed to it as it came, under theirs: so each event is once in all profiles that it
// comes to, by whatever ways, and what comes back to where it is from is no news there.

import { log } from "../log.js";
import { handedOver, take } from "./choices.js";
import { isErased } from "./erased.js";
import { merge } from "./learn.js";
import { findPart, hasRoom, partOf, prove } from "./parts.js";
import { later } from "./retry.js";
import { forgetMember } from "./watch.js";

/** So many ids of one visitor are known to each other. */
const MOST_PEERS = 8;

/** So many other users' profiles are parts of one; and so many users is one said to be. */
const MOST_USERS = 64;
const MOST_NAMES = 8;

/** A profile that changed is handed over after so long: more may follow. */
const PAUSE_MS = 1000;

/** So many are handed over at a time. */
const AT_ONCE = 50;

/** The key of a user's profile, and of a browser's. */
export const userKey = (id) => `u:${id}`;
export const anonymousKey = (id) => `a:${id}`;

const isUser = (key) => key.startsWith("u:");

/** Of a profile's parts those of other users' profiles. */
const USERS = "pushed = 1 AND name GLOB 'u:*'";

/** A number that is larger whenever something of what a profile hands over is new. */
const NEWEST = `(SELECT sum(version) FROM parts WHERE profile = ?1 AND (pushed = 0 AND name = '' OR ${USERS}))`;

/** Has a profile handed to its targets, as something of it is new. */
function renew(sql, profile, due) {
  sql.exec("UPDATE targets SET due = ? WHERE profile = ? AND gone = 0 AND (due IS NULL OR due > ?)", due, profile, due);
}

/** What a user's profile hands over under its own name is another one: of its parts the first has the number of the whole. */
function age(sql, profile) {
  if (isUser(profile)) {
    sql.exec("UPDATE parts SET version = version + 1 WHERE profile = ? AND pushed = 0 AND name = '' AND targets > 0", profile);
  }
}

/** A part of this shard's own changed: those who have it are to get it again. */
export function changed(shard, { profile, pushed, targets }) {
  if (pushed === 0 && targets > 0) {
    age(shard.sql, profile);
    renew(shard.sql, profile, shard.now + PAUSE_MS);
  }
}

/** A part of a profile was taken away: those who have it are to get it without. */
export function reduced(shard, profile) {
  const { sql, now } = shard;
  sql.exec("UPDATE parts SET version = version + 1 WHERE profile = ? AND pushed = 0 AND name = '' AND targets > 0", profile);
  renew(sql, profile, now);
}

/** The keys of profiles that are the same visitors' as these: users' browsers, who users are now and were, and a browser's other ids. */
export function relatedTo(sql, keys) {
  const list = "IN (SELECT value FROM json_each(?1))";
  const found = sql.exec(
    `SELECT target AS key FROM targets WHERE profile ${list} AND gone = 0 AND substr(target, 1, 2) = substr(profile, 1, 2)
     UNION SELECT profile FROM targets WHERE target ${list} AND gone = 0
     UNION SELECT profile FROM links WHERE 'u:' || user ${list}`,
    JSON.stringify(keys),
  );
  return found.toArray().map(({ key }) => key).filter((key) => !keys.includes(key));
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

/** Something of what a profile hands over beside its states is new: its targets get it at once. */
export function handAgain({ sql, now }, profile) {
  sql.exec("UPDATE parts SET version = version + 1 WHERE profile = ? AND pushed = 0 AND name = ''", profile);
  renew(sql, profile, now);
}

/** Notes that whom a profile is handed to, or what is handed over with it, is another now. */
function retarget(shard, profile) {
  const { sql, now } = shard;
  partOf(shard, profile, 0, "");
  const count = "(SELECT count(*) FROM targets WHERE targets.profile = parts.profile)";
  sql.exec(`UPDATE parts SET version = version + 1, targets = ${count} WHERE profile = ? AND pushed = 0`, profile);
  renew(sql, profile, now);
}

/** The user whose a profile is, the first one said: `{ user, at, id, proven }`; undefined when it is nobody's yet, or its own user's alone. */
export const linkOf = (sql, profile) => sql.exec("SELECT user, at, id, proven FROM links WHERE profile = ?", profile).toArray()[0];

/** Notes whose a profile is. Returns whether nobody said something else before; what is proven comes before all that is only said. */
function noteLink({ sql }, { profile, user, at, id, proven = 0 }) {
  const INSERT = `INSERT INTO links (profile, user, at, id, proven) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET user = excluded.user, at = excluded.at, id = excluded.id, proven = excluded.proven
    WHERE (1 - excluded.proven, excluded.at, excluded.id) < (1 - links.proven, links.at, links.id) RETURNING 1`;
  return sql.exec(INSERT, profile, user, at, id, proven).toArray().length > 0;
}

/** A profile becomes a part of a user's. */
function give(shard, profile, user) {
  aim(shard, profile, userKey(user), 0);
  retarget(shard, profile);
  // From now on it is told of the user, in whose profile it is.
  forgetMember(shard.sql, profile);
}

/** An anonymous profile was identified as a user's. Returns whether that says anything new. */
function identified(shard, said) {
  const { profile, user } = said;
  const known = linkOf(shard.sql, profile);
  if (!noteLink(shard, said)) {
    return false;
  }
  if (known !== undefined && known.user !== user) {
    aim(shard, profile, userKey(known.user), 1);
  }
  give(shard, profile, user);
  return true;
}

/** A user was said to be another one. Nothing takes that back. Returns whether it is new. */
function aliased(shard, said) {
  const { sql, site } = shard;
  const { profile, user } = said;
  const users = sql.exec("SELECT target FROM targets WHERE profile = ?", profile).toArray();
  const isKnown = users.some(({ target }) => target === userKey(user));
  if (!isKnown && users.length >= MOST_NAMES) {
    log("warn", "alias_left_out", "a user is said to be too many others: that alias does nothing", { site });
    return false;
  }
  noteLink(shard, said);
  if (!isKnown) {
    give(shard, profile, user);
  }
  return !isKnown;
}

/** A profile is a user's: `{ profile, user, at, id, proven }`. Returns whether that says anything new. */
export function link(shard, said) {
  if (isErased(shard, said.profile, said.at) || isErased(shard, userKey(said.user), said.at)) {
    return false; // It was said before they were forgotten.
  }
  return isUser(said.profile) ? aliased(shard, said) : identified(shard, said);
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

/** Whether what is handed over is proven to be its target's: a user is one whom a server names, and so are a visitor's ids, which are signed. */
const isProvenOf = ({ profile, target, link: owner }) => isUser(profile) || !isUser(target) || (owner?.proven === 1 && userKey(owner.user) === target);

/** Whether one more profile may be handed to another one; makes room for it where that can be. */
function isTaken(shard, parcel) {
  const { sql, site } = shard;
  const { profile, target } = parcel;
  if (!isUser(profile)) {
    // A user's profiles stay apart: put together they could be counted twice where they are handed on to.
    return hasRoom(shard, target, isProvenOf(parcel));
  }
  if (sql.exec(`SELECT count(*) AS n FROM parts WHERE profile = ? AND ${USERS}`, target).one().n < MOST_USERS) {
    return true;
  }
  log("warn", "alias_left_out", "a user's profile has as many other users' as it may have, and takes no more", { site });
  return false;
}

/** What another shard hands over: `{ profile, target, version, state, gone, link, choices }`. Returns whether anything is new. */
export function receive(shard, parcel) {
  const { profile, target, version, state, gone, link: owner } = parcel;
  const { sql, now } = shard;
  if (isErased(shard, profile, version)) {
    return false; // It is of before it was erased, and was on its way.
  }
  if (take(shard, parcel, isProvenOf(parcel))) {
    handAgain(shard, target);
  }
  // Each tells the other what it knows of their visitor, so that whose both are is the same in the end.
  const isLinked = owner !== undefined && target.startsWith("a:") && link(shard, { ...owner, profile: target });
  const part = findPart(sql, target, 1, profile);
  if (profile === target) {
    // It came round. An empty part notes that: of users who are each other each one counts.
    return part === undefined && partOf(shard, target, 1, profile) !== undefined;
  }
  if (part === undefined ? !gone && state === null : part.version >= version) {
    return isLinked;
  }
  if (part === undefined && !isTaken(shard, parcel)) {
    return isLinked;
  }
  const { id, proven } = part ?? partOf(shard, target, 1, profile);
  if (proven === 0 && isProvenOf(parcel)) {
    prove(sql, { id });
  }
  sql.exec("UPDATE parts SET version = ?, state = ?, came = ? WHERE id = ?", version, gone ? null : state, now, id);
  if (isUser(target)) {
    if (!isUser(profile)) {
      age(sql, target);
    }
    renew(sql, target, now + PAUSE_MS);
  }
  return true;
}

/** What is to be handed over to a target, one after the other. */
function* parcelsOf({ sql, site }, { profile, target, gone }) {
  const { version, state } = findPart(sql, profile, 0, "");
  if (!isUser(profile)) {
    yield { profile, target, version, state, gone: gone === 1, link: linkOf(sql, profile), choices: handedOver(sql, profile) };
    return;
  }
  const own = sql.exec(`SELECT state FROM parts WHERE profile = ? AND state IS NOT NULL AND NOT (${USERS}) ORDER BY pushed, name`, profile).toArray();
  yield { profile, target, version, state: own.length > 0 ? merge(site, own.map((part) => part.state)) : null, gone: false, choices: handedOver(sql, profile) };
  for (const { name } of sql.exec(`SELECT name FROM parts WHERE profile = ?1 AND ${USERS} AND name <> ?1`, profile).toArray()) {
    const part = findPart(sql, profile, 1, name);
    yield { profile: name, target, version: part.version, state: name === target ? null : part.state, gone: false };
  }
}

async function hand(shard, row) {
  const { sql, site } = shard;
  const { profile, target, gone } = row;
  try {
    const { newest } = sql.exec(`SELECT ${NEWEST} AS newest`, profile).one();
    for (const parcel of parcelsOf(shard, row)) {
      await shard.send(parcel);
    }
    // What changed meanwhile is newer, and is due again.
    sql.exec(`UPDATE targets SET due = NULL, tries = 0 WHERE profile = ?1 AND target = ?2 AND gone = ?3 AND ?4 = ${NEWEST}`, profile, target, gone, newest);
  } catch (error) {
    log("error", "part_not_handed_over", "a profile could not be handed to whose part it is; that is tried again", { error, site });
    sql.exec("UPDATE targets SET due = ?, tries = tries + 1 WHERE profile = ? AND target = ?", shard.now + later(row.tries + 1), profile, target);
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
