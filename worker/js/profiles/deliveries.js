// Messages to webhooks: a row for each, so that one that its receiver does not take holds up no other. Their order is not kept.

import { log } from "../log.js";
import { bury } from "./dead.js";
import { later, reasonOf } from "./retry.js";
import { post } from "./sinks/webhook.js";

/** A message is tried so often, over a day and a half; then it is a dead letter. */
const TRIES = 10;
const LONGEST_PAUSE_MS = 12 * 3600 * 1000;

/** So many messages one alarm sends to a webhook, so many of them at a time. */
const MESSAGES = 60;
const AT_ONCE = 4;

/** After so many failures in a row the receiver itself is left alone for a while. */
const FAILS = 3;

/** So many messages wait for a webhook; beyond it the oldest become dead letters. */
const MOST_WAITING = 50_000;

/** Makes the table that is not there yet. */
export function createDeliveries(sql) {
  // A number is never used twice: what is deleted by it is what was sent.
  sql.exec("CREATE TABLE IF NOT EXISTS deliveries (seq INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, id TEXT NOT NULL, at INTEGER NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL, body TEXT NOT NULL)");
  sql.exec("CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (sink, due)");
}

/** A message, as Standard Webhooks would have it. */
const messageOf = (type, at, data) => JSON.stringify({ type, timestamp: new Date(at).toISOString(), data });

/** What a webhook names an event: of what was done its name, else its type. */
const nameOf = ({ type, event }) => (type === "track" ? event : type);

const wants = ({ events }, event) => events.some((name) => name === "*" || name === nameOf(event));

/** Keeps a message for a webhook, and has it sent. */
export function keep(sql, sink, { id, at, body }, now) {
  sql.exec("INSERT INTO deliveries (sink, id, at, due, tries, body) VALUES (?, ?, ?, ?, 0, ?)", sink, id, at, now, body);
  sql.exec("INSERT INTO sinks (name, sent, due) VALUES (?, 0, ?) ON CONFLICT (name) DO UPDATE SET due = coalesce(due, excluded.due)", sink, now);
}

/** Keeps the events of `lines` for the webhooks that want them and may have them. */
export function enqueue(sql, lines, now, { webhooks, bare }) {
  const listening = webhooks.filter(({ events }) => events.length > 0);
  for (const line of listening.length === 0 ? [] : lines) {
    const event = JSON.parse(line);
    // What happened long ago is no news: nobody is to be written a confirmation of an order of last year.
    if (event.source?.startsWith("import:")) {
      continue;
    }
    const told = ({ purpose }) => (purpose === "analytics" ? JSON.parse(bare(line)) : event);
    for (const webhook of listening) {
      if (wants(webhook, event) && event.consent?.includes(webhook.purpose)) {
        const id = JSON.stringify([event.site, event.anonymousId, event.userId, event.messageId]);
        keep(sql, `webhook:${webhook.name}`, { id, at: event.timestamp ?? now, body: messageOf("event", event.timestamp ?? now, told(webhook)) }, now);
      }
    }
  }
}

/** Keeps for the webhooks that want it that a visitor entered or left an audience. `who` is `{ site, key, userId?, anonymousId?, consent }`. */
export function enqueueAudience(sql, who, audience, isEntry, now, webhooks) {
  for (const webhook of webhooks) {
    if (webhook.audiences.includes(audience) && who.consent.includes(webhook.purpose)) {
      const type = isEntry ? "audience.entered" : "audience.exited";
      const body = messageOf(type, now, { site: who.site, audience, userId: who.userId, anonymousId: who.anonymousId });
      keep(sql, `webhook:${webhook.name}`, { id: JSON.stringify([type, who.site, who.key, audience, now]), at: now, body }, now);
    }
  }
}

/** Keeps nothing any more for a sink. */
export function forget(sql, sink) {
  sql.exec("DELETE FROM deliveries WHERE sink = ?", sink);
}

const asLetter = ({ sink, id, at, body, tries }) => ({ sink, id, at, body, tries });

/** Sends one message; returns whether it was taken. */
async function send(sql, env, webhook, row, where, now) {
  try {
    await post(env, webhook, row.id, row.body);
    sql.exec("DELETE FROM deliveries WHERE seq = ?", row.seq);
    return { isTaken: true };
  } catch (error) {
    const tries = row.tries + 1;
    if (error.isFinal || tries >= TRIES) {
      // What was taken back meanwhile, as its visitor was erased, is nobody's letter.
      const isThere = sql.exec("DELETE FROM deliveries WHERE seq = ? RETURNING 1", row.seq).toArray().length > 0;
      bury(sql, isThere ? [asLetter({ ...row, tries })] : [], now, reasonOf(error), where);
    } else {
      const pause = Math.max(later(tries, LONGEST_PAUSE_MS), error.pause ?? 0);
      sql.exec("UPDATE deliveries SET tries = ?, due = ? WHERE seq = ?", tries, now + pause, row.seq);
    }
    return { isTaken: false, error };
  }
}

/** What is too much for a webhook that fails becomes dead letters. */
function bound(sql, sink, where, now, error) {
  const { n } = sql.exec("SELECT count(*) AS n FROM deliveries WHERE sink = ?", sink).one();
  if (n > MOST_WAITING) {
    const rows = sql.exec("SELECT * FROM deliveries WHERE sink = ? ORDER BY seq LIMIT ?", sink, n - MOST_WAITING).toArray();
    bury(sql, rows.map(asLetter), now, error, where);
    sql.exec("DELETE FROM deliveries WHERE sink = ? AND seq <= ?", sink, rows.at(-1).seq);
  }
}

/** Sends what waits for a webhook and is due. */
export async function deliver(sql, env, webhook, where, now) {
  const sink = `webhook:${webhook.name}`;
  const rows = sql.exec("SELECT * FROM deliveries WHERE sink = ? AND due <= ? ORDER BY due, seq LIMIT ?", sink, now, MESSAGES).toArray();
  let { fails } = sql.exec("SELECT fails FROM sinks WHERE name = ?", sink).one();
  let why;
  for (let at = 0; at < rows.length && (at === 0 || fails < FAILS); ) {
    // A receiver that failed is asked with one message whether it is there again.
    const some = rows.slice(at, at + (fails < FAILS ? AT_ONCE : 1));
    at += some.length;
    for (const { isTaken, error } of await Promise.all(some.map((row) => send(sql, env, webhook, row, where, now)))) {
      fails = isTaken ? 0 : fails + 1;
      why = error ?? why;
    }
  }
  if (why !== undefined) {
    log("error", "sink_failed", "a webhook did not take messages; they are sent again", { error: why, site: where.site, sink, fails });
    bound(sql, sink, where, now, reasonOf(why));
  }
  const { due } = sql.exec("SELECT min(due) AS due FROM deliveries WHERE sink = ?", sink).one();
  const next = due === null || fails < FAILS ? due : Math.max(due, now + later(fails - FAILS + 1));
  sql.exec("UPDATE sinks SET due = ?, fails = ?, error = ? WHERE name = ?", next, fails, why === undefined ? null : reasonOf(why), sink);
}
