// A server that decides by itself and one that asks the Worker say the same of the same visitors.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { createIdoineServer as Create, Page } from "../../www/npm/src/server.node.ts";
import { compile } from "../e2e/fixtures/artefacts.ts";
import { flags, READ, TOKENS } from "../worker/flags.ts";
import { startOrigin, startWorker } from "../worker/harness.ts";
import { project } from "./project.ts";

const SHOP = "https://shop.example/";
const PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/** Requests, each with an experience that it is for, or none. */
const PAGES: [Page, string | undefined][] = [
  [{ url: SHOP }, undefined],
  [{ url: `${SHOP}?utm_campaign=spring` }, "campaign"],
  [{ url: SHOP, headers: { "User-Agent": PHONE } }, "phone"],
  [{ url: `${SHOP}cart` }, "basket"],
  [{ url: SHOP, cf: { country: "FR", city: "Lyon", asn: 64500, isEUCountry: "1", botManagement: { score: 30, verifiedBot: false } } }, "french"],
  [{ url: SHOP, context: { "geo.country": "FR", "page.query": { a: "1 & 2", b: "é" } } }, "data"],
  [{ url: SHOP, now: "2026-11-20T07:30:00Z", cf: { timezone: "Europe/Paris" } }, "early"],
  [{ url: SHOP, now: Date.UTC(2026, 6, 20, 6, 30), context: { "geo.timezone": "Europe/Paris" } }, "early"],
  [{ url: SHOP, now: "2026-07-20T06:30:00Z", offsets: "1761440400 3600, 1774746000 7200" }, "early"],
  [{ url: SHOP, now: "2026-07-20T07:30:00Z", offsets: "1761440400 3600, 1774746000" }, undefined],
  [{ url: SHOP, context: { "consent.personalization": true, "profile.plan": "pro" } }, "pro"],
  [{ url: SHOP, context: { "profile.plan": "pro" } }, undefined],
  [{ url: SHOP, context: { "consent.personalization": true, "visitor.id": "visitor-1" }, profile: { "assignment.button-test": 1 } }, "button-test"],
  [{ url: SHOP, headers: { cookie: "idoine_consent=v2.p; a=b" }, context: { "visitor.id": "visitor-2" } }, undefined],
];

test("decisions, edits, values and states are the same", async (t) => {
  const origin = await startOrigin({ "*": "<h1>Welcome</h1>" });
  const worker = await startWorker({ origin: origin.url, manifest: flags(), vars: { IDOINE_TOKENS: TOKENS, IDOINE_KEY: "secret" } });
  t.after(async () => void (await Promise.all([worker.dispose(), origin.close()])));
  const installed = join(project({}).folder, "node_modules", "idoine", "server.node.js");
  const { createIdoineServer } = (await import(pathToFileURL(installed).href)) as { createIdoineServer: typeof Create };
  const own = createIdoineServer({ program: compile(flags()) });
  const asking = createIdoineServer({ api: worker.address, key: READ, patience: 5000 });
  for (const [page, experience] of PAGES) {
    const [one, { receipt, ...other }] = await Promise.all([own.decide(page), asking.decide(page)]);
    assert.deepEqual(one, other, JSON.stringify(page));
    if (experience) assert.ok(one.decisions.some((decision) => decision.experience === experience), `${experience}: ${JSON.stringify(one.decisions)}`);
    else assert.ok(one.decisions.every((decision) => decision.experience === null || decision.experience === "button-test"), JSON.stringify(one.decisions));
    assert.equal(receipt?.program, one.version);
  }
});
