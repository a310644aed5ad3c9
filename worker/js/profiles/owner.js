// What the owner's API asks of the shards, for the Rust side. Texts are JSON, so that nothing of it has to be taken apart over there.

import { together } from "../events/violations.js";
import { log } from "../log.js";
import { chosen, happened } from "./counts.js";
import { NUMBERS, each, pages } from "./each.js";
import { SHARDS, callShard, callWithin, hasProfiles, shardOf } from "./shards.js";

/** How long the site's quantiles are waited for: all shards are asked for them. */
const QUANTILES_MS = 30_000;

/** Has a call answered, or logged. */
async function answered(site, call) {
  try {
    return await call;
  } catch (error) {
    log("error", "shard_failed", "a shard did not answer the owner", { error, site });
    throw error;
  }
}

const asked = (env, site, number, name, ...given) => answered(site, callShard(env, site, number, "own", name, ...given));

/** Whether there are profiles. */
export const keepsProfiles = (env) => hasProfiles(env);

/** A profile: `{ states, quantiles, about }`, bytes and JSON; null when there is none. `by` reads it. */
export async function profileOf(env, site, key, by) {
  return asked(env, site, await shardOf(key), "profile", key, by);
}

/** What the shard of a profile answers to a call, with its arguments as JSON. */
export async function askOf(env, site, key, name, given) {
  return JSON.stringify(await asked(env, site, await shardOf(key), name, key, JSON.parse(given)));
}

/** How many profiles are in which audiences, of `names`, and in two of them. */
export async function countsOf(env, site, names) {
  const all = (await each(NUMBERS, (number) => pages((after) => asked(env, site, number, "audiences", after)))).flat();
  const sum = (pick) => all.reduce((total, answer) => total + (pick(answer) ?? 0), 0);
  const audiences = JSON.parse(names);
  const pairs = new Set(all.flatMap(({ overlaps }) => Object.keys(overlaps)));
  return JSON.stringify({
    profiles: sum(({ profiles }) => profiles),
    audiences: audiences.map((audience) => ({ audience, members: sum(({ counts }) => counts[audience]), unknown: sum(({ unknown }) => unknown[audience]) })),
    overlaps: [...pairs].sort().map((pair) => ({ audiences: JSON.parse(pair), members: sum(({ overlaps }) => overlaps[pair]) })),
  });
}

const member = (key) => JSON.stringify({ key, ...(key.startsWith("u:") ? { userId: key.slice(2) } : { anonymousId: key.slice(2) }) });

/** The cursor of a list of members: the shard, and behind which key it goes on. */
function readCursor(cursor) {
  if (cursor === "") {
    return { number: 0, after: "" };
  }
  const [, number, after] = /^(\d{1,2})-(.*)$/s.exec(cursor) ?? [];
  return number === undefined || Number(number) >= SHARDS ? undefined : { number: Number(number), after };
}

/** Members of an audience for `by`, at least `most` where there are so many: `{ lines, cursor }`; the cursor is null when these are the last, and the whole of it where that can't be read. */
export async function membersOf(env, site, audience, cursor, most, by) {
  const lines = [];
  let at = readCursor(cursor);
  if (at === undefined) {
    return "null";
  }
  while (lines.length < most && at.number < SHARDS) {
    const { keys, after } = await asked(env, site, at.number, "members", audience, at.after, by);
    lines.push(...keys.map(member));
    at = after === null ? { number: at.number + 1, after: "" } : { number: at.number, after };
  }
  return JSON.stringify({ lines: lines.join("\n"), cursor: at.number < SHARDS ? `${at.number}-${at.after}` : null });
}

/** What is counted by day, by the name of the call: each with the name of its list, and how those of several shards become one. */
const COUNTED = { violations: ["violations", together], choices: ["consents", chosen], measured: ["measured", happened] };

/**
 * What was counted on the last days: in what events were otherwise than planned, the most frequent first (`violations`); what visitors chose
 * (`choices`); what happened where a site measures without asking (`measured`).
 */
export async function countedOf(env, site, name, days) {
  const [list, add] = COUNTED[name];
  const lists = (await each(NUMBERS, (number) => asked(env, site, number, name, days))).flat();
  return JSON.stringify({ [list]: add(lists) });
}

/** What became of an erasure: `{ id, at, what, done }`; null where none has this receipt. Which shard saw to it nobody knows. */
export async function receiptOf(env, site, id) {
  const found = (await each(NUMBERS, (number) => asked(env, site, number, "receipt", id))).find((receipt) => receipt !== null);
  const told = (at) => (at === null ? null : new Date(at).toISOString());
  return JSON.stringify(found === undefined ? null : { ...found, at: told(found.at), done: told(found.done) });
}

/** Has the site's quantiles worked out anew. */
export async function renewQuantiles(env, site) {
  return JSON.stringify(await answered(site, callWithin(QUANTILES_MS, env, site, 0, "own", "renew")));
}
