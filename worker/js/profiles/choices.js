// What visitors said of their purposes, as a shard keeps it, and what holds for a user with several browsers: of each browser what it said
// last, and of all of them the stricter. So nothing depends on the order in which browsers say who their visitor is.
//
// A browser's profile has its own statement, and hands it over with itself (links.js). A user's profile has one of each browser, and tells
// each of them what holds by the others; so what comes in a browser is kept as its user said it elsewhere, whether they are proven there or not.
//
// Anybody may say that they are a user. So where a browser of a user is proven, what holds for the user, and in their proven browsers, is what
// was said in those; a browser that is only claimed is bound by what all of them say. Of a user of whom nothing is proven all count.

import { PURPOSES, joined, rowsOf, statementOf } from "../choice.js";
import { log } from "../log.js";
import { isUnsaid } from "./erased.js";
import { later } from "./retry.js";

/** So many browsers of a user are told apart; of more those that said something first are one, as strict as all of them. */
const MOST_BROWSERS = 64;

/** What stands for those: of browsers that are only claimed, and of those that are proven. */
const REST = ["*", "**"];
const isRest = (part) => REST.includes(part);

/** So many choices of one profile are remembered, and for so long: what was agreed to can be shown as long as something follows from it. */
const MOST_HISTORY = 200;
const HISTORY_MS = 760 * 24 * 3600 * 1000;

/** For so long a statement counts: a while longer than the cookie that says it. Then its browser is asked again. */
const KEPT_MS = 400 * 24 * 3600 * 1000;

/** A cookie knows whole seconds. */
const SECOND_MS = 1000;

/** So many of a user's browsers are told what holds in the others: anybody may say that theirs is one. */
const MOST_TOLD = 1000;

/** So many are told at a time. */
const AT_ONCE = 50;

const OWN = "";
const isUser = (key) => key.startsWith("u:");

const ROWS = "SELECT part, purpose, status, at, version, by, proven FROM consents WHERE profile = ?";
const PUT = "INSERT OR REPLACE INTO consents (profile, part, purpose, status, at, version, by, proven) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

/** All that was said of a profile, by part. */
const allOf = (sql, profile) => sql.exec(ROWS, profile).toArray();

/** What one part said. */
const partOf = (sql, profile, part) => sql.exec(`${ROWS} AND part = ?`, profile, part).toArray();

function replace(sql, profile, part, rows) {
  sql.exec("DELETE FROM consents WHERE profile = ? AND part = ?", profile, part);
  rows.forEach(({ purpose, status, at, version, by, proven = 0 }) => sql.exec(PUT, profile, part, purpose, status, at, version, by, proven));
}

/** Of what was said of a user that which counts for them; of a browser's profile all. */
function countingOf(profile, rows) {
  const proven = isUser(profile) ? rows.filter((row) => row.proven === 1) : [];
  return proven.length > 0 ? proven : rows;
}

/** Puts those together that said something first, where there are too many. */
function shorten(sql, profile, proven) {
  const PARTS = "SELECT part, max(at) AS last FROM consents WHERE profile = ? AND proven = ? AND part GLOB 'a:*' GROUP BY part ORDER BY last, part";
  const parts = sql.exec(PARTS, profile, proven).toArray();
  for (const { part } of parts.slice(0, Math.max(0, parts.length - MOST_BROWSERS))) {
    const rest = joined([...partOf(sql, profile, REST[proven]), ...partOf(sql, profile, part)]);
    replace(sql, profile, part, []);
    replace(sql, profile, REST[proven], rest.map((row) => ({ ...row, proven })));
  }
}

/** Has all of those told to whom a profile tells what holds; `target` becomes one of them, or is one no more. */
function announce({ sql, now }, profile, target, gone = 0) {
  if (target !== undefined) {
    sql.exec("INSERT INTO told (profile, target, gone) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET gone = excluded.gone", profile, target, gone);
  }
  sql.exec("UPDATE told SET due = ?, tries = 0 WHERE profile = ?", now, profile);
}

/**
 * A statement beside the one that the same browser made before: what it granted then, and does not now, is withdrawn, and nothing else. What
 * its cookie says of that may be another browser's word.
 */
function following(rows, known) {
  if (known.length === 0) {
    return rows;
  }
  const before = new Map(known.map(({ purpose, status }) => [purpose, status]));
  const statusOf = ({ purpose, status }) => (status === "granted" ? status : ["granted", "withdrawn"].includes(before.get(purpose)) ? "withdrawn" : "refused");
  return rows.map((row) => ({ ...row, status: statusOf(row) }));
}

const atOf = (rows) => rows[0]?.at ?? -1;
const textOf = (rows) => JSON.stringify(rows.map(({ purpose, status, at, version, by, proven = 0 }) => [purpose, status, at, version, by, proven]).sort());

