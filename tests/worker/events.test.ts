// How events are read, apart from where they go: bodies, keys, what each client calls a thing, one event, for which purposes it is kept.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { readJson } from "../../worker/js/events/body.js";
import { readEvent, timeOf } from "../../worker/js/events/event.js";
import { eventsOf, formatOf } from "../../worker/js/events/formats.js";
import { identified } from "../../worker/js/events/ids.js";
import { senderOf } from "../../worker/js/events/keys.js";
import { agreedTo } from "../../worker/js/events/purposes.js";
import { signedId } from "./harness.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const DAY = 86_400_000;

const request = (headers: Record<string, string> = {}, body?: string | Uint8Array) =>
  new Request("https://shop.example/_idoine/collect", { method: "POST", headers, ...(body === undefined ? {} : { body: body as BodyInit }) });

/** What is read of a body, or why it is not. */
type Read = { value?: any; refused?: any };

/** The status and code of what a body is refused with; its value where it is not. */
async function read(body: string | Uint8Array, headers: Record<string, string> = {}): Promise<unknown> {
  const { value, refused }: Read = await readJson(request(headers, body));
  return refused === undefined ? value : [refused.status, refused.code];
}

test("a body is JSON, as it is or gzip, whatever it says of its type", async () => {
  const text = JSON.stringify({ a: "é" });
  for (const [body, headers] of [
    [text, { "content-type": "application/json" }],
    [text, { "content-type": "text/plain;charset=UTF-8" }],
    [`\ufeff${text}`, {}],
    [gzipSync(text), { "content-encoding": "gzip", "content-type": "application/x-www-form-urlencoded" }],
    [gzipSync(text), { "content-encoding": " GZIP" }],
    // A beacon cannot say how its body is compressed.
    [gzipSync(text), {}],
  ] as const) {
    assert.deepEqual(await read(body, headers), { a: "é" }, JSON.stringify(headers));
  }
});

test("what is no JSON, or too much of it, is refused", async (t) => {
  const gzip = { "content-encoding": "gzip" };
  for (const bad of ["", "{", "{'a':1}", "[1,]", "NaN", "{}{}", "secret-of-a-visitor", Buffer.from([0x22, 0xff, 0x22])]) {
    assert.deepEqual(await read(bad), [400, "bad_json"], String(bad));
  }
  assert.deepEqual(await read("[]", { "content-encoding": "br" }), [415, "bad_encoding"]);
  assert.deepEqual(await read(gzipSync("[1]").subarray(0, 15), gzip), [400, "bad_gzip"]);
  assert.deepEqual(await read(Buffer.concat([gzipSync("[1]"), Buffer.from("x")]), gzip), [400, "bad_gzip"]);
  const json = (bytes: number) => `"${"x".repeat(bytes - 2)}"`;
  assert.equal(typeof (await read(json(512 * 1024))), "string");
  assert.deepEqual(await read(json(512 * 1024 + 1)), [413, "too_large"]);
  // Few bytes that stand for many: 1 MB may be, and no byte more is.
  assert.equal(typeof (await read(gzipSync(json(1024 * 1024)), gzip)), "string");
  assert.deepEqual(await read(gzipSync(json(1024 * 1024 + 1)), gzip), [413, "too_large"]);
  const bomb = gzipSync(Buffer.alloc(400 * 1024 * 1024));
  assert.ok(bomb.length < 512 * 1024);
  const { DecompressionStream: Real } = globalThis;
  t.after(() => (globalThis.DecompressionStream = Real));
  let inflated = 0;
  const counting = () => new TransformStream({ transform: (chunk, controller) => ((inflated += chunk.byteLength), controller.enqueue(chunk)) });
  globalThis.DecompressionStream = class {
    constructor(format: CompressionFormat) {
      const { readable, writable } = new Real(format);
      return { readable: readable.pipeThrough(counting()), writable };
    }
  } as typeof Real;
  assert.deepEqual(await read(bomb, gzip), [413, "too_large"]);
  assert.ok(inflated > 1024 * 1024 && inflated < 8 * 1024 * 1024, `nearly all of it is never decompressed: ${inflated}`);
});

test("words of a visitor are not in what a body is refused with", async () => {
  const said = async (body: string) => ((await readJson(request({}, body))) as Read).refused?.message;
  assert.equal(await said('{"email": jo@shop.example}'), "Expected JSON: it can't be read.");
  assert.equal(await said('{"email" "jo"}'), "Expected JSON: it can't be read at position 9.");
});

