// Every slot is an OpenFeature flag: the published SDKs with their OFREP providers ask the Worker, as their documentation says.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ErrorCode, OpenFeature as Server } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OpenFeature as Web, ProviderEvents, type Provider } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { signedId, startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { flags, READ, TOKENS } from "./flags.ts";

const PATH = "/_idoine/ofrep/v1/evaluate/flags";
const CONSENT = { consent: { personalization: true } };

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin({ "*": "<h1>Welcome</h1>" });
  worker = await startWorker({ origin: origin.url, manifest: flags(), vars: { IDOINE_TOKENS: TOKENS, IDOINE_KEY: "secret" } });
});
after(async () => {
  await Promise.all([Server.close(), Web.close()]);
  await Promise.all([worker.dispose(), origin.close()]);
});

const base = (of = worker) => new URL("_idoine", of.address).href;
const bearer = (token = READ): [string, string] => ["authorization", `Bearer ${token}`];

/** Asks by itself: `key` undefined is all flags. */
const ask = (context: unknown, { key, headers = {}, to = worker, cf }: { key?: string; headers?: Record<string, string>; to?: TestWorker; cf?: Record<string, unknown> } = {}) =>
  to.fetch(key === undefined ? PATH : `${PATH}/${key}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ context }), ...(cf && { cf }) });
const asServer = (context: unknown, key?: string) => ask(context, { headers: Object.fromEntries([bearer()]), ...(key === undefined ? {} : { key }) });

/** A client of the server SDK with a provider of its own. */
async function serverClient(name: string, headers: [string, string][], to = worker) {
  await Server.setProviderAndWait(name, new OFREPProvider({ baseUrl: base(to), headers }));
  return Server.getClient(name);
}

test("the server SDK: values of each type, reasons, variants and metadata", async () => {
  const client = await serverClient("types", [bearer()]);
  const context = { targetingKey: "visitor-1", url: "https://shop.example/?utm_campaign=spring", "geo.country": "FR", geo: { city: "Lyon" } };
  const { version } = (await worker.fetch("/_idoine/context")).json();

  const title = await client.getStringDetails("title", "Welcome", context);
  assert.deepEqual([title.value, title.reason, title.variant, title.errorCode], ["Spring & more", "TARGETING_MATCH", "campaign:1", undefined]);
  assert.deepEqual(title.flagMetadata, { experience: "campaign", reason: "match", version });
  assert.deepEqual(await client.getObjectValue("shipping", {}, context), { from: 50, to: "Lyon" });
  assert.equal(await client.getBooleanValue("enabled", false, context), true);
  assert.equal(await client.getNumberValue("count", 0, context), 3.5);
  assert.deepEqual(await client.getObjectValue("list", [], context), ["a", "b"]);
  assert.deepEqual(await client.getObjectValue("lead", {}, context), {
    edits: [
      { op: "html", value: "Bienvenue <b>ici</b>" },
      { op: "attribute", name: "title", value: "Lyon" },
    ],
  });
  // Slots of another page are flags too.
  assert.equal(await client.getStringValue("cart", "Empty", { ...context, url: "/cart" }), "Yours");
});

test("the server SDK: the caller's default, and errors by their codes", async () => {
  const client = await serverClient("errors", [bearer()]);
  for (const key of ["title", "cart", "nothing"]) {
    assert.equal(await client.getStringValue(key, "mine", { targetingKey: "visitor-1" }), "mine", key);
  }
  const unknown = await client.getStringDetails("no-such-slot", "mine", {});
  assert.deepEqual([unknown.value, unknown.reason, unknown.errorCode], ["mine", "ERROR", ErrorCode.FLAG_NOT_FOUND]);
  const mistyped = await client.getBooleanDetails("cart", false, { url: "/cart" });
  assert.deepEqual([mistyped.value, mistyped.errorCode], [false, ErrorCode.TYPE_MISMATCH]);
  const invalid = await client.getStringDetails("title", "mine", { url: 5 });
  assert.deepEqual([invalid.value, invalid.errorCode], ["mine", ErrorCode.INVALID_CONTEXT]);
  const unnamed = await client.getStringDetails("button", "Buy", CONSENT);
  assert.deepEqual([unnamed.value, unnamed.errorCode], ["Buy", ErrorCode.TARGETING_KEY_MISSING]);
  const stranger = await serverClient("stranger", [bearer("read-token-0123456789abcdeF")]);
  const refused = await stranger.getStringDetails("title", "mine", {});
  assert.deepEqual([refused.value, refused.reason, refused.errorCode], ["mine", "ERROR", ErrorCode.GENERAL]);
});

test("the server SDK: the targeting key draws, where the purpose is agreed to", async () => {
  const client = await serverClient("draws", [bearer()]);
  const keys = Array.from({ length: 24 }, (_, number) => (number % 2 === 0 ? `visitor-${number}` : `${number}@shop.example`));
  const seen = new Map<string, string>();
  for (const targetingKey of keys) {
    const { value, variant, reason } = await client.getStringDetails("button", "Buy", { targetingKey, ...CONSENT });
    seen.set(targetingKey, value);
    // A baseline has no value. The published server provider knows none without.
    if (value !== "Buy") {
      assert.deepEqual([value, variant, reason], ["Get it now", "button-test:1", "SPLIT"]);
    }
    const raw = (await asServer({ targetingKey, ...CONSENT }, "button")).json();
    assert.deepEqual([raw.value ?? "Buy", raw.reason, raw.metadata.experience], [value, "SPLIT", "button-test"]);
    assert.equal(raw.variant, value === "Buy" ? "baseline" : "button-test:1");
    assert.equal((await asServer({ targetingKey }, "button")).json().reason, "DEFAULT", "nothing is agreed to");
  }
  assert.deepEqual(new Set(seen.values()), new Set(["Buy", "Get it now"]));
  // The same visitors by their ids, as the pages draw them.
  const ids = keys.filter((key) => !key.includes("@"));
  const batch = await worker.fetch("/_idoine/api/decide", {
    method: "POST",
    headers: Object.fromEntries([bearer()]),
    body: JSON.stringify({ visitors: ids.map((id) => ({ url: "https://shop.example/", context: { "visitor.id": id, "consent.personalization": true } })) }),
  });
  const drawn = batch.json().results.map(({ edits }: any) => edits.find((edit: any) => edit.slot === "button")?.value ?? "Buy");
  assert.deepEqual(drawn, ids.map((id) => seen.get(id)));
});

test("the web SDK in Node: bulk evaluation, a context that changes, and a poll that finds nothing new, then something", async (t) => {
  const own = await startWorker({ origin: origin.url, manifest: flags() });
  t.after(() => own.dispose());
  const statuses: number[] = [];
  const fetchImplementation: typeof fetch = async (...request) => {
    const response = await fetch(...request);
    statuses.push(response.status);
    return response;
  };
  await Web.setContext({ url: "https://shop.example/?utm_campaign=spring" });
  // Its types know nothing of `exactOptionalPropertyTypes`.
  const provider = new OFREPWebProvider({ baseUrl: base(own), pollInterval: 100, cacheMode: "disabled", fetchImplementation }) as Provider;
  await Web.setProviderAndWait(provider);
  const client = Web.getClient();
  const { version } = (await own.fetch("/_idoine/context")).json();
  const title = client.getStringDetails("title", "Welcome");
  assert.deepEqual([title.value, title.reason, title.variant], ["Spring & more", "TARGETING_MATCH", "campaign:1"]);
  assert.deepEqual({ ...title.flagMetadata }, { experience: "campaign", reason: "match", version });
  const cart = client.getStringDetails("cart", "Empty");
  assert.deepEqual([cart.value, cart.reason, cart.variant, cart.flagMetadata["reason"], cart.errorCode], ["Empty", "DEFAULT", "baseline", "page", undefined]);
  assert.equal(client.getBooleanValue("enabled", false), false);
  assert.equal(client.getStringDetails("no-such-slot", "mine").errorCode, "FLAG_NOT_FOUND");
  assert.equal(client.getNumberDetails("title", 1).errorCode, "TYPE_MISMATCH");

  await Web.setContext({ url: "https://shop.example/cart", geo: { country: "FR" } });
  assert.equal(client.getStringValue("cart", "Empty"), "Yours");
  assert.equal(client.getStringValue("title", "Welcome"), "Welcome");
  assert.equal(client.getBooleanValue("enabled", false), true);
  assert.equal(client.getNumberValue("count", 0), 3.5);
  assert.deepEqual(client.getObjectValue("shipping", {}), { from: 50, to: "you" });

  const unchanged = statuses.length;
  while (!statuses.slice(unchanged).includes(304)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual([...new Set(statuses.slice(unchanged))], [304]);
  const changed = new Promise<string[] | undefined>((resolve) => client.addHandler(ProviderEvents.ConfigurationChanged, (event) => resolve(event?.flagsChanged)));
  await own.publish(flags({ experiences: [{ id: "basket", type: "personalization", audience: "true", slots: { cart: { text: "Full" } } }] }));
  assert.ok((await changed)?.includes("cart"));
  assert.equal(client.getStringValue("cart", "Empty"), "Full");
  await Web.close();
});

test("all flags at once: every slot of the site, in one answer with an entity tag of its bytes", async () => {
  const context = { geo: { country: "FR" } };
  const first = await ask(context);
  assert.equal(first.status, 200);
  assert.equal(first.header("content-type"), "application/json");
  assert.equal(first.header("cache-control"), "private, no-store");
  const body = first.json();
  assert.deepEqual(body.flags.map(({ key }: any) => key).sort(), ["button", "cart", "count", "enabled", "lead", "list", "morning", "nothing", "place", "shipping", "title"]);
  for (const { key, value, reason, variant } of body.flags) {
    assert.ok(variant === "baseline" ? value === undefined : reason === "TARGETING_MATCH", key);
  }
  const tag = first.header("etag")!;
  assert.match(tag, /^"[0-9a-f]{32}"$/);
  const again = await ask(context, { headers: { "if-none-match": tag } });
  assert.deepEqual([again.status, again.header("etag"), again.wire.length], [304, tag, 0]);
  const others = await ask(context, { headers: { "if-none-match": `"x", W/${tag}` } });
  assert.equal(others.status, 304);
  for (const [other, headers] of [
    [{ geo: { country: "DE" } }, { "if-none-match": tag }],
    [context, { "if-none-match": '"00000000000000000000000000000000"' }],
  ] as const) {
    assert.equal((await ask(other, { headers })).status, 200);
  }
  assert.notEqual((await ask({})).header("etag"), tag);
  // What is said twice is answered twice alike: nothing of the clock is in it.
  assert.deepEqual((await ask(context)).text, first.text);
});

test("without a token the request itself is the visitor, and claims count as far as nobody gains by them", async () => {
  const signed = { cookie: `idoine_consent=v1.personalization; idoine_id=${signedId("12345678-abcd", "secret")}` };
  const values = async (context: object, init: Parameters<typeof ask>[1] = {}): Promise<Record<string, any>> => {
    const { flags, metadata } = (await ask(context, init)).json();
    return { ...Object.fromEntries(flags.filter((flag: any) => flag.value !== undefined).map((flag: any) => [flag.key, flag.value])), ignored: metadata.ignored };
  };
  assert.equal((await values({}, { cf: { country: "FR", city: "Lyon" } }))["shipping"].to, "Lyon");
  assert.equal((await values({ url: "/" }, { headers: { "user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1" } }))["title"], "On your phone");
  assert.equal((await values({ device: { type: "mobile" } }))["title"], "On your phone");
  assert.equal((await values({ "geo.country": null }, { cf: { country: "FR" } }))["enabled"], undefined);
  // The hour follows the zone that is claimed, or is claimed itself.
  assert.equal((await values({ time: { hour: 8 } }))["morning"], "Good morning");
  assert.equal((await values({}, { headers: signed }))["place"], "Welcome back");
  const mighty = {
    targetingKey: "visitor-77",
    visitor: { id: "12345678-abcd", returning: true, user_id: "u" },
    "consent.personalization": true,
    profile: { plan: "pro" },
    now: "2026-11-20T07:30:00Z",
    headers: { cookie: "idoine_consent=v1.personalization" },
    cf: { country: "FR" },
    variant: { "button-test": 1 },
    email: "a@shop.example",
    time: { hour: "late" },
  };
  const claimed = await values(mighty);
  assert.deepEqual(claimed, {
    ignored: "cf.country,consent.personalization,email,headers.cookie,now,profile.plan,targetingKey,time.hour,variant.button-test,visitor.id,visitor.returning,visitor.user_id",
  });
  // Their own id is no news; another's does not become theirs.
  assert.equal((await values({ targetingKey: "12345678-abcd" }, { headers: signed }))["ignored"], undefined);
  assert.equal((await values({ targetingKey: "visitor-77" }, { headers: signed }))["ignored"], "targetingKey");
  assert.equal((await ask({ ...mighty, "consent.personalization": true }, { key: "place" })).json().value, undefined);
  assert.match((await ask(mighty, { key: "place" })).json().metadata.ignored, /^cf\.country,.*visitor\.user_id$/);
  // A password of a site that is not public yet is no token.
  assert.equal((await ask({}, { headers: { authorization: "Basic YTpi" } })).status, 200);
});

test("with a token the context is the visitor, and nothing of the server's own request", async () => {
  const from = (context: object) => worker.fetch(PATH, { method: "POST", headers: { ...Object.fromEntries([bearer()]), "user-agent": "iPhone Mobile Safari", cookie: "idoine_consent=v1.personalization; idoine_id=12345678-abcd" }, cf: { country: "FR" }, body: JSON.stringify({ context }) });
  const values = async (context: object): Promise<Record<string, any>> => {
    const { flags, metadata } = (await from(context)).json();
    return { ...Object.fromEntries(flags.filter((flag: any) => flag.value !== undefined).map((flag: any) => [flag.key, flag.value])), ...metadata, version: undefined };
  };
  const none = { version: undefined };
  assert.deepEqual(await values({}), none);
  assert.equal((await values({ cf: { country: "FR", city: "Lyon" } }))["shipping"].to, "Lyon");
  assert.equal((await values({ headers: { "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Mobile/15E148 Safari/604.1" } }))["title"], "On your phone");
  assert.equal((await values({ now: "2026-11-20T07:30:00Z", cf: { timezone: "Europe/Paris" } }))["morning"], "Good morning");
  assert.equal((await values({ now: "2026-11-20T07:30:00Z", "geo.timezone": "Europe/Paris" }))["morning"], "Good morning");
  assert.equal((await values({ now: "2026-11-20T07:30:00Z", "geo.timezone": "Asia/Tokyo" }))["morning"], undefined);
  assert.equal((await values({ ...CONSENT, profile: { plan: "pro" }, targetingKey: "visitor-1" }))["place"], "For professionals");
  assert.equal((await values({ profile: { plan: "pro" }, targetingKey: "visitor-1" }))["place"], undefined);
  assert.equal((await values({ ...CONSENT, targetingKey: "visitor-1" }))["place"], "Welcome back");
  // What is stored of a visitor goes before the draw.
  for (const variant of [0, 1]) {
    const kept = (await asServer({ ...CONSENT, targetingKey: "visitor-1", profile: { assignment: { "button-test": variant } } }, "button")).json();
    assert.deepEqual([kept.value, kept.reason, kept.metadata.reason], [variant === 0 ? undefined : "Get it now", "SPLIT", "sticky"]);
  }
  // The visitor's own cookies count as they do in a request of theirs: an id without a good signature is none.
  const cookies = (id: string) => asServer({ headers: { cookie: `idoine_consent=v1.personalization; idoine_id=${id}` } }, "place");
  const signed = signedId("12345678-abcd", "secret");
  assert.equal((await cookies(signed)).json().value, "Welcome back");
  assert.equal((await cookies("12345678-abcd")).json().value, undefined);
  // The whole value of that cookie names the visitor, too.
  const drawn = async (targetingKey: string) => (await asServer({ ...CONSENT, targetingKey }, "button")).json();
  assert.deepEqual(await drawn(signed), await drawn("12345678-abcd"));
  assert.equal((await values({ email: "x", "time.hour": "late", profile: { nonsense: 1 } }))["ignored"], "email,nonsense,time.hour");
});

test("errors have the protocol's status, code and words", async () => {
  const post = (path: string, body: string, headers: Record<string, string> = {}, to = worker) => to.fetch(path, { method: "POST", headers, ...(headers["content-length"] === undefined && { body }) });
  const token = Object.fromEntries([bearer()]);
  for (const [body, headers, code] of [
    ["", {}, "PARSE_ERROR"],
    ["{", {}, "PARSE_ERROR"],
    ["[]", {}, "PARSE_ERROR"],
    ["", { "content-length": "300000" }, "PARSE_ERROR"],
    ['{"context":[]}', {}, "INVALID_CONTEXT"],
    ['{"context":null}', {}, "INVALID_CONTEXT"],
    ['{"context":{"targetingKey":1}}', {}, "INVALID_CONTEXT"],
    [JSON.stringify({ context: { targetingKey: "x".repeat(1025) } }), {}, "INVALID_CONTEXT"],
    ['{"context":{"url":"shop"}}', {}, "INVALID_CONTEXT"],
    ['{"context":{"referrer":{}}}', {}, "INVALID_CONTEXT"],
    ['{"context":{"cf":[]}}', token, "INVALID_CONTEXT"],
    ['{"context":{"headers":{"a":{}}}}', token, "INVALID_CONTEXT"],
    ['{"context":{"now":"late"}}', token, "INVALID_CONTEXT"],
  ] as const) {
    for (const path of [PATH, `${PATH}/title`]) {
      const reply = await post(path, body, headers);
      assert.equal(reply.status, 400, body.slice(0, 50));
      const { key, errorCode, errorDetails, ...rest } = reply.json();
      assert.deepEqual([key, errorCode, typeof errorDetails, rest], [path === PATH ? undefined : "title", code, "string", {}], body.slice(0, 50));
    }
  }
  // Left out, a context is an empty one.
  assert.equal((await post(PATH, "{}")).status, 200);
  for (const key of ["no-such-slot", "a%20b", "a/b", "%FF", "titl"]) {
    const reply = await post(`${PATH}/${key}`, "{}");
    assert.deepEqual([reply.status, reply.json().errorCode, reply.json().key], [404, "FLAG_NOT_FOUND", key === "a%20b" ? "a b" : key]);
  }
  assert.equal((await post(`${PATH}/%74itle`, "{}")).json().key, "title");
  const missing = (await asServer(CONSENT)).json().flags.find(({ key }: any) => key === "button");
  assert.deepEqual([missing.errorCode, missing.value], ["TARGETING_KEY_MISSING", undefined]);
  for (const path of [PATH, `${PATH}/title`]) {
    const unknown = await post(path, "{}", { authorization: "Bearer nobody-0123456789abcdefgh" });
    assert.deepEqual([unknown.status, unknown.json().errorCode, unknown.header("www-authenticate")], [401, "GENERAL", "Bearer"]);
    const foreign = await post(path, "{}", { origin: "https://evil.example" });
    assert.deepEqual([foreign.status, foreign.json().errorCode, foreign.header("access-control-allow-origin")], [403, "GENERAL", null]);
    assert.equal((await worker.fetch(path)).status, 405);
  }
});

test("without a program there is nothing to evaluate, and the SDK gives the caller's default", async (t) => {
  const empty = await startWorker({ origin: origin.url, vars: { IDOINE_TOKENS: TOKENS } });
  t.after(() => empty.dispose());
  for (const key of [undefined, "title"]) {
    const reply = await ask({}, { to: empty, ...(key && { key }) });
    assert.deepEqual([reply.status, reply.json().errorCode, reply.json().key], [500, "GENERAL", key]);
  }
  const client = await serverClient("empty", [bearer()], empty);
  const { value, errorCode } = await client.getStringDetails("title", "mine", {});
  assert.deepEqual([value, errorCode], ["mine", ErrorCode.GENERAL]);
});

test("too many requests are refused for a while, and the SDK keeps to it; who has a token is not counted", async (t) => {
  const busy = await startWorker({ origin: origin.url, manifest: flags(), vars: { IDOINE_TOKENS: TOKENS }, ratelimits: { EVALUATE_LIMIT: { simple: { limit: 2, period: 60 } } } });
  t.after(() => busy.dispose());
  // Limits are kept by the minute: within five requests three are of the same one.
  const untilRefused = async (key?: string) => {
    for (let number = 1; ; number += 1) {
      const reply = await ask({}, { to: busy, headers: { "cf-connecting-ip": "192.0.2.1" }, ...(key && { key }) });
      if (reply.status === 429) {
        return { number, reply };
      }
      assert.equal(reply.status, 200);
      assert.ok(number < 5, "nobody was refused");
    }
  };
  assert.ok((await untilRefused()).number > 2);
  const { reply: refused } = await untilRefused("title");
  assert.deepEqual([refused.header("retry-after"), refused.json().errorCode, refused.json().key], ["60", "GENERAL", "title"]);
  assert.equal((await ask({}, { to: busy, headers: { "cf-connecting-ip": "192.0.2.2" } })).status, 200);
  assert.equal((await ask({}, { to: busy, headers: { ...Object.fromEntries([bearer()]), "cf-connecting-ip": "192.0.2.1" } })).status, 200);
  const client = await serverClient("busy", [["cf-connecting-ip", "192.0.2.1"]], busy);
  // The first that is refused tells the provider, which then asks no more.
  let details = await client.getStringDetails("cart", "Empty", { url: "/cart" });
  for (let number = 0; number < 5 && !details.errorMessage?.includes("paused"); number += 1) {
    details = await client.getStringDetails("cart", "Empty", { url: "/cart" });
  }
  assert.equal(details.value, "Empty");
  assert.match(details.errorMessage!, /paused due to TooManyRequests/);
});

test("pages of the site's other hosts may ask, and may read the entity tag", async () => {
  const headers = { origin: "https://www.shop.example" };
  const preflight = await worker.fetch(PATH, { method: "OPTIONS", headers: { ...headers, "access-control-request-method": "POST", "access-control-request-headers": "content-type,if-none-match" } });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.header("access-control-allow-origin"), "https://www.shop.example");
  assert.equal(preflight.header("access-control-allow-headers"), "content-type, if-none-match");
  assert.match(preflight.header("access-control-allow-methods")!, /POST/);
  const reply = await ask({}, { headers });
  assert.equal(reply.status, 200);
  assert.match(reply.header("access-control-expose-headers")!, /etag/);
  assert.equal((await ask({}, { headers: { origin: "https://shop.example" } })).status, 200);
});
