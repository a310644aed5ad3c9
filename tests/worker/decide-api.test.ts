// The decide API: a server asks for many visitors at once, each told whole.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Visitor, VisitorsDecided } from "../../www/src/types.ts";
import { flags, READ, TOKENS } from "./flags.ts";
import { signedId, startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";

const URL_ = "https://shop.example/";
const PATH = "/_idoine/api/decide";

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin({ "*": "<h1>Welcome</h1>" });
  worker = await startWorker({ origin: origin.url, manifest: flags(), vars: { IDOINE_TOKENS: TOKENS, IDOINE_KEY: "secret" } });
});
after(async () => {
  await Promise.all([worker.dispose(), origin.close()]);
});

const post = (body: unknown, headers: Record<string, string> = { authorization: `Bearer ${READ}` }, to = worker) =>
  to.fetch(PATH, { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) });
async function decide(visitors: readonly Visitor[], more: object = {}): Promise<VisitorsDecided> {
  const reply = await post({ visitors, ...more });
  assert.equal(reply.status, 200, reply.text);
  return reply.json();
}
/** The edits of a result by their slots; fails when the visitor could not be read. */
const shown = (result: VisitorsDecided["results"][number]) => {
  assert.ok(!("error" in result), JSON.stringify(result));
  return Object.fromEntries(result.edits.map(({ slot, value }) => [slot, value]));
};

test("each visitor is decided for by what is told of them, in their order", async () => {
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
  const answer = await decide([
    { url: `${URL_}?utm_campaign=spring` },
    { url: URL_, headers: { "User-Agent": phone } },
    { url: `${URL_}cart` },
    { url: URL_, cf: { country: "FR", city: "Lyon" } },
    { url: URL_, context: { "geo.country": "FR" } },
    { url: URL_, now: "2026-11-20T07:30:00Z", cf: { timezone: "Europe/Paris" } },
    { url: URL_, context: { "consent.personalization": true, "profile.plan": "pro" } },
    { url: URL_, context: { "profile.plan": "pro" } },
    { url: URL_, context: { "consent.personalization": true, "visitor.id": "visitor-1" }, profile: { "assignment.button-test": 1 } },
  ]);
  const { version } = (await worker.fetch("/_idoine/context")).json();
  assert.equal(answer.version, version);
  const results = answer.results.map(shown);
  assert.equal(results[0]!["title"], "Spring & more");
  assert.equal(results[1]!["title"], "On your phone");
  assert.deepEqual(results[2], { cart: "Yours" });
  assert.equal(results[3]!["shipping"], '{"from":50,"to":"Lyon"}');
  assert.equal(results[4]!["enabled"], "true");
  assert.equal(results[5]!["morning"], "Good morning");
  assert.equal(results[6]!["place"], "For professionals");
  assert.equal(results[7]!["place"], undefined);
  assert.equal(results[8]!["button"], "Get it now");
  const [first] = answer.results;
  assert.ok(first && !("error" in first));
  assert.deepEqual(
    first.decisions.find(({ slot }) => slot === "title"),
    { slot: "title", experience: "campaign", variant: 1, source: "personalization", reason: "match" },
  );
  assert.equal(first.receipt.program, version);
  assert.match(first.receipt.context, /^[0-9a-f]{32}$/);
});

test("nothing of the server's own request is a visitor's", async () => {
  const reply = await worker.fetch(PATH, {
    method: "POST",
    headers: { authorization: `Bearer ${READ}`, "user-agent": "iPhone Mobile", "accept-language": "fr", cookie: `idoine_consent=v1.personalization; idoine_id=${signedId("12345678-abcd", "secret")}` },
    cf: { country: "FR" },
    body: JSON.stringify({ visitors: [{ url: URL_ }] }),
  });
  assert.deepEqual(reply.json().results[0].edits, []);
  assert.equal(reply.header("cache-control"), "private, no-store");
});

test("a visitor's cookies count as in a request of their own", async () => {
  const cookie = (id: string) => ({ url: URL_, headers: { cookie: `idoine_consent=v1.personalization; idoine_id=${id}` } });
  const [signed, forged] = (await decide([cookie(signedId("12345678-abcd", "secret")), cookie("12345678-abcd")])).results.map(shown);
  assert.deepEqual([signed!["place"], forged!["place"]], ["Welcome back", undefined]);
});

