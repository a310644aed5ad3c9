// Events become part of a profile: in the order of (at, messageId), each once.
//
// A part has a base, without the events of its window, and a state, with them. What comes in order is folded onto the state. What comes
// behind its turn is put in its place: the window is folded onto the base again. What is older than the base is folded into it as far as
// order does not matter. Events stay in the window for a day at least, unless there are too many; nothing that was taken is lost where
// folding fails: it is in the window, and folded when that is possible again.

import { log } from "../log.js";
import { fold, foldLate } from "./learn.js";
import { findPart, hasRoom, partOf, prove } from "./parts.js";

/** How late an event may be to be put in its place: `LATE_MS` of the core. */
export const LATE_MS = 24 * 3600 * 1000;

/** So many events are in a window; of more the oldest go into the base until so many are left. */
const MOST_HELD = 256;
const LEFT_HELD = 128;

/** So many messageIds are remembered; of more those that came first are forgotten, some at once. */
const MOST_IDS = 4096;
const IDS_AT_ONCE = 512;

/** For so long they are remembered: of what is imported longer, as an import may be begun again. */
const IDS_MS = 2 * LATE_MS;
const IMPORTED_IDS_MS = 7 * LATE_MS;

const TAKE = "INSERT INTO events (part, id, at, until, json) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
const WINDOW = "SELECT at, id, json FROM events WHERE part = ? AND json IS NOT NULL ORDER BY at, id";
const CLOSE = "UPDATE events SET json = NULL WHERE part = ? AND json IS NOT NULL AND (at, id) <= (?, ?)";
const SAVE = `UPDATE parts SET version = ?, state = ?, newest_at = ?, newest_id = ?, held = ?, ids = ?, dirty = ?, came = ?, consent = coalesce(?, consent) WHERE id = ?`;
const SAVE_BASE = "UPDATE parts SET base = ?, base_at = ?, base_id = ? WHERE id = ?";
const FORGET = "DELETE FROM events WHERE part = ?1 AND id IN (SELECT id FROM events WHERE part = ?1 AND json IS NULL ORDER BY until LIMIT ?2)";

/** Whether an event comes behind another one. */
const isBehind = (one, at, id) => at === null || one.at > at || (one.at === at && one.id > id);

/** Folding went wrong: the events are in the window, and the state is as it was. */
class Unreadable extends Error {}

/** A state with events; what it is folded onto must be readable. */
function folded(shard, state, events) {
  if (events.length === 0) {
    return state;
  }
  const next = fold(shard.site, state, events.map(({ json }) => json));
  if (next === undefined) {
    throw new Unreadable("a state can't be read");
  }
  return next;
}

/** Everything up to an event is in the base from now on; it leaves the window when the part is saved. */
function move(part, base, { at, id }) {
  Object.assign(part, { base, base_at: at, base_id: id, isMoved: true });
}

/** Lets the oldest events of a window go into the base, where there are too many. */
function shorten(shard, part) {
  if (part.held <= MOST_HELD) {
    return;
  }
  const rows = shard.sql.exec(WINDOW, part.id).toArray().filter((row) => isBehind(row, part.base_at, part.base_id));
  const fresh = rows.findIndex(({ at }) => at >= part.newest_at - LATE_MS);
  const old = rows.slice(0, Math.max(fresh, rows.length - LEFT_HELD));
  move(part, folded(shard, part.base, old), old.at(-1));
  part.held = rows.length - old.length;
}

/** Events that come in their order, behind all others. */
function append(shard, part, events) {
  const cut = events.at(-1).at - LATE_MS;
  if (part.held === 0 || part.newest_at < cut) {
    // All that is in the window is too old for it, and maybe some of these too.
    const old = events.filter(({ at }) => at < cut);
    part.state = folded(shard, part.state, old);
    const last = old.at(-1) ?? (part.newest_at === null ? undefined : { at: part.newest_at, id: part.newest_id });
    if (last !== undefined) {
      move(part, part.state, last);
    }
    part.held = 0;
    events = events.slice(old.length);
  }
  part.state = folded(shard, part.state, events);
  part.held += events.length;
}

