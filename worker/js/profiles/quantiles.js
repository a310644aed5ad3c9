// The site's quantiles, by which a buyer is told against the others. Each shard has histograms of its buyers; once a day one of them, the
// coordinator, adds up those of all and tells all of them.

import { log } from "../log.js";
import { NUMBERS, each, pages } from "./each.js";
import { merge, quantilesOf, sketch } from "./learn.js";
import { keysAfter, statesOf } from "./read.js";
import { later } from "./retry.js";
import { callShard } from "./shards.js";
import { getMeta, setMeta } from "./tables.js";

/** So many profiles a shard looks at in one call. */
const AT_ONCE = 1000;

/** How long quantiles are good for. */
const DAY_MS = 24 * 3600 * 1000;

/** The first ones come so soon, so that a site that begins does not wait for a day. */
const FIRST_MS = 60_000;

const COORDINATOR = 0;

/** A sketch of buyers with those behind `after`, some of them; `after` is the last one, null when there are no more. */
export function sketched(shard, bytes, after) {
  const keys = keysAfter(shard, after, AT_ONCE);
  const states = keys.map((key) => merge(shard.site, statesOf(shard, { profile: key })));
  return { bytes: sketch(bytes, states), after: keys.length < AT_ONCE ? null : keys.at(-1) };
}

/** Takes the site's quantiles. */
export function quantiles({ sql, now }, bytes) {
  setMeta(sql, "quantiles", bytes);
  setMeta(sql, "quantiles_at", now);
}

/** Asks all shards for their sketches, and tells all of them the quantiles. */
export async function renew({ env, site, sql, now }) {
  // Itself too, by a call: what comes meanwhile is answered between one page and the next.
  const ask = (number, ...call) => callShard(env, site, number, "own", ...call);
  const sketches = await each(NUMBERS, async (number) => (await pages((after, last) => ask(number, "sketched", last?.bytes, after))).at(-1).bytes);
  const bytes = quantilesOf(sketches);
  await each(NUMBERS, (number) => ask(number, "quantiles", bytes));
  setMeta(sql, "renewed", now);
  return { at: now };
}

/** There are profiles: the alarm that follows does the rest. Who is not understood, as no program could be loaded, is to say it again. */
export function tell({ program }) {
  if (program === undefined) {
    throw new Error("there is no program");
  }
}

/** When they are to be there for the first time: so long after the coordinator heard of profiles. */
function firstDue(sql, now) {
  const due = getMeta(sql, "quantiles_first");
  if (due === undefined) {
    setMeta(sql, "quantiles_first", now + FIRST_MS);
  }
  return due ?? now + FIRST_MS;
}

function coordinatorDue(sql, now) {
  const renewed = getMeta(sql, "renewed");
  return renewed === undefined ? firstDue(sql, now) : renewed + DAY_MS;
}

/** When they are to be renewed here, or the coordinator is to be told that there are profiles; undefined for never. */
export function quantilesDue({ sql, now, program }, number) {
  if (!program?.rfm || (number !== COORDINATOR && getMeta(sql, "told") !== undefined)) {
    return undefined;
  }
  const due = number === COORDINATOR ? coordinatorDue(sql, now) : now;
  return Math.max(due, getMeta(sql, "quantiles_again") ?? 0);
}

/** Does what is due of that. Never rejects: what fails is tried again later. */
export async function renewQuantiles(shard, number) {
  const { env, site, sql, now } = shard;
  const due = quantilesDue(shard, number);
  if (due === undefined || due > now) {
    return;
  }
  try {
    if (number === COORDINATOR) {
      await renew(shard);
    } else {
      await callShard(env, site, COORDINATOR, "own", "tell");
      setMeta(sql, "told", now);
    }
    setMeta(sql, "quantiles_tries", 0);
  } catch (error) {
    const tries = (getMeta(sql, "quantiles_tries") ?? 0) + 1;
    log("error", "quantiles_failed", "the site's quantiles could not be renewed; that is tried again", { error, site, tries });
    setMeta(sql, "quantiles_tries", tries);
    setMeta(sql, "quantiles_again", now + later(tries));
  }
}
