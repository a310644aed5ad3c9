// What the browser tells of itself, beside what it really sends to a server; and the pure parts around it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";
import { build } from "esbuild";
import { acceptLanguage, type askDetails, type browserFacts } from "../../www/src/facts.ts";
import { ofPersona, readOverrides, sameOverrides, withOverrides } from "../../www/src/bar/address.ts";
import { offsetOf, zoneOffsets } from "../../www/src/zone.ts";
import * as edge from "../../worker/js/host.js";
import { closeBrowser, visit } from "./fixtures/browser.ts";
import { page } from "./fixtures/pages.ts";
import { serve } from "./fixtures/server.ts";

after(closeBrowser);

test("languages become a header in which each weighs less than the one before, and none nothing", () => {
  assert.equal(acceptLanguage(["fr-FR", "fr", "en"]), "fr-FR,fr;q=0.9,en;q=0.8");
  assert.equal(acceptLanguage([]), "");
  assert.equal(acceptLanguage(Array(12).fill("de")).split(",").at(-1), "de;q=0.1");
});

test("offsets of zones follow summer time, half hours and the past; an unknown zone has none", () => {
  const at = (text: string): number => Date.parse(text);
  const zoneOffset = (zone: string | undefined, now: number): number | undefined => offsetOf(zoneOffsets(zone, now), now);
  assert.equal(zoneOffset("Europe/Paris", at("2026-01-15T12:00:00Z")), 3600);
  assert.equal(zoneOffset("Europe/Paris", at("2026-07-15T12:00:00Z")), 7200);
  assert.equal(zoneOffset("Europe/Paris", at("2026-03-29T00:59:59.999Z")), 3600);
  assert.equal(zoneOffset("Europe/Paris", at("2026-03-29T01:00:00Z")), 7200);
  assert.equal(zoneOffset("Asia/Kolkata", at("2026-07-15T12:00:00Z")), 19_800);
  assert.equal(zoneOffset("America/St_Johns", at("2026-01-15T12:00:00.500Z")), -12_600);
  assert.equal(zoneOffset("UTC", -1), 0);
  assert.equal(zoneOffset("Europe/Atlantis", 0), undefined);
  assert.equal(zoneOffset(undefined, 0), undefined);
  assert.equal(zoneOffset("+01:00", 0), undefined);
  assert.equal(zoneOffset("UTC", -62e12), undefined);
  assert.equal(zoneOffset("UTC", NaN), undefined);
  // Half an hour of summer time, and a day that was skipped.
  assert.equal(zoneOffset("Australia/Lord_Howe", at("2026-04-04T14:59:59Z")), 39_600);
  assert.equal(zoneOffset("Australia/Lord_Howe", at("2026-04-04T15:00:00Z")), 37_800);
  assert.equal(zoneOffset("Pacific/Apia", at("2011-12-30T09:59:59Z")), -36_000);
  assert.equal(zoneOffset("Pacific/Apia", at("2011-12-30T10:00:00Z")), 50_400);
});

test("the offsets of a zone are every change of its clocks in three blocks of 400 days, and nothing beyond", () => {
  const now = Date.parse("2026-11-20T12:30:00Z");
  const vector = JSON.parse(readFileSync(new URL("../spec/wire.json", import.meta.url), "utf8")) as { requests: { offsets: (number | null)[] }[] };
  const offsets = zoneOffsets("Europe/Paris", now);
  assert.deepEqual(offsets, vector.requests[1]!.offsets.map((number) => number ?? NaN));
  assert.equal(zoneOffsets("Europe/Paris", now + 1), offsets, "neighbouring instants share them");
  for (const [instant, expected] of [
    ["2024-10-03T23:59:59Z", undefined],
    ["2024-10-04T00:00:00Z", 7200],
    ["2028-01-16T23:59:59Z", 3600],
    ["2028-01-17T00:00:00Z", undefined],
  ] as const) assert.equal(offsetOf(offsets, Date.parse(instant)), expected, instant);
});

test("the edge and the browser know the same of every zone", () => {
  for (const zone of ["UTC", "Europe/Paris", "America/Recife", "Africa/Casablanca", "Asia/Gaza", "Pacific/Apia", "Europe/Atlantis", "+01:00", ""]) {
    for (const now of ["2026-11-20", "2000-06-01", "1965-07-01", "2040-01-01"].map((date) => Date.parse(date))) {
      assert.deepEqual(edge.zoneOffsets(zone, now), [...zoneOffsets(zone, now)], `${zone} ${now}`);
    }
  }
  assert.deepEqual(edge.zoneOffsets("UTC", NaN), []);
});