/** All events of the window once more: onto the base, in their order. */
function again(shard, part) {
  const rows = shard.sql.exec(WINDOW, part.id).toArray();
  const late = rows.filter((row) => !isBehind(row, part.base_at, part.base_id));
  if (late.length > 0) {
    const base = foldLate(shard.site, part.base, late.map(({ json }) => json));
    if (base === undefined) {
      throw new Unreadable("a base can't be read");
    }
    move(part, base, { at: part.base_at, id: part.base_id });
  }
  const rest = rows.slice(late.length);
  part.state = folded(shard, part.base, rest);
  part.held = rest.length;
  const last = rest.at(-1);
  if (last !== undefined && isBehind(last, part.newest_at, part.newest_id)) {
    [part.newest_at, part.newest_id] = [last.at, last.id];
  }
}

/** As `again`; what is left of a base that can't be read is nothing. */
function mend(shard, part) {
  try {
    again(shard, part);
  } catch (error) {
    if (!(error instanceof Unreadable)) {
      throw error;
    }
    log("error", "profile_unreadable", "a profile can't be read, and begins anew with the events of its window", { site: shard.site });
    Object.assign(part, { base: null, base_at: null, base_id: null, isMoved: true });
    again(shard, part);
  }
  part.dirty = 0;
}

/** Folds events that are in the window, ordered, into their part. */
function foldInto(shard, part, events) {
  const before = { ...part };
  try {
    if (part.dirty || !isBehind(events[0], part.newest_at, part.newest_id)) {
      mend(shard, part);
    } else {
      try {
        append(shard, part, events);
      } catch (error) {
        if (!(error instanceof Unreadable)) {
          throw error;
        }
        Object.assign(part, before, { isMoved: false });
        mend(shard, part);
      }
      ({ at: part.newest_at, id: part.newest_id } = events.at(-1));
    }
    shorten(shard, part);
    return true;
  } catch (error) {
    Object.assign(part, before, { isMoved: false });
    log("error", "not_folded", "events are kept, and not yet part of their profile", { error, site: shard.site, events: events.length });
    return false;
  }
}

/** Writes a part back. */
function save(sql, part) {
  if (part.isMoved) {
    sql.exec(SAVE_BASE, part.base, part.base_at, part.base_id, part.id);
    sql.exec(CLOSE, part.id, part.base_at, part.base_id);
  }
  sql.exec(SAVE, part.version, part.state, part.newest_at, part.newest_id, part.held, part.ids, part.dirty, part.came, part.consent, part.id);
}

/**
 * Takes events of one part of a profile, inside of a transaction: `{ id, at, json, fold, proven, consent }` each. Returns the part, for each
 * event whether it is new, and whether the part's state is another one.
 */
export function take(shard, profile, name, events, imported) {
  const { sql, now } = shard;
  const isProven = events.some(({ proven }) => proven);
  const found = findPart(sql, profile, 0, name);
  // What is not part of the profile is counted once still.
  const isPart = found !== undefined || name === "" || hasRoom(shard, profile, isProven);
  const part = found ?? partOf(shard, profile, 0, isPart ? name : "");
  if (isProven && part.proven === 0) {
    prove(sql, part);
  }
  const until = now + (imported ? IMPORTED_IDS_MS : IDS_MS);
  const isNew = events.map(({ id, at, json, fold }) => sql.exec(TAKE, part.id, id, at, until, fold && isPart ? json : null).rowsWritten > 0);
  const taken = events.filter((event, at) => isNew[at]);
  const folding = taken.filter(({ fold }) => fold && isPart);
  if (taken.length > 0) {
    part.ids += taken.length;
    // Who only says to be a user does not keep what is known of them from going.
    part.came = isPart ? now : part.came;
    // Also of what is not folded: who withdraws a consent is heard of without it.
    part.consent = taken.at(-1).consent ?? null;
    if (part.ids > MOST_IDS + IDS_AT_ONCE) {
      sql.exec(FORGET, part.id, IDS_AT_ONCE);
      part.ids -= IDS_AT_ONCE;
    }
    if (folding.length > 0) {
      folding.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
      if (shard.program !== undefined && foldInto(shard, part, folding)) {
        part.version += 1;
      } else {
        part.dirty = 1;
        part.held += folding.length;
      }
    }
    save(sql, part);
  }
  return { part, isNew, isChanged: folding.length > 0 && part.dirty === 0 };
}

