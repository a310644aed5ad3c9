// Events on their way out of a shard. What a shard has acknowledged lies here, in the same database and written in the same
// transaction as the profile that it changed, until each sink has acknowledged it in turn: nothing is deleted before.
//
// A stream (the queue, the bucket) takes every event and has a cursor over one table of events. A webhook takes few, and has a row for
// each message (deliveries.js). So a sink that fails holds up no other. For a sink that is not wanted nothing is kept.
//
// All functions but `flush` are synchronous: what they write is part of the caller's transaction.

import { log } from "../log.js";
import { bury, createDeadLetters, expire } from "./dead.js";
import { createDeliveries, deliver, enqueue, forget } from "./deliveries.js";
import { barer } from "./personal.js";
import { later, reasonOf } from "./retry.js";
import { queue } from "./sinks/queue.js";
import { bucket, dayOf } from "./sinks/r2.js";
import { createWatch } from "./watch.js";

/** The streams by name. */
const STREAMS = { queue, r2: bucket };

/** The purpose of who only measures, and of sinks that nothing is said of. */
const MEASURING = "analytics";

/** How many batches of a stream one alarm sends at most; what is left has the next one, at once. */
const BATCHES = 20;

/** For so long, and so often, a stream is tried before events become dead letters. */
const PATIENCE_MS = 3 * 24 * 3600 * 1000;
const TRIES = 10;

/** So many events wait for a stream that fails; beyond it the oldest become dead letters. */
const MOST_WAITING = 500_000;

/**
 * The sinks that are wanted, by the Worker's bindings and the manifest's webhooks (`Rules.webhooks` as JSON: `{ name, url, events,
 * audiences, purpose }` each), and what is taken off for those that only measure (`bare`). `consent` is what the program says of it: the
 * purposes of streams, and what is personal. Who does not know the webhooks must not call: what waits for others than these is given up.
 */
export function sinksOf(env, webhooks, consent) {
  const streams = Object.entries(STREAMS).filter(([, stream]) => stream.isBound(env));
  const purposeOf = (name) => consent?.sinks?.[name] ?? MEASURING;
  return { streams: streams.map(([name, stream]) => ({ name, purpose: purposeOf(name), ...stream.limits(env) })), webhooks, bare: barer(consent?.personal) };
}

/** The rows of an event for streams: `{ json, only }`, one for all where they get the same, and none for those that it was not agreed to for. */
function rowsOf(line, { streams, bare }) {
  const { consent, anonymousId, userId } = JSON.parse(line);
  // What is of nobody needs nobody's consent: a redirect's exposure, without the visitor.
  const isNobodys = anonymousId === undefined && userId === undefined;
  const wanting = streams.filter(({ purpose }) => isNobodys || consent === undefined || consent.includes(purpose));
  const rows = wanting.map(({ name, purpose }) => ({ json: purpose === MEASURING ? bare(line) : line, only: name }));
  const isSame = rows.length === streams.length && rows.every(({ json }) => json === rows[0].json);
  return isSame ? rows.slice(0, 1).map(({ json }) => ({ json, only: null })) : rows;
}

/** Makes the tables that are not there yet. */
export function createTables(sql, now) {
  const isNew = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").toArray().length === 0;
  // `only` names the one stream that an event is for which is sent again.
  sql.exec("CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, since INTEGER NOT NULL, json TEXT NOT NULL, only TEXT)");
  // `sent`: the last event that it has; `last`: the end of the batch that it may have or not; `due`: when it is to be looked at.
  sql.exec("CREATE TABLE IF NOT EXISTS sinks (name TEXT PRIMARY KEY, sent INTEGER NOT NULL, last INTEGER, due INTEGER, fails INTEGER NOT NULL DEFAULT 0, error TEXT)");
  if (isNew) {
    // Numbers are never used twice, as objects are named by them: not even by a shard that lost its database and begins anew.
    sql.exec("INSERT INTO outbox (seq, at, since, json) VALUES (?, 0, 0, '')", now);
    sql.exec("DELETE FROM outbox");
  }
  createDeliveries(sql);
  createDeadLetters(sql);
  createWatch(sql);
}

const sinkRows = (sql) => new Map(sql.exec("SELECT * FROM sinks").toArray().map((row) => [row.name, row]));

const lastNumber = (sql) => sql.exec("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").one().seq;