/** Keeps what a part of a profile said, where that is nothing older than what is known, and something else. Returns whether it is. What is proven once stays so. */
function put({ sql }, profile, part, said) {
  const known = partOf(sql, profile, part);
  const proven = Math.max(...[...said, ...known].map((row) => row.proven ?? 0), 0);
  const rows = said.map((row) => ({ ...row, proven }));
  if (atOf(rows) < atOf(known) || textOf(rows) === textOf(known)) {
    return false;
  }
  replace(sql, profile, part, rows);
  shorten(sql, profile, proven);
  return true;
}

/**
 * Notes what a browser says: `{ profile, device, statement, isNew, who }`. `profile` is the browser's own, or that of the user who is logged
 * in there; `device` the key of its own. With `isNew` it is said just now, and is remembered under `who`; without, it is what the browser
 * brings along. Returns the statement as it is kept, undefined where it is no newer than what is known.
 */
export function note(shard, { profile, device, statement, isNew = false, who }) {
  const { sql, now } = shard;
  const part = profile === device ? OWN : device;
  const known = partOf(sql, profile, part);
  // Only who is proven speaks to a user's profile itself.
  const proven = isUser(profile) ? 1 : 0;
  const rows = following(rowsOf({ ...statement, at: Math.min(statement.at, now) }), known).map((row) => ({ ...row, proven }));
  // What is brought along may be as strict as another browser, and is no news then. Of what has no time the last that was heard of counts.
  const isKnown = known.length > 0 && known[0].proven >= proven && (atOf(rows) === 0 ? atOf(known) > 0 : atOf(rows) < atOf(known) + SECOND_MS);
  if (rows.length === 0 || (isKnown && !isNew) || !put(shard, profile, part, rows)) {
    return undefined;
  }
  const kept = statementOf(rows);
  if (isUser(profile)) {
    announce(shard, profile, device);
  }
  if (isNew && who !== undefined) {
    const { choice, at, version, by } = kept;
    sql.exec("INSERT INTO history (who, at, version, by, choice) VALUES (?, ?, ?, ?, ?)", who, at, version, by, JSON.stringify(choice));
    sql.exec("DELETE FROM history WHERE who = ?1 AND rowid NOT IN (SELECT rowid FROM history WHERE who = ?1 ORDER BY at DESC, rowid DESC LIMIT ?2)", who, MOST_HISTORY);
  }
  return kept;
}

/** What a profile hands over of it: rows by the browser that said them. */
export function handedOver(sql, profile) {
  const rows = allOf(sql, profile);
  return rows.filter(({ part }) => (isUser(profile) ? part.startsWith("a:") || isRest(part) : part === OWN)).map(({ part, ...row }) => ({ part: part === OWN ? profile : part, ...row }));
}

/** Takes what another profile hands to a user's; `isProven`: whether that is proven to be the user's. Returns whether anything of it is new. */
export function take(shard, { profile, target, gone, choices = [] }, isProven) {
  const { sql } = shard;
  if (!isUser(target)) {
    return false;
  }
  const said = isUser(profile) ? choices : choices.map((row) => ({ ...row, proven: Number(isProven) }));
  const parts = [...Map.groupBy(said, ({ part }) => part)];
  const isTold = (key, isGone) => sql.exec("SELECT 1 FROM told WHERE profile = ? AND target = ? AND gone = ?", target, key, isGone).toArray().length > 0;
  if (gone) {
    const isNew = !isTold(profile, 1);
    if (isNew) {
      replace(sql, target, profile, []);
      announce(shard, target, profile, 1);
    }
    return isNew;
  }
  const news = parts.filter(([part, rows]) => put(shard, target, part, rows));
  const left = MOST_TOLD - sql.exec("SELECT count(*) AS n FROM told WHERE profile = ?", target).one().n;
  const browsers = [profile, ...parts.map(([part]) => part)].filter((key) => !isRest(key) && !isTold(key, 0)).slice(0, Math.max(0, left));
  browsers.forEach((key) => announce(shard, target, key));
  if (news.length > 0 && browsers.length === 0) {
    announce(shard, target);
  }
  return news.length > 0;
}

/**
 * What of a profile holds in one of its browsers: `own`, the statement that the browser made itself, where it is known; and `others`, rows
 * of what holds by what was said elsewhere.
 */
export function toldTo(sql, profile, device) {
  const own = profile === device ? OWN : device;
  const [mine, others] = [true, false].map((isOwn) => allOf(sql, profile).filter(({ part }) => (part === own) === isOwn));
  if (isUser(device)) {
    // A user who is this one is told what counts here, and whether it is proven.
    const counting = countingOf(profile, others);
    return { own: null, others: joined(counting).map((row) => ({ ...row, proven: counting[0].proven })) };
  }
  const isProven = mine.some((row) => row.proven === 1);
  return { own: statementOf(mine) ?? null, others: joined(isProven ? others.filter((row) => row.proven === 1) : others) };
}