test("what is wrong with a visitor is said in their place, and the others are decided", async () => {
  const good = { url: `${URL_}cart` };
  const bad: [unknown, string][] = [
    [{}, "/url"],
    [{ url: "/cart" }, "/url"],
    [{ url: 1 }, "/url"],
    [{ ...good, extra: true }, "/extra"],
    [{ ...good, headers: [] }, "/headers"],
    [{ ...good, headers: { accept: "x", cookie: {} } }, "/headers/cookie"],
    [{ ...good, cf: { country: ["FR", 1] } }, "/cf/country"],
    [{ ...good, now: "late" }, "/now"],
    [{ ...good, now: 0, context: { now: "late" } }, "/context/now"],
    ["visitor", ""],
    [null, ""],
    [[], ""],
  ];
  const visitors = bad.flatMap(([visitor]) => [good as Visitor, visitor as Visitor]);
  const { results } = await decide([...visitors, good]);
  assert.equal(results.length, 2 * bad.length + 1);
  results.forEach((result, place) => {
    if (place % 2 === 0) {
      assert.deepEqual(shown(result), { cart: "Yours" });
    } else {
      const [visitor, path] = bad[(place - 1) / 2]!;
      assert.ok("error" in result, JSON.stringify(visitor));
      assert.deepEqual([result.error.code, result.error.path], ["bad_visitor", `/visitors/${place}${path}`], JSON.stringify(visitor));
      assert.deepEqual(Object.keys(result), ["error"]);
    }
  });
});

test("what the site does not know is named", async () => {
  const [result] = (await decide([{ url: URL_, context: { "geo.planet": "Earth", "time.hour": "late" }, profile: { nonsense: "1" } }])).results;
  assert.ok(result && !("error" in result));
  assert.deepEqual(result.ignored?.map(({ path }) => path), ["geo.planet", "nonsense", "time.hour"]);
  const [known] = (await decide([{ url: URL_ }])).results;
  assert.ok(known && !("ignored" in known));
});

test("only the slots that are asked for", async () => {
  const [result] = (await decide([{ url: `${URL_}?utm_campaign=spring`, cf: { country: "FR" } }], { slots: ["lead", "cart"] })).results;
  assert.ok(result && !("error" in result));
  assert.deepEqual(result.decisions.map(({ slot }) => slot), ["lead"]);
  assert.deepEqual(result.edits.map(({ slot, op }) => [slot, op]), [["lead", "html"], ["lead", "attribute"]]);
  const wrong = await post({ visitors: [], slots: ["lead", "nowhere"] });
  assert.deepEqual([wrong.status, wrong.json().error.code, wrong.json().error.path], [400, "bad_request", "/slots/1"]);
});

test("a thousand visitors at once, and not one more", async () => {
  const many = (count: number) => Array.from({ length: count }, (_, number) => ({ url: URL_, context: { "consent.personalization": true, "visitor.id": `visitor-${number}` } }));
  const { results } = await decide(many(1000));
  assert.equal(results.length, 1000);
  const drawn = results.filter((result) => shown(result)["button"] === "Get it now").length;
  // Half of them, within five standard deviations.
  assert.ok(Math.abs(drawn - 500) < 80, String(drawn));
  const refused = await post({ visitors: many(1001) });
  assert.deepEqual([refused.status, refused.json().error.path], [400, "/visitors"]);
  assert.deepEqual(await decide([]), { version: (await worker.fetch("/_idoine/context")).json().version, results: [] });
});

test("what is no request is refused", async () => {
  for (const body of ["", "{", "[]", "null", "[[]]", "{}", '{"visitors":{}}', '{"visitors":[],"slots":"lead"}', '{"visitors":[],"visitor":{}}']) {
    const reply = await post(body);
    assert.deepEqual([reply.status, reply.json().error.code], [400, "bad_request"], body);
  }
  // A length that is told is enough; not a byte of the body is sent.
  assert.equal((await worker.fetch(PATH, { method: "POST", headers: { authorization: `Bearer ${READ}`, "content-length": String(4 * 1024 * 1024 + 1) } })).status, 413);
  assert.equal((await worker.fetch(PATH, { headers: { authorization: `Bearer ${READ}` } })).status, 405);
});

test("only with a token of the site", async (t) => {
  const body = { visitors: [{ url: URL_ }] };
  for (const authorization of ["", "Bearer", "Bearer ", `Basic ${READ}`, READ, `Bearer ${READ}x`, `Bearer ${READ.slice(0, -1)}`, "Bearer nobody-0123456789abcdefgh"]) {
    const reply = await post(body, authorization === "" ? {} : { authorization });
    assert.deepEqual([reply.status, reply.json().error.code, reply.header("www-authenticate")], [401, "unauthorized", "Bearer"], authorization);
    assert.deepEqual(Object.keys(reply.json()), ["error"]);
  }
  for (const authorization of [`Bearer ${READ}`, `bearer ${READ}`, "Bearer publish-token-0123456789abcdef"]) {
    assert.equal((await post(body, { authorization })).status, 200, authorization);
  }
  const closed = await startWorker({ origin: origin.url, manifest: flags() });
  t.after(() => closed.dispose());
  assert.equal((await post(body, undefined, closed)).status, 401);
});
