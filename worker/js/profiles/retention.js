// What is over goes by itself, once a day: profiles of which nothing came for as long as their purpose says, traits for marketing that are
// older than theirs, days of the bucket that are older than the purpose says which it is bound to, and what is kept as a proof.

import { forgetViolations } from "../events/violations.js";
import { log } from "../log.js";
import { forgetAccesses } from "./accesses.js";
import { forgetOld } from "./choices.js";
import { forgetCounts } from "./counts.js";
import { note } from "./erase.js";
import { forgetErased, keepOf, traitsOf } from "./erased.js";
import { expire } from "./exported.js";
import { sweep } from "./fold.js";
import { overwriteSoon } from "./overwrite.js";
import { OVER, purposeOfSink, stripPart } from "./purge.js";
import { getMeta, setMeta } from "./tables.js";

const DAY_MS = 24 * 3600 * 1000;

/** Receipts are kept for five years, as claims can be made for so long. */
const PROOF_MS = 1826 * DAY_MS;

/** So many profiles one erasure takes along, and so many parts are looked at in one transaction. */
const PROFILES = 500;
const PARTS = 500;

/** When the shard is to look next; a day after it first was asked. */
export function sweepDue(sql, now) {
  const due = getMeta(sql, "sweep");
  if (due === undefined) {
    setMeta(sql, "sweep", now + DAY_MS);
  }
  return due ?? now + DAY_MS;
}

// What became a part of another profile is over when that is. Where something is proven, what is only claimed keeps nothing.
const IDLE = `SELECT profile FROM parts WHERE profile GLOB '[au]:*' GROUP BY profile HAVING coalesce(max(came) FILTER (WHERE proven = 1), max(came)) < ?1 AND (count(state) > 0 OR max(ids) = 0)
  AND NOT EXISTS (SELECT 1 FROM links WHERE links.profile = parts.profile) LIMIT ${PROFILES}`;

/** Has profiles erased of which nothing came for too long. Returns whether there may be more of them. */
function eraseIdle(shard, keep) {
  const { sql, now } = shard;
  const keys = sql.exec(IDLE, now - keep.personalization).toArray().map(({ profile }) => profile);
  if (keys.length > 0) {
    note(shard, { id: crypto.randomUUID(), keys, purposes: OVER, what: "over" });
  }
  return keys.length === PROFILES;
}

/** Takes traits for marketing out that are older than those may be. */
function stripOld(shard, keep) {
  const { sql, program, now, transaction } = shard;
  const names = traitsOf(program, "marketing");
  let isAny = false;
  for (let after = 0; names.length > 0; ) {
    const parts = sql.exec("SELECT * FROM parts WHERE state IS NOT NULL AND id > ? ORDER BY id LIMIT ?", after, PARTS).toArray();
    transaction(() => parts.forEach((part) => (isAny = stripPart(sql, part, names, now - keep.marketing) || isAny)));
    if (parts.length < PARTS) {
      break;
    }
    after = parts.at(-1).id;
  }
  if (isAny) {
    overwriteSoon(shard);
  }
}

/** Does what is due once a day. */
export async function sweepAll(shard) {
  const { sql, now, site, program, transaction } = shard;
  if (sweepDue(sql, now) > now) {
    return;
  }
  transaction(() => {
    sweep(sql, now);
    forgetViolations(sql, now);
    forgetCounts(sql, now);
    forgetAccesses(sql, now);
    forgetOld(sql, now);
    forgetErased(sql, now);
    sql.exec("DELETE FROM receipts WHERE at < ?", now - PROOF_MS);
    setMeta(sql, "sweep", now + DAY_MS);
  });
  if (program === undefined) {
    return; // How long things are kept is not known.
  }
  const keep = keepOf(program);
  stripOld(shard, keep);
  if (transaction(() => eraseIdle(shard, keep))) {
    setMeta(sql, "sweep", now + 60_000);
  }
  try {
    await expire(shard, now - keep[purposeOfSink(program, "r2")]);
  } catch (error) {
    log("error", "exports_not_expired", "days of the bucket that are over could not be deleted; that is tried again tomorrow", { error, site });
  }
}
