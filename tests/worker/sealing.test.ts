// The cookie of a profile's projection: what is sealed opens again, and nothing else does. In workerd, by its own cryptography.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWorker } from "./harness.ts";
import type { TestWorker } from "./harness.ts";

const ID = "6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4e";
const OTHER = "6f0c9a3e-6a8b-4f5e-9d57-0a3f5c1b2d4f";

let worker: TestWorker;

before(async () => {
  worker = await startWorker({
    vars: { IDOINE_KEY: "a secret of this test" },
    parts: ["sealed.js", "projection.js"],
    around: `
      if (new URL(request.url).pathname !== "/call") return worker.fetch(request, env, ctx);
      const { steps, at } = await request.json();
      const clock = Date.now;
      if (at !== undefined) Date.now = () => at;
      const results = [];
      for (const [name, ...given] of steps) {
        // Its cookies in the place of a whole visit.
        const args = given.map((one) => one?.cookie === undefined ? one : { request: new Request("https://shop.example/", { headers: one }), url: new URL("https://shop.example/"), env: one.env ?? env, site: { id: "shop" } });
        for (const one of args) for (const holder of [one, one?.opened]) if (Array.isArray(holder?.bytes)) holder.bytes = new Uint8Array(holder.bytes);
        if (name === "refreshed") args[2] = new Uint8Array(args[2]);
        const result = await parts[name](...args);
        results.push(result?.bytes === undefined ? result ?? null : { ...result, bytes: [...result.bytes] });
      }
      Date.now = clock;
      return Response.json(results);`,
  });
});
after(() => worker.dispose());

/** A function's name and its arguments. Steps are done one after the other; bytes are lists of numbers on the way there and back. */
type Step = [name: string, ...args: unknown[]];

async function calls(steps: Step[], at?: number): Promise<any[]> {
  const reply = await worker.fetch("/call", { method: "POST", body: JSON.stringify({ steps, at }) });
  assert.equal(reply.status, 200, reply.text);
  return reply.json();
}

const NOW = Date.UTC(2026, 10, 20);
const END = NOW / 1000 + 3600;
const keys = (current: string | undefined, old?: string) => ({ IDOINE_KEY: current, IDOINE_KEYS_OLD: old });
const KEY = keys("a secret of this test");
/** A projection as the core begins one: version, second of writing, the user; here with no session, and nothing more but what is given. */
const projected = (user = "", ...more: number[]): number[] => [1, 129, 1, Buffer.byteLength(user), ...Buffer.from(user), 0, ...more];
const held = { bytes: projected("Zoë", 250), user: "Zoë", since: NOW - 90_000_123, end: END };

async function sealed(env: object = KEY, what: object = held, site = "shop", id = ID): Promise<string> {
  const [value] = await calls([["seal", env, site, id, what]], NOW);
  return value;
}

test("what is sealed opens again, and each time it looks different", async () => {
  const [one, two] = [await sealed(), await sealed()];
  assert.notEqual(one, two);
  assert.match(one, /^[\w-]+$/);
  assert.deepEqual(await calls([["unseal", KEY, "shop", ID, one]], NOW), [{ ...held, isOld: false }]);
  assert.deepEqual(await calls([["unseal", KEY, "shop", ID, await sealed(KEY, { bytes: projected(), end: END })]], NOW), [{ bytes: projected(), user: "", since: 0, end: END, isOld: false }]);
});

test("its plain text is nowhere in it", async () => {
  const text = "plain text of a projection";
  const bytes = Buffer.from(await sealed(KEY, { ...held, bytes: projected("Zoë", ...Buffer.from(text)) }), "base64url");
  assert.equal(bytes.length, 1 + 12 + 10 + projected("Zoë").length + text.length + 16);
  assert.equal(bytes.includes("plain"), false);
  assert.equal(bytes.includes("Zo"), false);
});

test("with any bit of it changed, or a byte more or less, it is as if it was not there", async () => {
  const bytes = Buffer.from(await sealed(), "base64url");
  const steps: Step[] = [];
  const open = (changed: Uint8Array) => steps.push(["unseal", KEY, "shop", ID, Buffer.from(changed).toString("base64url")]);
  for (let at = 0; at < bytes.length; at += 1) {
    for (const bit of [1, 0x80]) {
      const changed = Uint8Array.from(bytes);
      changed[at]! ^= bit;
      open(changed);
    }
  }
  for (const length of [0, 1, 13, 28, 34, bytes.length - 1]) open(bytes.subarray(0, length));
  open(Buffer.concat([bytes, Buffer.from([0])]));
  const results = await calls([...steps, ["unseal", KEY, "shop", ID, bytes.toString("base64url")]], NOW);
  assert.equal(results.length, 2 * bytes.length + 8);
  assert.ok(results.pop() !== null);
  assert.deepEqual(results, results.map(() => null));
});

test("text that is no such text is none", async () => {
  const value = await sealed();
  for (const bad of ["", "!", `${value}=`, `${value} `, value.slice(1), `${value}${value}`, "A".repeat(5000), "AQ", "Ã©"]) {
    assert.deepEqual(await calls([["unseal", KEY, "shop", ID, bad]], NOW), [null], bad.slice(0, 40));
  }
});

