// Profiles as they are read: of their parts one state, and what it says.

import { deniedOf } from "./choices.js";
import { audiencesOf, merge } from "./learn.js";
import { linkOf } from "./links.js";
import { getMeta } from "./tables.js";

const STATES = "SELECT state FROM parts WHERE profile = ? AND state IS NOT NULL ORDER BY pushed, name";

const COUNT = "SELECT count(*) AS n FROM parts WHERE profile = ?";

/**
 * The states of a profile's parts. `want` is `{ profile, part, user }`: with `part` those of one own part alone; with `user`, of an
 * anonymous profile, none where it is another user's; without `isRead` none. `written` are parts that were written just now, by their profiles.
 */
export function statesOf({ sql }, { profile, part, user, isRead = true }, written) {
  if (!isRead) {
    return [];
  }
  if (part !== undefined) {
    return sql.exec("SELECT state FROM parts WHERE profile = ? AND pushed = 0 AND name = ? AND state IS NOT NULL", profile, part).toArray().map(({ state }) => state);
  }
  if (user !== undefined && (linkOf(sql, profile)?.user ?? user) !== user) {
    return [];
  }
  const { state } = written?.get(profile) ?? {};
  // Most have one part: then it needs no reading again.
  if (state && sql.exec(COUNT, profile).one().n === 1) {
    return [state];
  }
  return sql.exec(STATES, profile).toArray().map(({ state }) => state);
}

/** Whose a profile is, for those who are told of it: what they agreed to is what they said last, less what they refused since, anywhere. */
export function whoOf({ sql, site }, key) {
  const { consent } = sql.exec("SELECT consent FROM parts WHERE profile = ? AND consent IS NOT NULL ORDER BY came DESC LIMIT 1", key).toArray()[0] ?? {};
  const id = key.slice(2);
  const denied = deniedOf(sql, key);
  const agreed = consent ? JSON.parse(consent).filter((purpose) => !denied.has(purpose)) : [];
  return { site, key, ...(key.startsWith("u:") ? { userId: id } : { anonymousId: id }), consent: agreed };
}

/** The names of the audiences that a profile is in, and of those that need a request to tell. */
export function membershipsOf(shard, states, quantiles) {
  const { site, now } = shard;
  return audiencesOf(site, merge(site, states), quantiles, now);
}

// Profiles that are a user's count as that user; of users who are each other (their own part came round) each one counts.
const IS_ITSELF = `(NOT EXISTS (SELECT 1 FROM links WHERE links.profile = parts.profile)
  OR EXISTS (SELECT 1 FROM parts AS own WHERE own.profile = parts.profile AND own.pushed = 1 AND own.name = parts.profile))`;
const KEYS = `SELECT DISTINCT profile FROM parts WHERE profile > ? AND state IS NOT NULL AND ${IS_ITSELF} ORDER BY profile LIMIT ?`;
const ONE = `SELECT DISTINCT profile FROM parts WHERE profile = ? AND ${IS_ITSELF}`;

/** The keys of the profiles behind `after`, in their order. */
export const keysAfter = ({ sql }, after, limit) => sql.exec(KEYS, after, limit).toArray().map(({ profile }) => profile);

/** The profiles behind `after`, or with `isOne` that one, each with its memberships. */
export function profilesAfter(shard, after, limit, quantiles = getMeta(shard.sql, "quantiles"), isOne = false) {
  const keys = isOne ? shard.sql.exec(ONE, after).toArray().map(({ profile }) => profile) : keysAfter(shard, after, limit);
  return keys.map((key) => ({ who: whoOf(shard, key), ...membershipsOf(shard, statesOf(shard, { profile: key }), quantiles) }));
}