/** Keeps nothing any more for what is no longer wanted, and has a cursor for what is wanted now. */
function settle(sql, sinks) {
  const rows = sinkRows(sql);
  const wanted = new Set([...sinks.streams.map(({ name }) => name), ...sinks.webhooks.map(({ name }) => `webhook:${name}`)]);
  for (const name of rows.keys()) {
    if (!wanted.has(name)) {
      forget(sql, name);
      sql.exec("DELETE FROM sinks WHERE name = ?", name);
      rows.delete(name);
    }
  }
  for (const name of wanted) {
    if (!rows.has(name)) {
      const row = { name, sent: lastNumber(sql), last: null, due: null, fails: 0, error: null };
      sql.exec("INSERT INTO sinks (name, sent) VALUES (?, ?)", row.name, row.sent);
      rows.set(name, row);
    }
  }
  return rows;
}

/** Has a stream looked at: when its batch is old enough, or at once when it is full. One that fails has its own time. */
function schedule(sql, stream, row, now, seq) {
  const isFull = seq - row.sent >= stream.events;
  if (row.due === null || (isFull && row.fails === 0 && row.due > now)) {
    sql.exec("UPDATE sinks SET due = ? WHERE name = ?", isFull ? now : now + stream.seconds * 1000, stream.name);
  }
}

/**
 * Keeps events for the sinks that are wanted (`sinksOf`). `lines` are canonical events as `JSON.stringify` writes them: one line each. Only
 * those that may be kept: of their consent nothing is asked here but whether it is to a sink's own purpose. What is personal is taken off
 * before it is written, where a sink only measures.
 */
export function put(sql, lines, now, sinks) {
  // What is no longer wanted is forgotten by the alarm.
  if (lines.length === 0 || sinks.streams.length + sinks.webhooks.length === 0) {
    return;
  }
  const rows = settle(sql, sinks);
  if (sinks.streams.length > 0) {
    for (const line of lines) {
      for (const { json, only } of rowsOf(line, sinks)) {
        sql.exec("INSERT INTO outbox (at, since, json, only) VALUES (?, ?, ?, ?)", now, now, json, only);
      }
    }
    const seq = lastNumber(sql);
    for (const stream of sinks.streams) {
      schedule(sql, stream, rows.get(stream.name), now, seq);
    }
  }
  enqueue(sql, lines, now, sinks);
}

const DUE = "SELECT min(due) AS due FROM (SELECT due FROM sinks UNION ALL SELECT due FROM watch)";

/** When the shard's alarm is to call `flush` and `recheck` next, in epoch milliseconds; undefined when nothing is to be done. */
export const nextAlarm = (sql) => sql.exec(DUE).one().due ?? undefined;

/** So many rows are read at a time. */
const ROWS = 250;

/** What waits for a stream behind a number, some rows at a time: a query that is left half-way locks its table. */
function* behind(sql, { name }, { sent, last }) {
  const query = "SELECT seq, at, since, json FROM outbox WHERE seq > ? AND seq <= ? AND (only IS NULL OR only = ?) ORDER BY seq LIMIT ?";
  for (let after = sent; ; ) {
    const rows = sql.exec(query, after, last ?? Number.MAX_SAFE_INTEGER, name, ROWS).toArray();
    yield* rows;
    if (rows.length < ROWS) {
      return;
    }
    after = rows.at(-1).seq;
  }
}

/** The next batch of a stream: the one that was begun, else as many events as it takes. Undefined when there is none. */
function nextBatch(sql, stream, cursor) {
  const { last } = cursor;
  const rows = [];
  let bytes = 0;
  for (const row of behind(sql, stream, cursor)) {
    const size = stream.sizeOf(row.json);
    const isFull = rows.length >= stream.events || bytes + size > stream.bytes || (stream.byDay && dayOf(row.at) !== dayOf(rows[0]?.at ?? row.at));
    // A batch that was begun is whole as it is.
    if (rows.length > 0 && isFull && last === null) {
      return { rows, isFull };
    }
    rows.push(row);
    bytes += size;
  }
  return rows.length === 0 ? undefined : { rows, isFull: last !== null || rows.length >= stream.events };
}

const update = (sql, name, { sent, last, due, fails, error }) =>
  sql.exec("UPDATE sinks SET sent = ?, last = ?, due = ?, fails = ?, error = ? WHERE name = ?", sent, last, due, fails, error, name);

/** Deletes what every stream has. */
function sweep(sql) {
  const names = Object.keys(STREAMS).map((name) => `'${name}'`).join(", ");
  const { least } = sql.exec(`SELECT min(sent) AS least FROM sinks WHERE name IN (${names})`).one();
  sql.exec("DELETE FROM outbox WHERE seq <= ?", least ?? Number.MAX_SAFE_INTEGER);
}

/** Whether a row holds an event still: that of who was erased is empty. */
const isThere = ({ json }) => json !== "";