test("keys come by Basic, by header, by body; an unknown one is nobody's", () => {
  const secret = "K".repeat(24);
  const keys = `browser:site:pub-1, server:erp:${secret}:analytics+personalization\nserver:crm:${"C".repeat(24)}`;
  const of = (headers: Record<string, string>, elsewhere?: unknown, own = false) =>
    senderOf({ request: request(headers), env: { IDOINE_WRITE_KEYS: keys } }, elsewhere, own);
  const basic = (user: string) => ({ authorization: `Basic ${btoa(user)}` });
  const erp = { kind: "server", name: "erp", purposes: ["analytics", "personalization"], hasKey: true };
  for (const headers of [basic(`${secret}:`), basic(`${secret}:password`), basic(secret), { authorization: `bearer  ${secret}` }, { "x-write-key": secret }]) {
    assert.deepEqual(of(headers), erp, JSON.stringify(headers));
  }
  assert.deepEqual(of({}, secret), erp);
  // Jitsu's are `id:secret`, and the masked one of its bodies is not looked at.
  assert.equal(of({ "x-write-key": "pub-1:secret" }, "pub-1:***")?.name, "site");
  assert.deepEqual(of({}, "pub-1"), { kind: "browser", name: "site", purposes: [], hasKey: true });
  for (const bad of [`${secret}x`, secret.slice(1), "erp", "site", "__proto__", "server", "é"]) {
    assert.equal(of({ "x-write-key": encodeURIComponent(bad) }), undefined, bad);
    assert.equal(of({}, bad), undefined, bad);
  }
  assert.equal(of(basic("jo:password")), undefined);
  // Visitors of a site that asks them for a password send it along.
  assert.deepEqual(of(basic("jo:password"), undefined, true), { kind: "browser", name: "browser", purposes: [], hasKey: false });
  assert.equal(of({ authorization: "Digest x" })?.hasKey, false);
  assert.equal(of({})?.hasKey, false);
  assert.equal(of({}, { a: 1 })?.hasKey, false);
});

test("without keys of the owner's every key is a browser's", () => {
  for (const env of [{}, { IDOINE_WRITE_KEYS: " " }]) {
    assert.deepEqual(senderOf({ request: request({ "x-write-key": "any" }), env }, undefined), { kind: "browser", name: "browser", purposes: [], hasKey: true });
  }
});

test("no key has the name of a source of our own", (t) => {
  const said = t.mock.method(console, "error", () => {});
  const entries = ["browser", "edge", "identity", "edges", "Browser"].flatMap((name) => [`browser:${name}:pub-${name}`, `server:${name}:${name.padEnd(24, "K")}`]);
  const env = { IDOINE_WRITE_KEYS: entries.join(" ") };
  const nameOf = (key: string) => senderOf({ request: request({ "x-write-key": key }), env }, undefined)?.name;
  for (const name of ["browser", "edge", "identity"]) {
    assert.deepEqual([nameOf(`pub-${name}`), nameOf(name.padEnd(24, "K"))], [undefined, undefined], name);
  }
  for (const name of ["edges", "Browser"]) {
    assert.deepEqual([nameOf(`pub-${name}`), nameOf(name.padEnd(24, "K"))], [name, name]);
  }
  assert.equal(said.mock.callCount(), 1);
  assert.match(String(said.mock.calls[0]?.arguments[0]), /"bad_write_keys".*6 entries of IDOINE_WRITE_KEYS are no keys.*the name neither browser nor edge nor identity/);
});

test("entries that are no keys open nothing, and are told once", (t) => {
  const said = t.mock.method(console, "error", () => {});
  const env = { IDOINE_WRITE_KEYS: `server:short:abc server:odd:${"K".repeat(24)}:everything owner:x:${"K".repeat(24)} browser::k browser:b: nonsense` };
  for (const key of ["abc", "K".repeat(24), "k", "nonsense"]) {
    assert.equal(senderOf({ request: request({ "x-write-key": key }), env }, undefined), undefined);
  }
  assert.equal(said.mock.callCount(), 1);
  const line = String(said.mock.calls[0]?.arguments[0]);
  assert.match(line, /6 entries of IDOINE_WRITE_KEYS are no keys/);
  assert.doesNotMatch(line, /KKK|abc|nonsense/);
});

