// What the owner's API asks of the shards, for the Rust side. Texts are JSON, so that nothing of it has to be taken apart over there.

import { together } from "../events/violations.js";
import { log } from "../log.js";
import { SHARDS, callShard, hasProfiles, shardOf } from "./shards.js";

/** So many shards are asked at a time: who counts is not to stand in the way of who collects. */
const AT_ONCE = 8;

async function asked(env, site, number, name, ...given) {
  try {
    return await callShard(env, site, number, "own", name, ...given);
  } catch (error) {
    log("error", "shard_failed", "a shard did not answer the owner", { error, site });
    throw error;
  }
}

/** Whether there are profiles. */
export const keepsProfiles = (env) => hasProfiles(env);

/** A profile: `{ states, quantiles, about }`, bytes and JSON; null when there is none. */
export async function profileOf(env, site, key) {
  return asked(env, site, await shardOf(key), "profile", key);
}

/** What the shard of a profile answers to a call, with its arguments as JSON. */
export async function askOf(env, site, key, name, given) {
  return JSON.stringify(await asked(env, site, await shardOf(key), name, key, JSON.parse(given)));
}

/** What all shards say, those that are asked at once in one go. */
async function fromAll(ask) {
  const answers = [];
  for (let first = 0; first < SHARDS; first += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, SHARDS - first) }, (_, at) => first + at);
    answers.push(...(await Promise.all(numbers.map(ask))));
  }
  return answers.flat();
}

/** How many profiles are in which audiences, of `names`, and in two of them. */
export async function countsOf(env, site, names) {
  const all = await fromAll(async (number) => {
    const answers = [];
    for (let after = ""; after !== null; ) {
      const answer = await asked(env, site, number, "audiences", after);
      answers.push(answer);
      after = answer.after;
    }
    return answers;
  });
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

/** Members of an audience, at least `most` where there are so many: `{ lines, cursor }`; the cursor is null when these are the last, and the whole of it where that can't be read. */
export async function membersOf(env, site, audience, cursor, most) {
  const lines = [];
  let at = readCursor(cursor);
  if (at === undefined) {
    return "null";
  }
  while (lines.length < most && at.number < SHARDS) {
    const { keys, after } = await asked(env, site, at.number, "members", audience, at.after);
    lines.push(...keys.map(member));
    at = after === null ? { number: at.number + 1, after: "" } : { number: at.number, after };
  }
  return JSON.stringify({ lines: lines.join("\n"), cursor: at.number < SHARDS ? `${at.number}-${at.after}` : null });
}

/** In what events of the last days were otherwise than planned, the most frequent first. */
export async function violationsOf(env, site, days) {
  const lists = await fromAll((number) => asked(env, site, number, "violations", days));
  return JSON.stringify({ violations: together(lists) });
}

/** Has the site's quantiles worked out anew. */
export async function renewQuantiles(env, site) {
  return JSON.stringify(await asked(env, site, 0, "renew"));
}
