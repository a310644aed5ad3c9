// Calls to all shards of a site: some at a time, and of each as many pages as it has.

import { SHARDS } from "./shards.js";

/** So many shards are asked at a time: who counts is not to stand in the way of who collects. */
const AT_ONCE = 8;

/** The numbers of all shards. */
export const NUMBERS = Array.from({ length: SHARDS }, (_, number) => number);

/** Calls shards by their numbers, some at a time; answers in their order. */
export async function each(numbers, call) {
  const answers = [];
  for (let at = 0; at < numbers.length; at += AT_ONCE) {
    answers.push(...(await Promise.all(numbers.slice(at, at + AT_ONCE).map(call))));
  }
  return answers;
}

/** Asks for page after page: `ask(after, last)` with where the last page ended and what it was; a page's `after` is null when it is the last. */
export async function pages(ask) {
  const answers = [];
  for (let after = ""; after !== null; ) {
    const answer = await ask(after, answers.at(-1));
    answers.push(answer);
    after = answer.after;
  }
  return answers;
}