const own = { isOwn: true, isSmall: false, receivedAt: NOW, sentAt: undefined, isTrusted: false };
const one = (raw: unknown, given: object = {}) => readEvent(raw, "/events/3", { ...own, ...given }) as { event?: any; preferences?: string[]; error?: any };
const track = (more: object = {}) => ({ type: "track", event: "Product Viewed", messageId: "m-1", timestamp: NOW, ...more });
const wrong = (raw: unknown, given?: object) => {
  const { error } = one(raw, given);
  return [error?.code, error?.path];
};

test("an event is read as it is stored", () => {
  const raw = track({
    anonymousId: "a",
    userId: "u",
    properties: { product_id: "1", nested: { a: [{ b: 1 }] } },
    context: {
      ip: "192.0.2.1",
      userAgent: "Mozilla/5.0",
      device: { id: "d" },
      locale: "fr",
      timezone: "Europe/Paris",
      page: { url: "https://shop.example/a", referrer: "", title: "A", extra: 1, path: "/a" },
      campaign: { name: "spring", source: "x".repeat(201), constructor: "y" },
      consent: { categoryPreferences: { analytics: true, personalization: false, Advertising: true } },
    },
  });
  const { event, preferences, error } = one(raw);
  assert.equal(error, undefined);
  assert.deepEqual(JSON.parse(JSON.stringify(event)), {
    ...track(),
    anonymousId: "a",
    userId: "u",
    receivedAt: NOW,
    properties: { product_id: "1", nested: { a: [{ b: 1 }] } },
    context: { locale: "fr", timezone: "Europe/Paris", page: { url: "https://shop.example/a", title: "A", path: "/a" }, campaign: { name: "spring" } },
  });
  assert.deepEqual(preferences, ["analytics", "Advertising"]);
  // What has no id gets one, so that it is one event.
  const made = one({ type: "page" }).event;
  assert.match(made?.messageId ?? "", /^[\w-]{36}$/);
  assert.equal(made?.timestamp, NOW);
});

test("what is wrong with an event is told with its place and what was expected", () => {
  const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);
  for (const [raw, code, path] of [
    [null, "bad_event", ""],
    [[], "bad_event", ""],
    ["track", "bad_event", ""],
    [{}, "missing_field", "/type"],
    [{ type: "screen" }, "bad_field", "/type"],
    [{ type: "constructor" }, "bad_field", "/type"],
    [{ type: "track" }, "missing_field", "/event"],
    [track({ event: "" }), "bad_field", "/event"],
    [track({ event: "x".repeat(201) }), "bad_field", "/event"],
    [track({ userId: 5 }), "bad_field", "/userId"],
    [track({ anonymousId: "x".repeat(201) }), "bad_field", "/anonymousId"],
    [track({ messageId: "" }), "bad_field", "/messageId"],
    [track({ propertys: {} }), "unknown_field", "/propertys"],
    [track({ "a/b": {} }), "unknown_field", "/a~1b"],
    [track({ properties: [] }), "bad_field", "/properties"],
    [track({ traits: "x" }), "bad_field", "/traits"],
    [track({ context: 1 }), "bad_field", "/context"],
    [track({ timestamp: "yesterday" }), "bad_field", "/timestamp"],
    [track({ timestamp: "2026-13-01" }), "bad_field", "/timestamp"],
    [track({ timestamp: "Nov 20 2026" }), "bad_field", "/timestamp"],
    [track({ timestamp: {} }), "bad_field", "/timestamp"],
    [{ type: "alias", userId: "u" }, "missing_field", "/previousId"],
    [{ type: "alias", previousId: "u" }, "missing_field", "/userId"],
    [{ type: "group" }, "missing_field", "/groupId"],
    [track({ properties: { a: deep(7) } }), "too_deep", "/properties/a/0/0/0/0/0/0"],
    [track({ properties: { "x/~y": "\ud800" } }), "bad_text", "/properties/x~1~0y"],
    [track({ properties: { "\udc00": 1 } }), "bad_text", "/properties"],
    [track({ properties: { n: Infinity } }), "bad_number", "/properties/n"],
    [track({ properties: { a: "x".repeat(32 * 1024) } }), "too_large", ""],
    [track({ properties: { a: "é".repeat(16 * 1024) } }), "too_large", ""],
  ] as const) {
    assert.deepEqual(wrong(raw), [code, `/events/3${path}`], JSON.stringify(raw)?.slice(0, 100));
    assert.match(one(raw).error?.message ?? "", /^Expected /);
  }
  assert.equal(one(track({ properties: { a: deep(6) } })).error, undefined);
  assert.equal(one(track({ properties: { a: "é".repeat(15 * 1024) } })).error, undefined);
  // However deep it is, looking at it ends.
  assert.deepEqual(wrong(JSON.parse(`{"type":"track","event":"x","properties":${"[".repeat(100_000)}${"]".repeat(100_000)}}`))[0], "too_deep");
  assert.deepEqual(wrong(JSON.parse(`{"type":"track","event":"x","properties":{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}}`))[0], "too_deep");
});