/** So many parts are mended at a time; a part's events are looked at one by one where it was tried so often. */
const MENDED_AT_ONCE = 20;
const TRIES = 3;

/** Folds the window of a part again; the part as it is then, undefined where that fails. */
function mended(shard, row) {
  const part = { ...row };
  if (shard.program === undefined || !foldInto(shard, part, [])) {
    return undefined;
  }
  part.version += 1;
  save(shard.sql, part);
  return part;
}

/** Whether something of folding traps; then the program is at hand again. */
async function traps(shard, state, events) {
  try {
    fold(shard.site, state, events);
    return false;
  } catch {
    await shard.prepare();
    return true;
  }
}

/** Finds what a window can't be folded with, and leaves that out: the base, or the first event that traps. */
async function leaveOut(shard, { id, base, base_at, base_id }) {
  const { sql, site } = shard;
  if (await traps(shard, base, [])) {
    log("error", "profile_unreadable", "a profile can't be read, and begins anew with the events of its window", { site });
    sql.exec(SAVE_BASE, null, null, null, id);
    return;
  }
  for (const row of sql.exec(WINDOW, id).toArray().filter((row) => isBehind(row, base_at, base_id))) {
    if (await traps(shard, base, [row.json])) {
      log("error", "event_left_out", "an event can't be folded, and is no part of its profile", { site });
      sql.exec("UPDATE events SET json = NULL WHERE part = ? AND id = ?", id, row.id);
      return;
    }
  }
}

/**
 * Folds what could not be folded when it came. An event that traps whenever it is tried is left out, as those behind it would wait for
 * ever. `changed` is told each part that is whole again.
 */
export async function mendAll(shard, changed) {
  const dirty = shard.sql.exec("SELECT id FROM parts WHERE dirty > 0 ORDER BY id LIMIT ?", MENDED_AT_ONCE).toArray();
  for (const { id } of dirty) {
    // As it is now: events may have come while another one was looked at.
    const [row] = shard.sql.exec("SELECT * FROM parts WHERE id = ? AND dirty > 0", id).toArray();
    if (row === undefined) {
      continue;
    }
    const part = shard.transaction(() => mended(shard, row));
    if (part !== undefined) {
      changed(part);
    } else if ((await shard.prepare()) !== undefined) {
      shard.sql.exec("UPDATE parts SET dirty = dirty + 1 WHERE id = ? AND dirty > 0", row.id);
      if (row.dirty >= TRIES) {
        await leaveOut(shard, row);
      }
    }
  }
}

/** When what is dirty is to be mended; undefined when nothing is. */
export const mendDue = (sql, now) => (sql.exec("SELECT 1 FROM parts WHERE dirty > 0 LIMIT 1").toArray().length > 0 ? now + 1000 : undefined);

/**
 * Forgets what is over: ids that are not asked for any more, and the windows of profiles of which nothing came for two days. Their state
 * is their base then.
 */
export function sweep(sql, now) {
  const idle = "SELECT id FROM parts WHERE held > 0 AND dirty = 0 AND came < ?";
  sql.exec(`UPDATE events SET json = NULL WHERE json IS NOT NULL AND part IN (${idle})`, now - IDS_MS);
  sql.exec(`UPDATE parts SET base = state, base_at = newest_at, base_id = newest_id, held = 0 WHERE id IN (${idle})`, now - IDS_MS);
  sql.exec("DELETE FROM events WHERE json IS NULL AND until < ?", now);
  sql.exec("UPDATE parts SET ids = (SELECT count(*) FROM events WHERE part = parts.id) WHERE ids > 0");
}
