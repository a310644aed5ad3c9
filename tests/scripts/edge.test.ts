// The benchmarks of the Worker and of collect, and the soak test's account: that they check what they say, and report what was measured.
// Seconds, not figures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bench, check } from "../../scripts/lib/edge/bench.mjs";
import { assertCounted, benchCollect } from "../../scripts/lib/edge/collect.mjs";
import * as collected from "../../scripts/lib/edge/collect-tables.mjs";
import { parse } from "../../scripts/lib/edge/connection.mjs";
import { COUNT, Ledger } from "../../scripts/lib/edge/ledger.mjs";
import { SIZES } from "../../scripts/lib/edge/origin.mjs";
import { page as grown, SLOTS } from "../../scripts/lib/edge/site.mjs";
import { growth } from "../../scripts/lib/edge/soak.mjs";
import { page, report, tables, verdict } from "../../scripts/lib/edge/tables.mjs";

const TINY = { sizes: [18, 300], latency: { warm: 1, requests: 10 }, throughput: { connections: 4, ms: 20, rounds: 2 }, memory: { connections: 4, requests: 40 } };

test("pages are as long as they say, with every slot in them", () => {
  for (const size of SIZES) {
    const html = grown(size * 1000);
    assert.ok(html.length >= size * 1000 && html.length < size * 1000 + 3000, `${size}: ${html.length}`);
    for (let offer = 1; offer <= 8; offer += 1) assert.equal(html.split(`id="offer-${offer}"`).length, 2);
  }
  assert.equal(SLOTS.length, 20);
});