test("preview parameters are read, replaced and removed; all else in the address stays", () => {
  const address = "https://shop.example/a?x=1&idoine.geo.country=FR&y=%20&idoine.now=#top";
  const overrides = readOverrides(address);
  assert.deepEqual([...overrides], [["geo.country", "FR"], ["now", ""]]);
  assert.equal(withOverrides(address, new Map()), "https://shop.example/a?x=1&y=+#top");
  const persona = ofPersona({ "language.accepted": ["fr", "en"], "visitor.returning": true, "geo.city": null });
  assert.equal(
    withOverrides("https://shop.example/", persona),
    "https://shop.example/?idoine.language.accepted=fr%2Cen&idoine.visitor.returning=true&idoine.geo.city=",
  );
  assert.ok(sameOverrides(persona, readOverrides(withOverrides("https://shop.example/?z", persona))));
  assert.ok(!sameOverrides(persona, overrides));
});

test("the browser's facts are those of the request that it really sends", async (t) => {
  const entry = fileURLToPath(new URL("../../www/src/facts.ts", import.meta.url));
  const bundle = await build({ entryPoints: [entry], bundle: true, format: "iife", globalName: "facts", write: false });
  const site = await serve({
    "/": page('<script src="/facts.js"></script>'),
    "/facts.js": { type: "text/javascript", body: bundle.outputFiles[0]!.text },
  });
  t.after(() => site.close());
  const tab = await visit(t, { locale: "fr-CA", timezoneId: "America/Toronto" });
  await tab.goto(site.origin + "/?a=1", { referer: "https://search.example/" });
  const now = Date.parse("2026-07-01T12:00:00Z");
  const facts = await tab.evaluate(async (at) => {
    const { facts } = globalThis as unknown as { facts: { askDetails: typeof askDetails; browserFacts: typeof browserFacts } };
    await facts.askDetails();
    return facts.browserFacts(at, location.href, document.referrer, "a=b", [["geo.country", "CA"]]);
  }, now);
  const sent = site.asked[0]!.headers;
  assert.equal(facts.url, site.origin + "/?a=1#", "the fragment is known to be empty");
  assert.equal(offsetOf(facts.offsets, now), -4 * 3600);
  assert.deepEqual(facts.cf, [["timezone", "America/Toronto"]]);
  assert.deepEqual(facts.overrides, [["geo.country", "CA"]]);
  const told = Object.fromEntries(facts.headers);
  assert.equal(told.cookie, "a=b");
  for (const name of ["user-agent", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "accept-language", "referer", "sec-fetch-dest"]) {
    assert.equal(told[name], sent[name], name);
  }
  assert.deepEqual([told["sec-ch-viewport-width"], told["sec-ch-viewport-height"]], ["1280", "720"]);
  assert.equal(told["sec-ch-prefers-color-scheme"], '"light"');
  assert.deepEqual([told["sec-purpose"], told.dnt, told["sec-gpc"], told["save-data"]], Array(4).fill(undefined));
});

