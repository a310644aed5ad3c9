// All that is held of somebody, as one JSON document (docs/profiles.md#what-is-held): asked of the shards of their profile and of those that
// are part of it, and told piece by piece, so that nobody's history has to fit into memory.

import { log } from "../log.js";
import { accessesOf, noteAccess, notePage } from "./accesses.js";
import { heldOf as choiceHeldOf, historyOf } from "./choices.js";
import { pseudonymsOf } from "./erased.js";
import { audiencesOf, factsOf, merge, prepare } from "./learn.js";
import { pageOf } from "./lines.js";
import { linkOf } from "./links.js";
import { isKnown, notesOf, tagsOf } from "./noted.js";
import { statesOf } from "./read.js";
import { callShard, shardOf } from "./shards.js";
import { getMeta } from "./tables.js";
import { eventIn, mayRead, subjectsOf } from "./whose.js";

const FORMAT = "idoine.export.v1";

/** So many profiles are one person's at most. */
const MOST_PROFILES = 200;

const instant = (at) => new Date(at).toISOString();
const idOf = (key) => key.slice(2);
const isUser = (key) => key.startsWith("u:");

/** In the shard: all of a profile but its events. `names` are its pseudonyms; `by` is who of the owner's exports it, or has one more page of that. */
export function held(shard, key, { names, by, isPage }) {
  const { sql } = shard;
  const choices = choiceHeldOf(sql, key);
  const history = historyOf(sql, names);
  if (!isKnown(sql, key) && choices.length === 0 && history.length === 0) {
    return null;
  }
  if (by !== undefined) {
    (isPage ? notePage : noteAccess)(shard, key, by, "export");
  }
  const parts = sql.exec("SELECT name FROM parts WHERE profile = ? AND pushed = 1 AND state IS NOT NULL", key).toArray();
  // What a user did in a browser is their profile's from the beginning, once they are proven there.
  const devices = isUser(key) ? sql.exec("SELECT name FROM parts WHERE profile = ? AND pushed = 0 AND proven = 1 AND name <> ''", key).toArray() : [];
  return {
    user: linkOf(sql, key)?.user,
    parts: parts.map(({ name }) => name).filter((name) => name !== key),
    devices: devices.map(({ name }) => name),
    states: statesOf(shard, { profile: key }),
    quantiles: getMeta(sql, "quantiles"),
    choices,
    history,
    notes: notesOf(sql, key),
    tags: tagsOf(sql, key),
    accesses: accessesOf(sql, key),
  };
}

/** In the shard: the events that a profile still has, as JSON each. */
export const heldEvents = ({ sql }, key) =>
  sql.exec("SELECT json FROM events JOIN parts ON parts.id = events.part WHERE parts.profile = ? AND json IS NOT NULL ORDER BY events.at, events.id", key).toArray().map(({ json }) => json);

/** In the shard: what waits for sinks of these profiles, and what they did not take: rows `{ sink, body }`. */
export function heldWaiting({ sql }, keys) {
  const who = subjectsOf(keys);
  const found = [];
  for (const word of who.words) {
    const some = (query) => sql.exec(query, word).toArray();
    const streams = "SELECT sinks.name AS sink, json AS body FROM outbox JOIN sinks ON seq > sent AND (only IS NULL OR only = name) WHERE name NOT LIKE 'webhook:%' AND instr(json, ?) > 0";
    found.push(...some(streams), ...some("SELECT sink, body FROM deliveries WHERE instr(body, ?) > 0"), ...some("SELECT sink, body FROM dead WHERE instr(body, ?) > 0"));
  }
  const own = found.filter(({ body }) => mayRead(who, eventIn(JSON.parse(body))));
  return [...new Map(own.map((row) => [`${row.sink}\n${row.body}`, row])).values()];
}

const ask = async ({ env, site }, key, name, ...given) => callShard(env, site.id, await shardOf(key), "own", name, ...given);

/**
 * What is held of a profile and of those that are part of it, for `chunksOf`. Of `options`: `by`, who of the owner's asks; `browser`, the id
 * of the browser whose visitor asks, `choice`, what its cookie says; `exported: false` where the lines in the bucket are not wanted, which
 * take longest; and `after` (`placeIn`) where nothing but one more page of them is. Null where nothing is, undefined where a shard does not
 * answer. Never rejects.
 */
