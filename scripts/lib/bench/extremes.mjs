// The workloads at both ends: what an index likes best, and what it can do nothing about. Idoine alone runs them, by its index
// and by a plain scan. All experiences are for the page that is looked at.
import { manifest } from "./manifest.mjs";
import { both, contains, differs, either, equal, within } from "./rules.mjs";
import { PATH, VALUES } from "./visitors.mjs";
import { idOf, SLOTS } from "./workload.mjs";

/** Never in a campaign's name. */
const absent = (index) => contains("campaign", `#${index}`);

const ANY_DEVICE = within("deviceType", VALUES.deviceType);
const ANY_SOURCE = within("source", VALUES.source);
const ANY_BROWSER = either(...VALUES.browser.map((browser) => equal("browser", browser)));

/** Page rules that the path passes, none twice, so that none can stand for another. */
const passing = (index) => [[PATH, `/own/${index}`], ["/collections/*", `/own/${index}`], [`/own/${index}`, "/c*/shoes"], [`/own/${index}/*`, "/*/sho*s"], [`/own/*/${index}`, "/**"]][index % 5];

/** What the experience of a number asks for, by workload. */
const ASKS = {
  // Each asks for a campaign of its own; a few of those exist.
  best: (index) => ({ test: equal("campaign", VALUES.campaign[index] ?? `campaign-${index}`) }),
  // Text and negations alone: there is nothing to look up.
  "adversarial: text": (index) => ({ test: both(differs("country", "ZZ"), absent(index)) }),
  // Equalities, lists and alternatives that every visitor passes, often by several values, before what fails.
  "adversarial: keys": (index) => ({ test: both([ANY_DEVICE, either(ANY_SOURCE, ANY_DEVICE), ANY_BROWSER][index % 3], absent(index)) }),
  // A set of page rules for each.
  "adversarial: pages": (index) => ({ test: absent(index % 997), pages: passing(index) }),
};

/** The names of the workloads in this file. */
export const EXTREMES = Object.keys(ASKS);

/** The last of each slot wins for everybody, after all others have lost. */
const last = (index, count) => index >= count - SLOTS.length;

/**
 * A workload as a manifest.
 * @param {string} name one of `EXTREMES`
 */
export function extreme(name, count) {
  const late = name !== "best";
  const experiences = Array.from({ length: count }, (_, index) => ({
    id: idOf(index),
    slot: SLOTS[index % SLOTS.length],
    ...(late && last(index, count) ? { priority: 1, test: contains("campaign", "-") } : { priority: 50, ...ASKS[name](index) }),
  }));
  return { manifest: manifest(SLOTS, experiences), experiences, onPage: count };
}
