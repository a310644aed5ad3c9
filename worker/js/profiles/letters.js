// Dead letters of all of a site's shards, for the owner: called from the Rust side, which has looked at the token
// (worker/src/api/owner/dead_letters.rs). A letter's id is the number of its shard and its own there: `7-41`.

import { NUMBERS, each } from "./each.js";
import { SHARDS, callShard, hasProfiles } from "./shards.js";

const idOf = (number, seq) => `${number}-${seq}`;

/** Shard and number of a letter's id; undefined when it is none. */
function placeOf(id) {
  const [, number, seq] = /^(\d{1,2})-(\d{1,15})$/.exec(id) ?? [];
  return seq === undefined || Number(number) >= SHARDS ? undefined : { number: Number(number), seq: Number(seq) };
}

const instant = (at) => new Date(at).toISOString();

/** What a letter holds: an event, or a message to a webhook. */
function shown(number, { seq, sink, at, died, tries, error, body }) {
  return { id: idOf(number, seq), sink, at: instant(at), died: instant(died), tries, error, message: JSON.parse(body) };
}

/** Rows of all shards, one for each sink: `add` adds a row to the sum of those before it. */
function bySink(rows, start, add) {
  const sums = new Map();
  for (const row of rows) {
    sums.set(row.sink, add(sums.get(row.sink) ?? { sink: row.sink, ...start }, row));
  }
  return [...sums.values()].sort((a, b) => (a.sink < b.sink ? -1 : 1));
}

/** How many dead letters there are, by sink. */
function counted(answers) {
  const rows = answers.flatMap(({ counts }) => counts);
  const sums = bySink(rows, { letters: 0, oldest: Infinity }, (sum, { letters, oldest }) => ({ ...sum, letters: sum.letters + letters, oldest: Math.min(sum.oldest, oldest) }));
  return sums.map((sum) => ({ ...sum, oldest: instant(sum.oldest) }));
}

/** How it stands with each sink: what waits for it, and in how many shards it fails. */
function standing(answers) {
  const rows = answers.flatMap(({ waiting }) => waiting.map(({ name, ...row }) => ({ sink: name, ...row })));
  return bySink(rows, { waiting: 0, failing: 0, error: null }, (sum, { waiting, fails, error }) => ({
    ...sum,
    waiting: sum.waiting + waiting,
    failing: sum.failing + (fails > 0 ? 1 : 0),
    error: sum.error ?? error,
  }));
}

/** The page of letters behind the one `after`. */
async function page(env, site, counts, { after, sink, limit }) {
  const from = after === undefined ? { number: 0, seq: 0 } : after;
  const letters = [];
  for (const number of NUMBERS.slice(from.number)) {
    const has = counts[number].some((count) => sink === null || count.sink === sink);
    if (has && letters.length < limit) {
      const found = await callShard(env, site, number, "own", "letters", number === from.number ? from.seq : 0, limit - letters.length, sink);
      letters.push(...found.letters.map((letter) => shown(number, letter)));
    }
  }
  return letters;
}

/**
 * The dead letters, at most `limit` of them, and how it stands with the sinks, as JSON: `sink` for those of one alone, `after` for those behind
 * a letter. Undefined where `after` is no letter's id, null where there are no profiles.
 */
export async function listLetters(env, site, sink, after, limit) {
  const place = after === undefined ? undefined : placeOf(after);
  if (after !== undefined && place === undefined) {
    return undefined;
  }
  if (!hasProfiles(env)) {
    return null;
  }
  const answers = await each(NUMBERS, (number) => callShard(env, site, number, "own", "sinks"));
  const letters = await page(env, site, answers.map(({ counts }) => counts), { after: place, sink: sink ?? null, limit });
  return JSON.stringify({ counts: counted(answers), sinks: standing(answers), letters, cursor: letters.length < limit ? null : letters.at(-1).id });
}

/**
 * Sends letters again, some of them: those of `sink`, with `ids` those, else all. How many were, and how many are left, as JSON; undefined
 * and null as of `listLetters`.
 */
export async function resendLetters(env, site, sink, ids) {
  const places = ids?.map(placeOf);
  if (places?.includes(undefined)) {
    return undefined;
  }
  if (!hasProfiles(env)) {
    return null;
  }
  const seqsOf = (number) => places?.filter((place) => place.number === number).map(({ seq }) => seq);
  const answers = await each(NUMBERS, (number) => callShard(env, site, number, "own", "again", { sink, seqs: seqsOf(number) }));
  const sum = (name) => answers.reduce((all, answer) => all + answer[name], 0);
  return JSON.stringify({ resent: sum("resent"), left: sum("left") });
}