export async function heldOf(visit, key, { by, browser, choice, exported = true, after } = {}) {
  const isPage = after !== undefined;
  try {
    const profiles = new Map();
    for (const todo = [key]; todo.length > 0 && profiles.size < MOST_PROFILES; ) {
      const next = todo.shift();
      const answer = profiles.has(next) ? undefined : await ask(visit, next, "held", next, { names: await pseudonymsOf(visit.env, next), isPage, ...(next === key && { by }) });
      if (answer) {
        profiles.set(next, answer);
        todo.push(...answer.parts);
      }
    }
    const program = isPage ? undefined : await prepare(visit.env, visit.ctx, visit.site.id);
    const isNothing = profiles.size === 0 && by !== undefined;
    return isNothing ? null : { visit, key, profiles, program, browser, choice, exported, after };
  } catch (error) {
    log("error", "shard_failed", "a shard did not say what is held of a profile", { error, site: visit.site.id });
    return undefined;
  }
}

/** The facts and audiences of a profile, as far as a program is at hand to tell them. */
function read({ visit, key, profiles, program }) {
  const { states = [], quantiles } = profiles.get(key) ?? {};
  if (program === undefined) {
    return { traits: [], facts: null, audiences: [] };
  }
  const { site } = visit;
  const [state, now] = [merge(site.id, states), Date.now()];
  const facts = JSON.parse(factsOf(site.id, state, quantiles, now));
  const traits = facts.traits.map(({ name, value, source, at, counts }) => ({ name, value, source, at: instant(at), counts, purpose: program.consent?.traits[name] ?? null }));
  // What holds of a profile that knows nothing says nothing of anybody.
  const [nobody, audiences] = [[], states].map((of) => audiencesOf(site.id, merge(site.id, of), quantiles, now).audiences);
  return { traits, facts, audiences: audiences.filter((name) => !nobody.includes(name)) };
}

/** Who it is of. */
function who({ key, profiles, browser }) {
  const keys = [key, ...profiles.keys()];
  const devices = [...profiles.values()].flatMap((one) => one.devices);
  const browsers = [...new Set([...keys.filter((one) => !isUser(one)).map(idOf), ...devices])];
  const anonymousId = browser ?? (isUser(key) ? null : idOf(key));
  return { anonymousId, userId: isUser(key) ? idOf(key) : (profiles.get(key)?.user ?? null), browsers };
}

/** The texts of a list, with commas between. */
async function* listed(items) {
  let comma = "";
  for await (const item of items) {
    yield `${comma}\n${item}`;
    comma = ",";
  }
}

/** A page of the lines in the bucket, as two fields of a document. */
async function* exportedOf({ visit, after }, keys, shards) {
  const { lines, next } = await pageOf(visit.env, visit.site.id, shards, subjectsOf(keys), after);
  yield '"exported":[';
  yield* listed(lines);
  yield `],"next":${JSON.stringify(next)}`;
}

/** The document, piece by piece. What breaks off half way ends with an error: half of it must not be taken for the whole. */
export async function* chunksOf(held) {
  const { visit, key, profiles, choice, exported, after } = held;
  const keys = [...new Set([key, ...profiles.keys()])];
  const shards = [...new Set(await Promise.all(keys.map(shardOf)))];
  if (after !== undefined) {
    yield "{";
    yield* exportedOf(held, keys, shards);
    yield "}\n";
    return;
  }
  const all = (name) => [...profiles.values()].flatMap((one) => one[name]);
  const { traits, facts, audiences } = read(held);
  const status = profiles.get(key)?.choices ?? [];
  const chosen = status.length > 0 ? Object.fromEntries(status.map(({ purpose, ...row }) => [purpose, { ...row, at: instant(row.at) }])) : (choice?.choice ?? {});
  const history = all("history").map(({ at, ...row }) => ({ at: instant(at), ...row }));
  const head = { format: FORMAT, at: instant(Date.now()), site: visit.site.id, who: who(held), consents: { choice: chosen, history }, traits, facts, audiences };
  yield `${JSON.stringify(head).slice(0, -1)},"events":[`;
  yield* listed(
    (async function* () {
      for (const one of keys) {
        yield* await ask(visit, one, "heldEvents", one);
      }
    })(),
  );
  yield `],\n"notes":${JSON.stringify(all("notes"))},"tags":${JSON.stringify(all("tags"))},"waiting":[`;
  yield* listed(
    (async function* () {
      for (const number of shards) {
        const rows = await callShard(visit.env, visit.site.id, number, "own", "heldWaiting", keys);
        yield* rows.map(({ sink, body }) => `{"sink":${JSON.stringify(sink)},"event":${body}}`);
      }
    })(),
  );
  yield "],";
  if (exported) {
    yield* exportedOf(held, keys, shards);
    yield ",";
  }
  yield `"accesses":${JSON.stringify(all("accesses"))}}\n`;
}
