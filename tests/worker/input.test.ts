// Requests that no browser sends: a decision is made for each, and nothing breaks.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { PAGE, site } from "./site.ts";

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin({ "*": PAGE });
  worker = await startWorker({ origin: origin.url, manifest: site() });
});
after(async () => {
  await Promise.all([worker.dispose(), origin.close()]);
});

const decided = async (url: string, init: Parameters<TestWorker["fetch"]>[1]) => {
  const reply = await worker.fetch(url, init);
  assert.equal(reply.status, 200);
  assert.ok(reply.state, "a decision was made");
  return reply;
};

const context = async (init: Parameters<TestWorker["fetch"]>[1]) => (await worker.fetch("/_idoine/context", init)).json().context;

test("without cf nothing is known of the place, and a decision is made", async () => {
  await decided("/", {});
  const known = await context({});
  for (const path of ["geo.country", "geo.timezone", "geo.is_eu", "network.asn", "time.hour"]) {
    assert.equal(known[path], undefined, path);
  }
});

test("cf with anything in it", async () => {
  for (const cf of [
    {},
    { country: null, latitude: null, asn: null, timezone: null },
    { country: 7, city: true, asn: "many", latitude: {}, longitude: [], timezone: 3 },
    { country: "", city: "", timezone: "" },
    { latitude: "91", longitude: "-181" },
    { latitude: "NaN", longitude: "Infinity" },
    { latitude: "1e309", longitude: "0x10" },
    { latitude: "north", longitude: "48,85" },
    { asn: -1 },
    { asn: 1e20 },
    { asn: 3215.5 },
    { timezone: "Europe/Atlantis" },
    { timezone: "+01:00" },
    { timezone: "x".repeat(10_000) },
    { timezone: "../../etc/passwd" },
    { country: "x".repeat(10_000), city: "\ud800 \0 \u202e" },
    { botManagement: { score: 1 }, tlsClientAuth: { certPresented: "0" } },
    Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`field${at}`, at])),
  ]) {
    await decided("/", { cf });
  }
  assert.equal((await context({ cf: { latitude: "91", longitude: "4.8" } }))["geo.latitude"], undefined);
  assert.equal((await context({ cf: { latitude: "91", longitude: "4.8" } }))["geo.longitude"], 4.8);
  assert.equal((await context({ cf: { timezone: "Europe/Atlantis" } }))["time.hour"], undefined);
  assert.equal((await context({ cf: { country: "T1" } }))["geo.country"], "T1");
  assert.equal((await context({ cf: { asn: 3215.5 } }))["network.asn"], undefined);
});

test("headers that are not UTF-8, empty, endless or repeated", async () => {
  for (const value of ["\xff\xfe", "\xc3", "\xe9t\xe9", "", "x".repeat(10_000), "\t", ",,,;;;q=", "\u00a0", "a,".repeat(3000), "*", "fr;q=nan", "fr;q=1e99", "%00%ff"]) {
    for (const name of ["user-agent", "accept-language", "referer", "cookie", "sec-ch-ua", "sec-ch-ua-platform", "sec-ch-ua-mobile", "sec-gpc", "save-data", "x-anything", "sec-fetch-site", "origin"]) {
      await decided("/", { headers: { [name]: value } });
    }
  }
  await decided("/", { headers: [["accept-language", "fr"], ["accept-language", "en"], ["cookie", "a=1"], ["cookie", "idoine_consent=v1.personalization"], ["user-agent", "\xff"], ["user-agent", "x"]] });
  // What can be read beside it is read.
  assert.match((await decided("/", { headers: { "user-agent": "\xff\xfe", "accept-language": "fr" } })).text, /Été/);
});

test("URLs with anything in them", async () => {
  for (const query of ["", "?", "??", "?&&&", "?=", "?utm_campaign", "?utm_campaign=%", "?utm_campaign=%FF%FE", "?utm_campaign=%00", "?utm_source=%F0%9F%98%80", `?${"a=1&".repeat(3000)}`, `?utm_campaign=${"x".repeat(12_000)}`, "?utm_campaign=spring&utm_campaign=other", "?__proto__=1&constructor=2"]) {
    await decided(`/${query}`, {});
  }
  for (const path of ["/%00", "/%ff%fe", "/..%2f..", "/a//b", "/\u{1f600}", "/*", "/_idoine/decide?url=javascript:alert(1)", "/_idoine/decide?url=data:text/html,x", "/_idoine/decide?url=https://[::1", "/_idoine/context?url=https://%00/"]) {
    const reply = await worker.fetch(path);
    assert.ok([200, 400].includes(reply.status), `${path}: ${reply.status}`);
  }
});

/** A request exactly as it is written. */
const raw = (text: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(Number(worker.address.port), worker.address.hostname, () => socket.write(text, "latin1"));
    let answer = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => (answer += chunk));
    socket.on("end", () => resolve(answer));
    socket.on("error", reject);
    socket.setTimeout(10_000, () => socket.destroy(new Error("no answer")));
  });

test("a request without any header but its host", async () => {
  const answer = await raw("GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 200 /);
  assert.match(answer, /idoine-state/);
});

test("hosts and schemes that are odd", async () => {
  for (const host of ["SHOP.EXAMPLE", "shop.example.", "[::1]", "xn--caf-dma.example", "1.2.3.4"]) {
    const answer = await raw(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 200 /, host);
  }
});

test("after all of that the Worker has not been restarted", async () => {
  assert.ok(!worker.logs.some((line) => line.includes("the Wasm instance is replaced")), worker.logs.join("\n"));
});
