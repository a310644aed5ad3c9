// What the Rust side does for profiles, called where a profile is. All of it but `prepare` ends at once, and throws where the instance traps
// or no program is at hand.

import { run, settle } from "../instance.js";

/** What is known of a site's program, by site: `{ version, audiences, watched, webhooks }`. */
const known = new Map();

/**
 * Has the site's live program at hand, as far as there is one. Returns what it says to those who keep profiles; undefined where there is
 * none, or it can't be loaded.
 */
export async function prepare(env, ctx, site) {
  try {
    const version = await settle((rust) => rust.learn_ready(env, ctx, site));
    if (version === undefined) {
      return undefined;
    }
    if (known.get(site)?.version !== version) {
      known.set(site, JSON.parse(run((rust) => rust.learn_program(site))));
    }
    return known.get(site);
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