/** Gives up what a stream did not take for too long: its batches become dead letters, the oldest first. */
function giveUp(sql, stream, where, now, error) {
  let row = sinkRows(sql).get(stream.name);
  for (let n = 0; n < BATCHES; n += 1) {
    const batch = nextBatch(sql, stream, row);
    const isOld = batch !== undefined && batch.rows[0].since <= now - PATIENCE_MS;
    const isTooMuch = lastNumber(sql) - row.sent > MOST_WAITING;
    if (batch === undefined || row.fails < TRIES || !(isOld || isTooMuch)) {
      return;
    }
    bury(sql, batch.rows.filter(isThere).map(({ json, at }) => ({ sink: stream.name, id: null, at, body: json, tries: row.fails })), now, error, where);
    row = { ...row, sent: batch.rows.at(-1).seq, last: null };
    update(sql, stream.name, row);
  }
}

/** Sends what waits for a stream. */
async function drain(sql, env, stream, where, now) {
  const { name } = stream;
  for (let n = 0; n < BATCHES; n += 1) {
    const row = sinkRows(sql).get(name);
    const batch = row && nextBatch(sql, stream, row);
    if (batch === undefined) {
      row && update(sql, name, { ...row, due: null });
      return;
    }
    const ripe = batch.rows[0].since + stream.seconds * 1000;
    if (!batch.isFull && row.fails === 0 && ripe > now) {
      update(sql, name, { ...row, due: ripe });
      return;
    }
    const last = batch.rows.at(-1).seq;
    // Before anything leaves: whoever sends again, after a crash between sending and noting that it was, sends the same batch.
    update(sql, name, { ...row, last });
    try {
      const refused = await STREAMS[name].send(env, batch.rows.filter(isThere), { ...where, first: batch.rows[0].seq, last });
      bury(sql, refused.filter(({ row }) => isThere(sql.exec("SELECT json FROM outbox WHERE seq = ?", row.seq).one())).map(({ row: { json, at } }) => ({ sink: name, id: null, at, body: json, tries: 1 })), now, refused[0]?.why, where);
      update(sql, name, { ...row, sent: last, last: null, fails: 0, error: null });
      sweep(sql);
    } catch (error) {
      const fails = row.fails + 1;
      update(sql, name, { ...row, last, fails, due: now + later(fails), error: reasonOf(error) });
      log("error", "sink_failed", "a sink did not take events; they are sent again", { error, site: where.site, sink: name, fails });
      giveUp(sql, stream, where, now, reasonOf(error));
      sweep(sql);
      return;
    }
  }
  sql.exec("UPDATE sinks SET due = ? WHERE name = ?", now, name);
}

/** What is being sent, by the database that it is of. */
const flushing = new WeakMap();

/**
 * Sends what is due, a bounded amount of it: for the shard's alarm, which then asks `nextAlarm`. `where` is `{ site, shard }`, as they
 * stand in names. One at a time, as alarms may overlap and two would send the same: who comes second waits for the first. Never rejects.
 */
export async function flush(sql, env, where, sinks, now) {
  if (!flushing.has(sql)) {
    flushing.set(sql, send(sql, env, where, sinks, now).finally(() => flushing.delete(sql)));
  }
  await flushing.get(sql);
}

async function send(sql, env, where, sinks, now) {
  const rows = settle(sql, sinks);
  expire(sql, now, where);
  const isDue = (name) => (rows.get(name)?.due ?? Number.MAX_SAFE_INTEGER) <= now;
  const work = [
    ...sinks.streams.filter(({ name }) => isDue(name)).map((stream) => [stream.name, () => drain(sql, env, stream, where, now)]),
    ...sinks.webhooks.filter(({ name }) => isDue(`webhook:${name}`)).map((webhook) => [`webhook:${webhook.name}`, () => deliver(sql, env, webhook, where, now)]),
  ];
  const tried = await Promise.allSettled(work.map(([, send]) => send()));
  for (const [at, { status, reason }] of tried.entries()) {
    if (status === "rejected") {
      const [name] = work[at];
      log("error", "sink_failed", "a sink could not be served; it is tried again", { error: reason, site: where.site, sink: name });
      sql.exec("UPDATE sinks SET fails = fails + 1, due = ? WHERE name = ?", now + later(1), name);
    }
  }
}

/** What waits, by sink: for the owner. */
export function waiting(sql) {
  return sql
    .exec(
      `SELECT name, due, fails, error,
         CASE WHEN name LIKE 'webhook:%' THEN (SELECT count(*) FROM deliveries WHERE sink = name)
         ELSE (SELECT count(*) FROM outbox WHERE seq > sent AND (only IS NULL OR only = name)) END AS waiting
       FROM sinks`,
    )
    .toArray();
}