test("it measures all three Workers on equal pages, and prints no figure that it has not", { timeout: 120_000 }, async () => {
  const result = { date: "2026-11-23", quick: true, machine: { cpu: "A machine", cores: 2, memoryGB: 8, platform: "linux x64", node: "22.18.0", workerd: "1", load: 0 }, ...(await bench(TINY, process.env)) };
  assert.deepEqual(result.cells.map(({ kilobytes, slots, gzip }: { kilobytes: number; slots: number; gzip: boolean }) => [kilobytes, slots, gzip]), [[18, 1, false], [18, 20, false], [300, 1, false], [300, 20, false], [300, 20, true]]);
  for (const cell of result.cells) {
    assert.deepEqual(Object.keys(cell.latency), ["origin", "plain", "hand", "idoine"]);
    for (const { p50, p99, first } of Object.values(cell.latency) as { p50: number; p99: number; first: number }[]) assert.ok(first > 0 && first <= p99 && p50 <= p99);
    assert.equal(cell.latency.plain.toPlain.median, 1);
    for (const { rate } of Object.values(cell.throughput) as { rate: { median: number } }[]) assert.ok(rate.median > 0);
  }
  assert.equal(result.memory.steps.length, 11);
  for (const text of [report(result), page(result)]) assert.doesNotMatch(text, /undefined|NaN|\[object/);
  assert.equal(tables(result)[0]!.rows.length, 5 * 4);
  assert.equal(verdict(result).length, 2);
  for (const line of verdict(result)) assert.match(line, /^300 KB, (1 slot|20 slots): [\d.]+ times the plain proxy \(goal 1\.3: (not )?reached\)/);
});

const TINY_COLLECT = { stored: 200, visitors: 10, latency: { warm: 1, requests: 10 }, throughput: { connections: 4, ms: 50, rounds: 2 }, batch: 5, pages: { warm: 1, requests: 10 } };
const MACHINE = { cpu: "A machine", cores: 2, memoryGB: 8, platform: "linux x64", node: "22.18.0", workerd: "1", load: 0 };

test("it measures collect beside bare objects on disk, and every event that was acknowledged counts", { timeout: 120_000 }, async () => {
  const result = { date: "2026-11-23", quick: true, machine: MACHINE, ...(await benchCollect(TINY_COLLECT, process.env)) };
  assert.deepEqual(result.stored, { idoine: 1, many: 201 });
  assert.deepEqual(Object.keys(result.latency), ["idoine", "many", "bare", "single"]);
  assert.deepEqual(Object.keys(result.throughput), ["idoine", "many", "bare", "single", "batch"]);
  assert.equal(result.throughput.bare!.toBare.median, 1);
  assert.equal(result.latency.bare!.toOther.median, 1);
  for (const { rate } of Object.values(result.throughput) as { rate: { median: number } }[]) assert.ok(rate.median > 0);
  // Ten measured, one to warm up, three to check.
  assert.ok(result.events.idoine! >= 14 && result.events.bare! >= 12, JSON.stringify(result.events));
  for (const text of [collected.report(result), collected.page(result)]) assert.doesNotMatch(text, /undefined|NaN|\[object/);
  assert.deepEqual(collected.tables(result).map(({ rows }) => rows.length), [5, 4, 2]);
  assert.match(collected.verdict(result)[0]!, /^Collect takes [\d.]+ of the events that bare objects take writes \(goal 0\.5: (not )?reached\)/);
});

test("an event that is not counted, or twice, is found", async () => {
  const { createServer } = await import("node:http");
  const server = createServer((_, response) => void response.writeHead(200, { "content-length": "2" }).end("{}"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const visitor = (counted: number) => ({ key: "a:x", acknowledged: 2, counted: async () => counted });
  try {
    await assertCounted(port, [visitor(2), visitor(2)]);
    await assert.rejects(assertCounted(port, [visitor(2), visitor(1)]), /2 events of a:x were acknowledged, 1 are counted/);
    await assert.rejects(assertCounted(port, [visitor(3)]), /2 events of a:x were acknowledged, 3 are counted/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("the soak test sends an event until it is acknowledged, and finds what is lost or counted twice", async () => {
  const ledger = new Ledger(2);
  const answer = (status: string) => ({ status: status === "failed" ? 503 : 200, body: Buffer.from(JSON.stringify({ results: [{ status }] })) });
  const [first, second, third] = [ledger.next(), ledger.next(), ledger.next()];
  assert.deepEqual([first, second, third].map(({ event }) => [event.visitor, event.id]), [[0, "event-0"], [1, "event-1"], [0, "event-2"]]);
  assert.equal(ledger.note(first.event, answer("accepted")), true);
  assert.equal(ledger.note(second.event, answer("failed")), false);
  assert.equal(ledger.note(third.event, { broke: "socket hang up" }), false);
  assert.deepEqual([ledger.acknowledged, ledger.owed], [1, 2]);
  // What is owed comes again, as it was: what was taken without an answer is a duplicate then.
  const again = [ledger.next(), ledger.next()];
  assert.deepEqual(again.map(({ event }) => event.id), ["event-1", "event-2"]);
  assert.deepEqual(again[0]!.headers, second.headers);
  for (const { event } of again) assert.equal(ledger.note(event, answer("duplicate")), true);
  assert.deepEqual([ledger.acknowledged, ledger.owed, ledger.next().event.id], [3, 0, "event-3"]);
  const counts = (...numbers: string[]) => ledger.differences(async ({ path }: { path: string }) => ({ [COUNT]: numbers[Number(path.endsWith("visitor-0001"))]! }));
  assert.deepEqual(await counts("2", "1"), []);
  assert.deepEqual(await counts("2", "2"), [{ visitor: 1, acknowledged: 1, counted: 2 }]);
  assert.deepEqual(await counts("1", "1"), [{ visitor: 0, acknowledged: 2, counted: 1 }]);
});

test("pages that differ are told apart, and nothing is measured", async () => {
  const { createServer } = await import("node:http");
  const serve = async (text: string) => {
    const server = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end(text));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { port: (server.address() as { port: number }).port, close: () => (server.closeAllConnections(), server.close()) };
  };
  const edited = '<script id="idoine-state">{"decisions":[1]}</script><h1>Shop what you came for</h1>';
  const [plain, one, other] = await Promise.all([serve("<h1>Shop</h1>"), serve(edited), serve(`${edited} `)]);
  try {
    assert.equal(await check({ plain: plain.port, hand: one.port, idoine: one.port }, "/", 1), 13);
    await assert.rejects(check({ plain: plain.port, hand: one.port, idoine: other.port }, "/", 1), /not the one edited by hand.*Nothing was measured/);
    await assert.rejects(check({ plain: plain.port, hand: one.port, idoine: one.port }, "/", 2), /1 decisions instead of 2/);
    await assert.rejects(check({ plain: one.port, hand: one.port, idoine: one.port }, "/", 1), /without its edits/);
  } finally {
    for (const server of [plain, one, other]) server.close();
  }
});

test("answers in chunks are put together", () => {
  const chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\na;x=y\r\n0123456789\r\n0\r\n\r\n";
  assert.equal(parse(Buffer.from(chunked)).body.toString(), "abc0123456789");
  assert.equal(parse(Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nab")).body.toString(), "ab");
});

test("memory that grows is seen, and memory that does not is not", () => {
  const steps = (mb: (minute: number) => number) => Array.from({ length: 60 }, (_, at) => ({ minute: at / 10, mb: mb(at / 10) }));
  assert.equal(growth(steps(() => 300)).isFlat, true);
  assert.equal(growth(steps((minute) => (minute < 2 ? 100 + 100 * minute : 300))).isFlat, true);
  const leak = growth(steps((minute) => 200 + 50 * minute));
  assert.deepEqual([leak.isFlat, leak.mbPerMinute], [false, 50]);
  assert.equal(growth([]).isFlat, true);
});