test("another visitor's, another site's and another secret's is none", async () => {
  const value = await sealed();
  const results = await calls([["unseal", KEY, "shop", OTHER, value], ["unseal", KEY, "blog", ID, value], ["unseal", keys("another"), "shop", ID, value], ["unseal", keys(undefined), "shop", ID, value], ["unseal", keys(undefined, "a secret of this test"), "shop", ID, value]], NOW);
  assert.deepEqual(results, [null, null, null, null, null]);
});

test("it ends when it says", async () => {
  const value = await sealed();
  const opens = async (at: number) => (await calls([["unseal", KEY, "shop", ID, value]], at))[0] !== null;
  assert.equal(await opens(END * 1000 - 1), true);
  assert.equal(await opens(END * 1000), false);
  assert.equal(await opens(END * 1000 + 1000 * 86_400_000), false);
});

test("an older secret opens still, and is told", async () => {
  const value = await sealed(keys("first"));
  const [known, late, gone] = await calls([["unseal", keys("second", "first"), "shop", ID, value], ["unseal", keys("third", "second,\nfirst"), "shop", ID, value], ["unseal", keys("third", "second"), "shop", ID, value]], NOW);
  assert.deepEqual([known, late], [{ ...held, isOld: true }, { ...held, isOld: true }]);
  assert.equal(gone, null);
});

test("what does not fit into a cookie is not sealed, and without a secret nothing is", async () => {
  const [fits, large, off] = await calls([
    ["seal", KEY, "shop", ID, { bytes: Array(3021).fill(7), end: END }],
    ["seal", KEY, "shop", ID, { bytes: Array(3100).fill(7), end: END }],
    ["seal", keys(undefined), "shop", ID, held],
  ], NOW);
  assert.ok(`idoine_p=${fits}`.length > 4000 && `idoine_p=${fits}`.length <= 4096, String(fits?.length));
  assert.equal((await calls([["unseal", KEY, "shop", ID, fits]], NOW))[0].bytes.length, 3021);
  assert.deepEqual([large, off], [null, null]);
  assert.ok(worker.logs.some((line) => line.includes("projection_too_large")));
});

const cookie = (value: string) => `idoine_consent=v1.personalization; idoine_p=${value}`;
const nameOf = (header: string) => header.slice(0, header.indexOf("="));

const [NOTHING, NOTHING_LATER] = [[1, 0, 0, 0], [1, 5, 0, 0]];
const [ZOE, ZOES_SESSION] = [projected("Zoë"), [...projected("Zoë").slice(0, -1), 1, 2, 2]];

test("a cookie is sent again when what it says has changed, and only then", async () => {
  const opened = { ...held, bytes: ZOE, isOld: false };
  const visitor = { id: ID, isOld: false, opened };
  const refresh = (what: object, bytes: number[], rest: unknown[] = [], env: object = KEY): Step => ["refreshed", { cookie: cookie("x"), env }, { ...visitor, ...what }, bytes, ...rest];
  const year = NOW / 1000 + 395 * 86_400;
  const anonymous = { bytes: NOTHING, user: "", since: 0, end: year, isOld: false };
  const results: string[][] = await calls(
    [
      refresh({}, ZOE),
      refresh({ opened: anonymous }, NOTHING_LATER),
      refresh({}, ZOES_SESSION),
      refresh({ opened: undefined }, NOTHING),
      refresh({ opened: { ...opened, isOld: true } }, ZOE),
      refresh({ isOld: true }, ZOE),
      refresh({ opened: { ...anonymous, end: year - 300 * 86_400 } }, NOTHING),
      refresh({}, ZOE, [true]),
      refresh({}, NOTHING),
      refresh({}, Array(4000).fill(1)),
      refresh({ opened: undefined }, NOTHING, [], keys(undefined)),
      refresh({}, projected("Bob"), [true]),
    ],
    NOW,
  );
  const names = results.map((headers) => headers.map(nameOf));
  assert.deepEqual(names.slice(0, 2), [[], []], "what has not changed, whenever it was written");
  assert.deepEqual(names.slice(2), [["idoine_p"], ["idoine_p"], ["idoine_p"], ["idoine_id"], ["idoine_p"], ["idoine_p"], ["idoine_p"], ["idoine_p"], ["idoine_p"], ["idoine_p"]]);
  for (const header of results.flat()) {
    assert.match(header, /; Path=\/; SameSite=Lax; Max-Age=\d+; Secure; HttpOnly$/);
  }
  // Neither too large a projection nor one without a secret leaves an older one in place.
  assert.match(results[9]![0]!, /^idoine_p=; .*Max-Age=0;/);
  assert.match(results[10]![0]!, /^idoine_p=; .*Max-Age=0;/);
  const value = (at: number) => /=([^;]*)/.exec(results[at]![0]!)![1]!;
  const [changed, fresh, proven, out, other] = await calls([2, 3, 7, 8, 11].map((at) => ["unseal", KEY, "shop", ID, value(at)]), NOW);
  assert.deepEqual(changed, { ...opened, bytes: ZOES_SESSION }, "a user is known no longer than before");
  assert.deepEqual(fresh, anonymous);
  assert.deepEqual(proven, { ...opened, end: NOW / 1000 + 30 * 86_400 }, "who proves it again is logged in since they first did");
  assert.deepEqual([other.user, other.since], ["Bob", NOW]);
  assert.deepEqual(out, anonymous);
});
