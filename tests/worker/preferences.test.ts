// The preference centre as a page of the Worker's own: its headers, its language, and that it is nothing but itself.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startOrigin, startWorker, type TestOrigin, type TestWorker } from "./harness.ts";

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin();
  worker = await startWorker({ origin: origin.url });
});
after(() => Promise.all([worker.dispose(), origin.close()]));

const PAGE = "/_idoine/preferences";

test("the page is kept by nobody, found by no search engine, framed by nobody, and runs its own script alone", async () => {
  const reply = await worker.fetch(PAGE, { headers: { cookie: "idoine_consent=v1.personalization; idoine_id=marker-12345678" } });
  assert.equal(reply.status, 200);
  assert.equal(reply.header("content-type"), "text/html; charset=utf-8");
  assert.equal(reply.header("cache-control"), "no-store");
  assert.equal(reply.header("x-robots-tag"), "noindex");
  assert.equal(reply.header("referrer-policy"), "no-referrer");
  assert.equal(reply.header("set-cookie"), null);
  const policy = reply.header("content-security-policy") ?? "";
  for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]) assert.ok(policy.includes(part), part);
  assert.ok(!/unsafe|nonce|sha256/.test(policy));
  assert.ok(!/<script(?! type="module" src="\/_idoine\/preferences\.js"><\/script>)|<style|\son\w+=|style=/.test(reply.text), "nothing inline");
  assert.ok(!reply.text.includes("marker"));
  assert.equal(origin.received.length, 0, "the origin is not asked");
});

test("it is in the language of the two that the browser likes best", async () => {
  for (const [header, language] of [
    ["fr-CA,fr;q=0.9,en;q=0.8", "fr"],
    ["en-GB,fr;q=0.9", "en"],
    ["fr;q=0.3,en;q=0.7", "en"],
    ["de,fr;q=0.5,en;q=0.5", "fr"],
    ["de-DE", "en"],
    ["fr;q=0", "en"],
    ["FR", "fr"],
    ["constructor", "en"],
    ["", "en"],
  ]) {
    const { text } = await worker.fetch(PAGE, { headers: { "accept-language": header! } });
    assert.equal(/<html lang="(\w+)">/.exec(text)?.[1], language, header);
    assert.ok(text.includes(language === "fr" ? "Vos données et vos choix" : "Your data and choices"));
  }
});

test("it is asked for, and nothing else", async () => {
  const head = await worker.fetch(PAGE, { method: "HEAD" });
  assert.deepEqual([head.status, head.text], [200, ""]);
  const post = await worker.fetch(PAGE, { method: "POST", body: "{}" });
  assert.deepEqual([post.status, post.header("allow")], [405, "GET, HEAD"]);
});
