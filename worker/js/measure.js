// What a site counts of its visitors without asking them: sums by day, and no id in them, nor anything by which two of them could be told to be
// one person's.

import { isMap } from "./json.js";
import { countAnywhere, hasProfiles } from "./profiles/shards.js";

const textOf = (value) => (["string", "number"].includes(typeof value) ? String(value) : "");

/** An event as a row for `measure`: its name, and of an exposure the experience and the variant. */
export function rowOf({ type, event, name, properties }) {
  const { experience, variant } = type === "exposure" && isMap(properties) ? properties : {};
  return { kind: type, name: textOf(event ?? name), experience: textOf(experience), variant: textOf(variant) };
}

/** Rows of which some are alike, each once with how many they are. */
function together(rows) {
  const found = Map.groupBy(rows, (row) => JSON.stringify(row));
  return [...found.values()].map((alike) => ({ ...alike[0], n: alike.length }));
}

/** Counts rows (`rowOf`), in a shard that chance chooses, behind the answer. Never rejects. */
export function measure(visit, rows) {
  if (rows.length > 0 && hasProfiles(visit.env)) {
    visit.ctx.waitUntil(countAnywhere(visit, "measure", together(rows)));
  }
}
