// What the Rust side does for profiles, called where a profile is. All of it but `prepare` ends at once, and throws where the instance traps
// or no program is at hand.

import { instance, run, settle } from "../instance.js";

/** For so long an isolate goes on with the program that it had at hand, in milliseconds: events come many at a time. */
const FRESH_MS = 250;

/** By site: what its program says, of which instance it was asked, and when that had looked for it. */
const known = new Map();

/** What the program says that is at hand at this moment, whichever it is; undefined where there is none. */
function atHand(site) {
  const version = run((rust) => rust.learn_version(site));
  const found = known.get(site);
  if (version === undefined || found?.told?.version === version) {
    return version && found.told;
  }
  const told = JSON.parse(run((rust) => rust.learn_program(site)));
  known.set(site, { ...found, told });
  return told;
}

/** Whether it was looked for just now, in this instance. */
function isFresh(env, { number, since } = {}) {
  const age = Date.now() - since;
  return number === instance() && age >= 0 && age < Math.min(FRESH_MS, (env.IDOINE_RELOAD_SECONDS ?? 1) * 1000);
}

/**
 * Has the site's live program at hand, as far as there is one. Returns what it says to those who keep profiles: `{ version, audiences,
 * watched, webhooks, rfm, consent }`, of which `consent` is what the manifest says of purposes (src/compile/consent.rs); undefined where there is none, or it can't be loaded.
 */
export async function prepare(env, ctx, site) {
  try {
    if (!isFresh(env, known.get(site))) {
      const number = instance();
      if ((await settle((rust) => rust.learn_ready(env, ctx, site))) === undefined) {
        return undefined;
      }
      known.set(site, { told: atHand(site), number, since: Date.now() });
    }
    return atHand(site);
  } catch {
    return undefined; // It is logged where it failed.
  }
}

const EMPTY = new Uint8Array(0);

/** Bytes as SQLite gives them; of what is not there none. */
const bytes = (blob) => (blob === null || blob === undefined ? EMPTY : blob instanceof Uint8Array ? blob : new Uint8Array(blob));

/** A state with events, canonical JSON each, in their order; undefined where the bytes are no state. */
export const fold = (site, state, events) => run((rust) => rust.learn_fold(site, bytes(state), events.join("\n"), false));

/** A state with events that are older than others that it has. */
export const foldLate = (site, state, events) => run((rust) => rust.learn_fold(site, bytes(state), events.join("\n"), true));

/** One state of several. Those that can't be read are left out. */
export function merge(site, states) {
  const parts = states.map(bytes).filter(({ length }) => length > 0);
  return parts.length === 1 ? parts[0] : run((rust) => rust.learn_merge(site, parts));
}

/** A state without what was said of traits before an instant; undefined where there is none of it. */
export const strip = (state, names, before) => run((rust) => rust.learn_strip(bytes(state), names, Math.min(before, Number.MAX_SAFE_INTEGER)));

/** The projection of a state: what a browser carries in its cookie, before it is sealed. `user` is who the visitor is proven to be. */
export const project = (site, state, quantiles, now, user) => run((rust) => rust.learn_project(site, bytes(state), bytes(quantiles), now, user));

/** The page of facts of a state, as the owner reads it: JSON text. */
export const factsOf = (site, state, quantiles, now) => run((rust) => rust.learn_facts(site, bytes(state), bytes(quantiles), now));

/** Whether a value (text, number or boolean) is one that a trait can have. */
export const accepts = (site, name, value) => run((rust) => rust.learn_accepts(site, name, JSON.stringify(value)));

/** The names of the audiences that a state is in (`audiences`), and of those that need a request to tell (`unknown`). */
export function audiencesOf(site, state, quantiles, now) {
  // 1 in it, 0 not, 2 unknown, in the order of the program that is at hand: it may be another one than `prepare` found.
  const { audiences } = atHand(site);
  const told = run((rust) => rust.learn_audiences(site, bytes(state), bytes(quantiles), now));
  const named = (truth) => audiences.filter((_, at) => told[at] === truth);
  return { audiences: named(1), unknown: named(2) };
}

/** The histograms of those who bought, with further states. */
export const sketch = (sketched, states) => run((rust) => rust.learn_sketch(bytes(sketched), states.map(bytes)));

/** The site's quantiles, of the histograms of its shards. */
export const quantilesOf = (sketches) => run((rust) => rust.learn_quantiles(sketches.map(bytes)));
