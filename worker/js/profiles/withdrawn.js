// A browser says what it agrees to, and what was kept for what it withdraws goes. Both is written in one transaction, so that nobody is told
// that it is saved, and it is not.

import { PURPOSES, isSame } from "../choice.js";
import { note, toldTo } from "./choices.js";
import { countChoice } from "./counts.js";
import { withdraw } from "./erase.js";
import { erasedAt } from "./erased.js";
import { handAgain, linkOf } from "./links.js";

const ALL = [...PURPOSES, "choices"];

/** Whether nobody but this browser is to know that nothing is agreed to any more: no user is proven in whose other browsers that holds too. */
const isAlone = ({ sql }, { profile, device, isProven }) => profile === device && !isProven && linkOf(sql, profile)?.proven !== 1;

/**
 * Hears what a browser says of its purposes (`note` of choices.js; `isProven`, whether a user is proven there; `isCounted`, whether it is to be
 * counted), a part of the caller's transaction. Returns `isNews`, whether its user's other browsers are to be told of it, and `begun`, the erasure
 * that it begins (`begin` of erase.js), if any.
 */
export function hear(shard, one) {
  const { profile, device, statement } = one;
  const known = toldTo(shard.sql, profile, device).own;
  const erased = one.isNew ? erasedAt(shard, profile) : {};
  const isNone = PURPOSES.every((purpose) => statement.choice[purpose] !== "granted");
  if (isNone && known === null && ALL.every((name) => erased[name] !== undefined)) {
    return { isNews: false }; // All of it was taken back before, and that too is forgotten.
  }
  // A platform says on every page what was said once.
  const isNew = one.isNew === true && !isSame(known, statement);
  const kept = note(shard, { ...one, isNew });
  if (kept !== undefined) {
    handAgain(shard, profile);
  }
  if (isNew && one.isCounted) {
    countChoice(shard, kept ?? statement);
  }
  // Another shard may have handed over already what was said, or this one may have taken no grant: then what went says whether it is heard of now.
  const isTaken = (purpose) => kept !== undefined && known?.choice[purpose] === "granted";
  const isUnheard = (purpose) => one.isNew === true && statement.choice[purpose] === "withdrawn" && erased[purpose] === undefined;
  const gone = PURPOSES.filter((purpose) => statement.choice[purpose] !== "granted" && (isTaken(purpose) || isUnheard(purpose)));
  const begun = gone.length === 0 ? undefined : withdraw(shard, profile, gone, isNone && isAlone(shard, one));
  return { isNews: kept !== undefined, begun };
}