test("clocks that are wrong are set right", () => {
  const at = (said: unknown, sent?: unknown, trusted = false) => timeOf(said, sent, NOW, trusted) - NOW;
  assert.equal(at(NOW - 5000), -5000);
  assert.equal(at("2026-11-20T11:59:50.000Z"), -10_000);
  assert.equal(at("2026-11-20T12:59:50+01:00"), -10_000);
  // An hour fast, and an hour slow: three seconds passed on the device.
  assert.equal(at(NOW + 3_600_000 - 3000, new Date(NOW + 3_600_000).toISOString()), -3000);
  assert.equal(at(NOW - 3_600_000 - 3000, NOW - 3_600_000), -3000);
  // The future, even so; what is no instant; what is absurd.
  for (const [said, sent] of [[NOW + 1], [NOW + 5000, NOW], [undefined], ["nonsense"], [NaN], [0], [-1e300], ["1999-12-31T23:59:59Z"]]) {
    assert.equal(at(said, sent), 0, String(said));
  }
  assert.equal(at(NOW - 30 * DAY), -30 * DAY);
  assert.equal(at(NOW - 30 * DAY - 1), 0);
  // A server may tell of the past.
  assert.equal(at("2001-01-01", undefined, true), Date.UTC(2001, 0, 1) - NOW);
  assert.equal(at("1999-01-01", undefined, true), 0);
  // A clock that says nothing is no clock.
  assert.equal(at(NOW - 5000, "nonsense"), -5000);
});

test("what other clients call a thing becomes ours", () => {
  const only = (path: string, body: unknown) => eventsOf(formatOf(path)!, body)?.events.map(([event, path]: any[]) => ({ ...JSON.parse(JSON.stringify(event)), path }));
  for (const [letter, name] of Object.entries({ i: "identify", t: "track", p: "page", g: "group", a: "alias" })) {
    for (const path of [`v1/${letter}`, `v1/${name}`, `api/s/${name}`, `api/s/s2s/${name}`]) {
      assert.equal(only(path, { type: "nonsense", userId: 7 })?.[0].type, name, path);
    }
  }
  const [seen] = only("v1/s", { name: "Start", userId: 7, anonymousId: null, properties: { a: 1 } })!;
  assert.deepEqual([seen.type, seen.name, seen.userId, "anonymousId" in seen, seen.path], ["page", "Start", "7", false, ""]);
  const [server] = only("v1/batch", { batch: [{ type: "page", properties: { name: "Home", url: "https://a.example/", title: "T" }, originalTimestamp: "2026-11-20" }], context: { locale: "fr" } })!;
  assert.deepEqual([server.name, server.context, server.timestamp, server.path], ["Home", { locale: "fr", page: { url: "https://a.example/", title: "T" } }, "2026-11-20", "/batch/0"]);
  // RudderStack's browser client says traits in the context alone.
  const [user] = only("v1/identify", { traits: null, context: { traits: { plan: "pro" } } })!;
  assert.deepEqual(user.traits, { plan: "pro" });
  assert.equal("traits" in only("v1/track", { event: "x", context: { traits: { plan: "pro" } } })![0], false);
  for (const [path, body] of [["collect", []], ["collect", { batch: [] }], ["v1/batch", { events: [] }], ["v1/batch", { batch: {} }], ["v1/t", []], ["v1/t", "x"], ["v1/t", null]] as const) {
    assert.equal(eventsOf(formatOf(path)!, body), undefined, path);
  }
  assert.deepEqual(eventsOf(formatOf("v1/batch")!, { batch: ["x", null] })?.events, [["x", "/batch/0"], [null, "/batch/1"]]);
  for (const path of ["", "collect/", "v1/m", "v1/constructor", "v1/__proto__", "api/s/", "api/s/evaluate"]) {
    assert.equal(formatOf(path), undefined, path);
  }
});

