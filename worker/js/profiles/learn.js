// What the Rust side does for profiles, called where a profile is. All of it but `prepare` ends at once, and throws where the instance traps
// or no program is at hand.

import { instance, run, settle } from "../instance.js";

/** For so long an isolate goes on with the program that it had at hand, in milliseconds: events come many at a time. */
const FRESH_MS = 250;

/** What is known of a site's program, by site: what it says, in which instance it was at hand, and when. */
const known = new Map();

/** What the site's program says, where it was at hand just now; undefined where that has to be asked. */
function fresh(env, site) {
  const { told, number, since } = known.get(site) ?? {};
  const age = Date.now() - since;
  return number === instance() && age >= 0 && age < Math.min(FRESH_MS, (env.IDOINE_RELOAD_SECONDS ?? 1) * 1000) ? told : undefined;
}

/**
 * Has the site's live program at hand, as far as there is one. Returns what it says to those who keep profiles: `{ version, audiences,
 * watched, webhooks, rfm }`; undefined where there is none, or it can't be loaded.
 */
export async function prepare(env, ctx, site) {
  const told = fresh(env, site);
  if (told !== undefined) {
    return told;
  }
  try {
    const version = await settle((rust) => rust.learn_ready(env, ctx, site));
    if (version === undefined) {
      return undefined;
    }
    const before = known.get(site)?.told;
    const told = before?.version === version ? before : JSON.parse(run((rust) => rust.learn_program(site)));
    known.set(site, { told, number: instance(), since: Date.now() });
    return told;
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

/** The projection of a state: what a browser carries in its cookie, before it is sealed. `user` is who the visitor is proven to be. */
export const project = (site, state, quantiles, now, user) => run((rust) => rust.learn_project(site, bytes(state), bytes(quantiles), now, user));

/** In which of the program's audiences a state is, in their order: 1 in it, 0 not, 2 unknown, as that needs a request to tell. */
export const audiencesOf = (site, state, quantiles, now) => run((rust) => rust.learn_audiences(site, bytes(state), bytes(quantiles), now));

/** The histograms of those who bought, with further states. */
export const sketch = (sketched, states) => run((rust) => rust.learn_sketch(bytes(sketched), states.map(bytes)));

/** The site's quantiles, of the histograms of its shards. */
export const quantilesOf = (sketches) => run((rust) => rust.learn_quantiles(sketches.map(bytes)));
