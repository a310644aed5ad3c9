// Who enters and leaves the audiences that webhooks are told of. After a fold the shard says in which a profile is; what changed becomes
// messages. Time alone changes it too, so all profiles are looked at again once a day.

import { enqueueAudience } from "./deliveries.js";

const DAY_MS = 24 * 3600 * 1000;

/** So many profiles one alarm looks at; the others have the next one, at once. */
const PROFILES = 250;

/** Makes the tables that are not there yet. */
export function createWatch(sql) {
  // Of profiles in no watched audience nothing is kept.
  sql.exec("CREATE TABLE IF NOT EXISTS members (key TEXT PRIMARY KEY, audiences TEXT NOT NULL)");
  sql.exec("CREATE TABLE IF NOT EXISTS watch (id INTEGER PRIMARY KEY CHECK (id = 1), after TEXT NOT NULL, due INTEGER NOT NULL)");
}

const watchedOf = ({ webhooks }) => new Set(webhooks.flatMap(({ audiences }) => audiences));

/**
 * Says in which audiences a profile is: `audiences` are names, and `who` is `{ site, key, userId?, anonymousId?, consent }`, of which
 * `consent` is what the visitor agreed to when last heard of. `sinks` are those of `sinksOf`.
 */
export function audiencesAre(sql, who, audiences, now, sinks) {
  const watched = watchedOf(sinks);
  if (watched.size === 0) {
    return;
  }
  const [row] = sql.exec("SELECT audiences FROM members WHERE key = ?", who.key).toArray();
  const before = JSON.parse(row?.audiences ?? "[]");
  const after = audiences.filter((name) => watched.has(name)).sort();
  const entered = after.filter((name) => !before.includes(name));
  const left = before.filter((name) => !after.includes(name));
  for (const name of entered) {
    enqueueAudience(sql, who, name, true, now, sinks.webhooks);
  }
  for (const name of left) {
    enqueueAudience(sql, who, name, false, now, sinks.webhooks);
  }
  if (after.length === 0) {
    sql.exec("DELETE FROM members WHERE key = ?", who.key);
  } else if (entered.length + left.length > 0) {
    sql.exec("INSERT OR REPLACE INTO members (key, audiences) VALUES (?, ?)", who.key, JSON.stringify(after));
  }
  sql.exec("INSERT OR IGNORE INTO watch (id, after, due) VALUES (1, '', ?)", now + DAY_MS);
}

/** Takes a profile's memberships along when it becomes a part of another, or is gone: it leaves nothing by that. */
export function forgetMember(sql, key) {
  sql.exec("DELETE FROM members WHERE key = ?", key);
}

/**
 * Looks at profiles again, where that is due: some of them, then the shard's alarm comes again. `profilesAfter(key, limit)` gives the
 * next profiles in the order of their keys, each as `{ who, audiences }` of now.
 */
export function recheck(sql, now, sinks, profilesAfter) {
  const [row] = sql.exec("SELECT * FROM watch").toArray();
  if (row === undefined || row.due > now) {
    return;
  }
  if (watchedOf(sinks).size === 0) {
    sql.exec("DELETE FROM watch");
    sql.exec("DELETE FROM members");
    return;
  }
  const profiles = profilesAfter(row.after, PROFILES);
  for (const { who, audiences } of profiles) {
    audiencesAre(sql, who, audiences, now, sinks);
  }
  const isDone = profiles.length < PROFILES;
  sql.exec("UPDATE watch SET after = ?, due = ?", isDone ? "" : profiles.at(-1).who.key, isDone ? now + DAY_MS : now);
}