/** What holds for a profile, by all that was said: rows. */
export const heldOf = (sql, profile) => joined(countingOf(profile, allOf(sql, profile)));

/** The purposes for which nothing of a profile may be done. */
export const deniedOf = (sql, profile) =>
  new Set(countingOf(profile, allOf(sql, profile)).filter(({ status }) => status !== "granted").map(({ purpose }) => purpose));

/** Whether what a browser brings along was said before its person was forgotten: it holds no more. What is said just now does. */
export const isForgotten = (shard, { profile, device, statement, isNew = false }) =>
  // A cookie knows whole seconds.
  !isNew && [profile, device].some((key) => isUnsaid(shard, key, statement.at + SECOND_MS));

/** What such a browser is told: all is taken back. */
export const toldForgotten = ({ now }, { version }) => ({ own: null, others: PURPOSES.map((purpose) => ({ purpose, status: "withdrawn", at: now, version, by: "visitor" })) });

/** Each choice that was made under one of these names, the newest first. */
export function historyOf(sql, names) {
  const query = "SELECT at, version, by, choice FROM history WHERE who IN (SELECT value FROM json_each(?)) ORDER BY at DESC, rowid DESC";
  return sql.exec(query, JSON.stringify(names)).toArray().map(({ choice, ...row }) => ({ ...row, choice: JSON.parse(choice) }));
}

/** Takes what a user's profile tells: what holds in `profile` by what was said elsewhere. Of what was forgotten since nothing comes back. */
export function hear(shard, { profile, from, rows }) {
  const isGone = ({ at }) => isUnsaid(shard, profile, at) || isUnsaid(shard, from, at);
  replace(shard.sql, profile, from, rows.filter((row) => !isGone(row)));
}

/** Tells those who are to be told. `send` has the shard of a profile hear it. Never rejects. */
export async function tellAll(shard, send) {
  const { sql, now, site } = shard;
  const due = sql.exec("SELECT profile, target, gone, tries FROM told WHERE due <= ? ORDER BY due LIMIT ?", now, AT_ONCE).toArray();
  await Promise.all(
    due.map(async ({ profile, target, gone, tries }) => {
      // What comes meanwhile is due again.
      sql.exec("UPDATE told SET due = NULL WHERE profile = ? AND target = ?", profile, target);
      try {
        await send({ profile: target, from: profile, rows: gone ? [] : toldTo(sql, profile, target).others });
      } catch (error) {
        log("error", "choice_not_told", "what a user refused could not be told to one of their browsers' profiles; that is tried again", { error, site });
        sql.exec("UPDATE told SET due = coalesce(due, ?), tries = tries + 1 WHERE profile = ? AND target = ?", now + later(tries + 1), profile, target);
      }
    }),
  );
}

/** When somebody is to be told next; undefined for never. */
export const tellDue = (sql) => sql.exec("SELECT min(due) AS due FROM told WHERE due IS NOT NULL").one().due ?? undefined;

/** Forgets what is over. What has no time stays: nobody knows how old it is. */
export function forgetOld(sql, now) {
  sql.exec("DELETE FROM consents WHERE at > 0 AND at <= ?", now - KEPT_MS);
  sql.exec("DELETE FROM told WHERE due IS NULL AND NOT EXISTS (SELECT 1 FROM consents WHERE consents.profile = told.profile)");
  sql.exec("DELETE FROM history WHERE at <= ?", now - HISTORY_MS);
}

/** Forgets what was chosen under these names. */
export const forgetHistory = (sql, names) => void sql.exec("DELETE FROM history WHERE who IN (SELECT value FROM json_each(?))", JSON.stringify(names));

/** Forgets all that was said by and of profiles, and whom they told. Returns how much it was. */
export function forget(sql, keys) {
  const list = "IN (SELECT value FROM json_each(?1))";
  const gone = (table, column) => sql.exec(`DELETE FROM ${table} WHERE profile ${list} OR ${column} ${list}`, JSON.stringify(keys)).rowsWritten;
  return gone("consents", "part") + gone("told", "target");
}

/** An event less what its profile's person does not want: undefined where nothing is left to be done with it. */
export function permitted(event, denied, traits = {}) {
  if (denied.size === 0) {
    return event;
  }
  const keep = event.keep && !denied.has(event.need);
  const fold = event.fold && !denied.has("personalization");
  if (!keep && !fold) {
    return undefined;
  }
  const consent = JSON.parse(event.consent).filter((purpose) => !denied.has(purpose));
  const said = JSON.parse(event.json);
  const left = said.traits && Object.fromEntries(Object.entries(said.traits).filter(([name]) => !denied.has(traits[name])));
  return { ...event, keep, fold, consent: JSON.stringify(consent), json: JSON.stringify({ ...said, ...(left && { traits: left }), consent }) };
}
