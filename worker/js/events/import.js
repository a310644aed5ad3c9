// Events of the past, from files of the site's other systems: `POST /_idoine/api/import`, whose token the Rust side has looked at.

import { run } from "../instance.js";
import { give } from "../profiles/shards.js";
import { hasKey } from "../visitor.js";
import { notKept } from "./purposes.js";
import { readEvent } from "./event.js";
import { identified } from "./ids.js";
import { EARLIEST } from "./limits.js";

const rejected = (code, message, path = "") => ({ status: "rejected", error: { code, message, path } });

/** Those of an event's traits that may be kept: of declared ones those whose purpose is agreed to. `needs` are their purposes by name. */
function traitsOf({ traits }, needs, purposes) {
  return traits && Object.fromEntries(Object.entries(traits).filter(([name]) => purposes.includes(needs?.[name] ?? purposes[0])));
}

/** What is wrong with an event of the past, though it is one; undefined when nothing is. */
function wrongWith(raw, event, receivedAt) {
  if (raw.timestamp === undefined || event.timestamp === receivedAt) {
    const expected = `Expected \`timestamp\` to be an instant between ${new Date(EARLIEST).toISOString()} and now.`;
    return rejected("bad_field", expected, "/timestamp");
  }
  if (raw.messageId === undefined) {
    return rejected("missing_field", "Expected `messageId`: by it an event that is sent twice counts once.", "/messageId");
  }
  if (event.userId === undefined && event.anonymousId === undefined) {
    return rejected("missing_field", "Expected `userId` or `anonymousId`: whose event it is.", "/userId");
  }
  return event.type === "exposure" ? rejected("bad_field", "Expected no exposure: what a visitor was shown comes from pages.", "/type") : undefined;
}

/** A line as an event, or as the result that it has without being one. */
function read(line, receivedAt) {
  let raw;
  try {
    raw = JSON.parse(line);
  } catch {
    return { result: rejected("bad_json", "Expected a JSON object in each line.") };
  }
  // It says itself when it was: no clock is set right.
  const { event, error } = readEvent(raw, "", { isOwn: true, isSmall: false, receivedAt, isTrusted: true });
  const result = error === undefined ? wrongWith(raw, event, receivedAt) : { status: "rejected", error };
  return result === undefined ? { event } : { result };
}

/** What the shards said of an event. Some of the people may have refused since what is imported of them. */
const resultOf = (status) => (status === "dropped" ? { status, reason: "no_consent" } : { status });

/** What becomes of an event: a `result`, or an `entry` for the shards. */
async function prepared({ env, site }, { source, purposes }, event, { purpose, traits, violations }) {
  const [keep, fold] = [purposes.includes(purpose), purposes.includes("personalization") && hasKey(env)];
  if (!keep && !fold) {
    return { result: { status: "dropped", reason: notKept(env, purposes) } };
  }
  const known = await identified({ env }, event, { isTrusted: true });
  const told = { traits: traitsOf(event, traits, purposes), source: `import:${source}`, trusted: true, consent: purposes, violations };
  return { entry: { event: { ...known, site: site.id, ...told }, keep, fold, need: purpose } };
}

/**
 * Takes the events of a text, one in each line, with what their people agreed to (`purposes`) and where they come from (`source`).
 * Answers with the results of all lines, in their order, as JSON text: `{ results: [{ status, reason, error }] }`.
 */
export async function importEvents(env, ctx, id, source, purposes, text) {
  const visit = { env, ctx, site: { id } };
  const receivedAt = Date.now();
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const all = lines.map((line) => read(line, receivedAt));
  const events = all.flatMap(({ event }) => event ?? []);
  const judged = JSON.parse(run((rust) => rust.judge_imported(id, JSON.stringify(events)))).values();
  const made = await Promise.all(
    all.map(({ event, result }) => (event === undefined ? { result } : prepared(visit, { source, purposes }, event, judged.next().value))),
  );
  const entries = made.flatMap(({ entry }) => entry ?? []);
  const { statuses } = entries.length === 0 ? { statuses: [] } : await give(visit, entries, { imported: true });
  const told = statuses.values();
  return JSON.stringify({ results: made.map(({ result }) => result ?? resultOf(told.next().value)) });
}