test("a purpose is one that the visitor agreed to, and nobody says more than they did", () => {
  const all = ["personalization", "analytics", "marketing"];
  const of = (headers: Record<string, string>, about: object) => agreedTo(request(headers), { held: [], isOwn: false, isTrusted: false, preferences: undefined, basis: [], ...about });
  // What holds of it is the core's to say.
  const chosen = { cookie: "a=b; idoine_consent=v1" };
  const gpc = { "sec-gpc": "1" };
  for (const isOwn of [true, false]) {
    assert.deepEqual(of({}, { isOwn }), []);
    assert.deepEqual(of(chosen, { isOwn, held: ["analytics"], basis: all }), ["analytics"], "a key's basis is no choice");
    assert.deepEqual(of(chosen, { isOwn, basis: all }), []);
    assert.deepEqual(of({}, { isOwn, preferences: ["analytics", "Advertising"], basis: all }), ["analytics"]);
    assert.deepEqual(of({}, { isOwn, basis: ["analytics"] }), ["analytics"]);
    assert.deepEqual(of(gpc, { isOwn, preferences: all }), ["analytics"]);
    assert.deepEqual(of(gpc, { isOwn, basis: all }), ["analytics"]);
  }
  const held = ["personalization", "analytics"];
  assert.deepEqual(of(chosen, { held, preferences: ["personalization", "marketing"] }), ["personalization"]);
  assert.deepEqual(of(chosen, { held, isOwn: true, preferences: ["personalization"] }), held);
  // A server says it of someone else: neither its cookies nor its refusals are theirs.
  assert.deepEqual(of({ ...chosen, ...gpc }, { held: ["marketing"], isTrusted: true, basis: ["personalization"] }), ["personalization"]);
  assert.deepEqual(of({}, { isTrusted: true, preferences: [], basis: all }), []);
});

test("nobody writes into the profile of a cookie that they do not have", async () => {
  const [env, id] = [{ IDOINE_KEY: "secret" }, "12345678-abcd"];
  const of = (event: object, about: object, from: object = env) => identified({ env: from }, event, { isTrusted: false, visitor: undefined, ...about });
  const foreign = await of({ anonymousId: id }, {});
  assert.match(foreign.anonymousId, /^x-[0-9a-f]{32}$/);
  assert.deepEqual((await of({ anonymousId: id }, {})).anonymousId, foreign.anonymousId, "the same one each time");
  assert.notEqual((await of({ anonymousId: `${id}x` }, {})).anonymousId, foreign.anonymousId);
  assert.equal((await of({ anonymousId: "other" }, { visitor: { id } })).anonymousId, id);
  assert.equal((await of({}, { visitor: { id } })).anonymousId, id);
  assert.equal((await of({}, {})).anonymousId, undefined);
  assert.equal((await of({ anonymousId: id }, { isTrusted: true })).anonymousId, id);
  // A value of the cookie is as good as the cookie; one that is made up is a name like any other.
  const value = signedId(id, "secret");
  for (const isTrusted of [true, false]) {
    assert.equal((await of({ anonymousId: value }, { isTrusted })).anonymousId, id);
  }
  const forged = signedId(id, "another");
  assert.match((await of({ anonymousId: forged }, {})).anonymousId, /^x-/);
  assert.equal((await of({ anonymousId: forged }, { isTrusted: true })).anonymousId, forged);
  assert.match((await of({ anonymousId: `${id}.x` }, {}, {})).anonymousId, /^x-/, "without a secret nothing is signed");
  // Whom an alias names: the browser itself, or nobody that another one is.
  const alias = await of({ anonymousId: "mine", previousId: "mine" }, { visitor: { id } });
  assert.equal(alias.previousId, id);
  assert.match((await of({ anonymousId: "mine", previousId: "87654321-abcd" }, { visitor: { id } })).previousId, /^x-/);
  assert.equal((await of({ previousId: "87654321-abcd" }, { isTrusted: true })).previousId, "87654321-abcd");
});