test("what a server may only ask for is told in the headers of its answer to that", async (t) => {
  const entry = fileURLToPath(new URL("../../www/src/facts.ts", import.meta.url));
  const bundle = await build({ entryPoints: [entry], bundle: true, format: "iife", globalName: "facts", write: false });
  const site = await serve({
    "/": page("", '<iframe src="/inner" width="320" height="200"></iframe>'),
    "/inner": page(`<script>${bundle.outputFiles[0]!.text}</script>`),
  });
  t.after(() => site.close());
  const tab = await visit(t, { colorScheme: "dark" });
  await tab.addInitScript(() => {
    const define = (on: object, name: string, value: unknown): void => void Object.defineProperty(on, name, { value });
    define(navigator, "userAgentData", {
      brands: [{ brand: 'Not"A', version: "8" }],
      mobile: true,
      platform: "Android",
      getHighEntropyValues: async (hints: string[]) => ({
        fullVersionList: [{ brand: "Chromium", version: "126.0.6478.71" }, { brand: 'Not"A', version: "8.0.0.0" }],
        platformVersion: "14.0.0",
        model: hints.join(" "),
        formFactors: ["Mobile", "XR"],
      }),
    });
    define(navigator, "doNotTrack", "1");
    define(navigator, "globalPrivacyControl", true);
    define(document, "prerendering", true);
  });
  await tab.goto(site.origin);
  const frame = await (await tab.waitForSelector("iframe")).contentFrame();
  await frame!.waitForFunction(() => "facts" in globalThis);
  const told = await frame!.evaluate(async () => {
    const { facts } = globalThis as unknown as { facts: { askDetails: typeof askDetails; browserFacts: typeof browserFacts } };
    const read = (): Record<string, string> => Object.fromEntries(facts.browserFacts(0, "https://shop.example/a#b", "", "", []).headers);
    const before = read();
    await facts.askDetails();
    return { before, after: read(), url: facts.browserFacts(0, "https://shop.example/a#b", "", "", []).url };
  });
  const { before, after } = told;
  assert.equal(before["sec-ch-ua-platform-version"], undefined, "the facts wait for nothing");
  const expected = {
    "sec-ch-ua": '"Not\\"A";v="8"',
    "sec-ch-ua-full-version-list": '"Chromium";v="126.0.6478.71", "Not\\"A";v="8.0.0.0"',
    "sec-ch-ua-mobile": "?1",
    "sec-ch-ua-platform": '"Android"',
    "sec-ch-ua-platform-version": '"14.0.0"',
    "sec-ch-ua-model": '"fullVersionList platformVersion model formFactors"',
    "sec-ch-ua-form-factors": '"Mobile", "XR"',
    "sec-ch-viewport-width": "320",
    "sec-ch-viewport-height": "200",
    "sec-ch-prefers-color-scheme": '"dark"',
    "sec-fetch-dest": "iframe",
    "sec-purpose": "prefetch;prerender",
    "sec-gpc": "1",
    dnt: "1",
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(after[name], value, name);
  assert.equal(told.url, "https://shop.example/a#b");
});

test("a browser that cannot be asked, or refuses, is described without", async (t) => {
  const entry = fileURLToPath(new URL("../../www/src/facts.ts", import.meta.url));
  const bundle = await build({ entryPoints: [entry], bundle: true, format: "iife", globalName: "facts", write: false });
  const site = await serve({ "/": page(`<script>${bundle.outputFiles[0]!.text}</script>`) });
  t.after(() => site.close());
  for (const data of ["undefined", "{ brands: [], mobile: false, platform: '' }", "{ brands: [], mobile: false, platform: '', getHighEntropyValues: () => Promise.reject(new Error()) }"]) {
    const tab = await visit(t);
    await tab.addInitScript(`Object.defineProperty(navigator, "userAgentData", { value: ${data} })`);
    await tab.goto(site.origin);
    const names = await tab.evaluate(async () => {
      const { facts } = globalThis as unknown as { facts: { askDetails: typeof askDetails; browserFacts: typeof browserFacts } };
      await facts.askDetails();
      return facts.browserFacts(0, location.href, "", "", []).headers.map(([name]) => name);
    });
    assert.ok(names.includes("user-agent") && !names.includes("sec-ch-ua-platform-version"), data);
  }
});

test("an iPad that calls itself a Mac is a tablet", async (t) => {
  const entry = fileURLToPath(new URL("../../www/src/facts.ts", import.meta.url));
  const bundle = await build({ entryPoints: [entry], bundle: true, format: "iife", globalName: "facts", write: false });
  const site = await serve({ "/": page(`<script>${bundle.outputFiles[0]!.text}</script>`) });
  t.after(() => site.close());
  const userAgent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15";
  const read = async (touchPoints: number): Promise<unknown> => {
    const tab = await visit(t, { userAgent });
    await tab.addInitScript((points) => void Object.defineProperty(navigator, "maxTouchPoints", { value: points }), touchPoints);
    await tab.goto(site.origin);
    return tab.evaluate(() => {
      const { facts } = globalThis as unknown as { facts: { browserFacts: typeof browserFacts } };
      return facts.browserFacts(0, location.href, "", "", []).overrides;
    });
  };
  assert.deepEqual(await read(0), []);
  assert.deepEqual(await read(5), [["device.type", "tablet"], ["device.os", "ios"]]);
});
