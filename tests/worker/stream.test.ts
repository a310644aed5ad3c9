// The rest of a page, behind the place where the rewriter must end: it arrives byte by byte as the origin sent it, whatever the page is in
// the middle of, and nothing of what leads there is seen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { LONGEST_TAG } from "../../worker/js/guard.js";
import { startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { site } from "./site.ts";

let origin: TestOrigin;
let worker: TestWorker;

/** Slots where what leads to the rest could be taken for markup of the page. */
const selectors = { title: "h1", all: "body *", keygen: "keygen", listing: "listing", plain: "plaintext", template: "template" };

before(async () => {
  origin = await startOrigin();
  const slots = Object.fromEntries(Object.entries(selectors).map(([name, selector]) => [name, { selector, pages: ["/two"] }]));
  const marked = Object.fromEntries(Object.keys(selectors).filter((name) => name !== "title").map((name) => [name, { class: { add: [name] } }]));
  worker = await startWorker({
    origin: origin.url,
    // With `x-says` the origin is a Worker that says this of its page's length.
    around: `
      const says = request.headers.get("x-says");
      if (says === null) return worker.fetch(request, env, ctx);
      const page = "<html><head></head><body>" + "<p>text</p>".repeat(100) + "<h1>x</h1></body></html>";
      const { readable, writable } = new IdentityTransformStream();
      const writer = writable.getWriter();
      const bytes = new TextEncoder().encode(page);
      const write = async () => {
        for (const part of [bytes.slice(0, says), bytes.slice(says)]) if (part.length > 0) await writer.write(part);
        await writer.close();
      };
      ctx.waitUntil(write());
      const fetch = async () => new Response(readable, { headers: { "content-type": "text/html", "content-length": says } });
      return worker.fetch(request, { ...env, ORIGIN: "binding:SHOP", SHOP: { fetch } }, ctx);`,
    manifest: site({ slots, audiences: {}, experiences: [{ id: "all", type: "personalization", slots: { title: { text: "personal" }, ...marked } }] }),
  });
});
after(async () => {
  await worker.dispose();
  await origin.close();
});

const START = "<html><head><title>Shop</title></head><body><h1>x</h1>";
const END = "</select></template><h1>y</h1><keygen><p>\0\xff</body></html>";
const long = (tag: string) => `<${tag} ${"a".repeat(LONGEST_TAG)}>`;

/** The page as it comes when it is cut at these places. */
async function sent(page: string, ...cuts: number[]): Promise<string> {
  const bytes = Buffer.from(page, "latin1");
  origin.routes["/two"] = async (request, response) => {
    response.writeHead(200, { "content-type": "text/html", ...(cuts.length === 0 ? { "content-length": bytes.length } : {}) });
    for (const [at, from] of [0, ...cuts].entries()) {
      await new Promise((resolve) => response.write(bytes.subarray(from, cuts[at] ?? bytes.length), resolve));
    }
    response.end();
  };
  return (await worker.fetch("/two")).bytes.toString("latin1");
}

/** What is before the place where the rewriter ends, and the tag that it ends before. */
const STOPS: [string, string][] = [
  ["<select>", "<style>"],
  ["<select><template><template>", "<title>"],
  ["<select><template></template><template><b>", "<xmp>"],
  ["<select><template><template></template>", long("i")],
  ["", "<frameset>"],
  ["", "<frameset><noframes></noframes><style>"],
  ["<svg><desc>", long("select")],
  ["<svg>", long("i")],
  ["<svg><select>", "<title>"],
  ["<math><mi><select><template>", "<script>"],
  ["<select>", long("/select")],
  ["<select><template>", long("/template")],
  ["<select>", long("template")],
  ["", long("frameset")],
  ["", long("/h1")],
  ["<p>".repeat(5100), ""],
];

test("behind any place where the rewriter ends the page is as the origin sent it, and before it as always", async () => {
  for (const [head, tag] of STOPS) {
    const name = (head + tag).slice(0, 80);
    const usual = (await sent(START + head)).replace(/<script type="application\/json".*$/s, "");
    const rest = tag + END;
    const page = START + head + rest;
    for (const cuts of [[], [START.length - 3], [START.length + head.length], [START.length + head.length + 2, page.length - 5]]) {
      const text = await sent(page, ...cuts);
      const inHead = /<script type="application\/json" id="idoine-state">.*?<\/script><script async[^>]*><\/script>(?=<\/head>)/s;
      assert.match(text, inHead, name);
      const plain = text.replace(inHead, "");
      assert.ok(plain.startsWith(usual.replace(inHead, "").slice(0, START.length)), name);
      assert.ok(plain.endsWith(rest), `${name} cut at ${cuts}: ${JSON.stringify(plain.slice(-200))}`);
      assert.doesNotMatch(plain, /idoine-rest/, name);
      // Every byte of the origin's page is there once.
      assert.equal(plain.replace(/ class="[a-z ]*"/g, "").replace("<h1>personal<", "<h1>x<"), page, name);
    }
  }
});

test("an end tag of a megabyte in a script is there too, behind one that a browser skips", async () => {
  for (const script of ["<script>1", "<script><!--<script>1</script>", "<textarea>a"]) {
    const name = /<(\w+)/.exec(script)![1]!;
    const rest = `</${name} ${"a".repeat(LONGEST_TAG)}>${END}`;
    const text = await sent(START + script + rest);
    assert.ok(text.endsWith(rest), script);
    assert.doesNotMatch(text, /idoine-rest/);
    assert.match(text.slice(0, 5000), /idoine-state.*<h1[^>]*>personal<\/h1>/s);
  }
});

test("a page with the Worker's own mark in it is edited to its end", async () => {
  for (const mark of ["<listing idoine-rest>a</listing>", "<select><template></template></select>"]) {
    assert.ok((await sent(`${START}${mark}<h1>y</h1></body></html>`)).endsWith('>personal</h1></body></html>'), mark);
  }
});

test("a page is whole whatever the origin says of its length", async () => {
  const page = `${START}${"<p>text</p>".repeat(9000)}<h1>y</h1></body></html>`;
  for (const cuts of [[], [1], [70_000], [10, 65_536, 65_537]]) {
    const text = await sent(page, ...cuts);
    assert.match(text, /personal<\/h1><\/body><\/html>$/);
    assert.equal(text.match(/>text<\/p>/g)?.length, 9000);
  }
  assert.match(await sent("<"), /^</);
});

test("nor is it less where a Worker is the origin, and says anything", async () => {
  const length = "<html><head></head><body><h1>x</h1></body></html>".length + 100 * "<p>text</p>".length;
  for (const says of [0, 1, 10, length - 1, length, length + 1, 1_000_000]) {
    const { status, text } = await worker.fetch("/two", { headers: { "x-says": String(says) } });
    assert.equal(status, 200);
    assert.match(text, /idoine-state.*personal<\/h1><\/body><\/html>$/s, String(says));
    assert.equal(text.match(/>text<\/p>/g)?.length, 100, String(says));
  }
});
