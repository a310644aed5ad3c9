// Edits that must not be carried out, or not in another order; and bytes that must not be added.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { site } from "./site.ts";

let origin: TestOrigin;

before(async () => {
  origin = await startOrigin();
});
after(() => origin.close());

/** A Worker that puts contents into slots, which have selectors. */
async function using(slots: Record<string, [string, object]>, run: (worker: TestWorker) => Promise<void>) {
  const entries = Object.entries(slots);
  const worker = await startWorker({
    origin: origin.url,
    manifest: site({
      audiences: {},
      slots: Object.fromEntries(entries.map(([name, [selector]]) => [name, { selector, pages: ["/"] }])),
      experiences: [{ id: "all", type: "personalization", slots: Object.fromEntries(entries.map(([name, [, content]]) => [name, content])) }],
    }),
  });
  try {
    await run(worker);
  } finally {
    await worker.dispose();
  }
}

/** What is logged arrives on a way of its own. */
async function logged(worker: TestWorker, words: string) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (worker.logs.some((line) => line.includes(words))) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`not logged: ${words}`);
}

const RAW = ["script", "style", "iframe", "noembed", "noframes", "noscript", "xmp", "plaintext"];

test("a visitor's words never become the content of a script or of anything else that is raw", () =>
  using({ a: [".text", { text: "{{ source.term }}" }], b: [".html", { html: "<b>{{ source.term }}</b>" }] }, async (worker) => {
    const term = "alert(1)//</script><script>alert(2)";
    const get = async (page: string, type = "text/html") => {
      origin.routes["/"] = (request, response) => response.writeHead(200, { "content-type": type }).end(`<html><head></head><body>${page}</body></html>`);
      const { text } = await worker.fetch(`/?utm_term=${encodeURIComponent(term)}`);
      assert.match(text, /idoine-state/);
      return /<\/head><body>(.*)<\/body>/s.exec(text)?.[1];
    };
    const escaped = "alert(1)//&lt;/script&gt;&lt;script&gt;alert(2)";
    for (const name of RAW) {
      for (const kind of ["text", "html"]) {
        const page = `<p class="text">x</p><${name} class="${kind}">0</${name}>`;
        assert.equal(await get(page), page.replace(">x<", () => `>${escaped}<`), page);
        await logged(worker, `an edit was left out: Error: ${kind} can't be the content of <${name}>`);
      }
    }
    for (const name of ["textarea", "title"]) {
      assert.equal(await get(`<${name} class="text">0</${name}>`), `<${name} class="text">${escaped}</${name}>`);
      assert.equal(await get(`<${name} class="html">0</${name}>`), `<${name} class="html">0</${name}>`);
    }
    assert.equal(await get('<SCRIPT class="text">0</SCRIPT>'), '<SCRIPT class="text">0</SCRIPT>');
    assert.equal(await get('<svg><style class="text">0</style></svg>'), '<svg><style class="text">0</style></svg>');
    assert.equal(await get('<h:script class="text">0</h:script>', "application/xhtml+xml"), '<h:script class="text">0</h:script>');
    assert.equal(await get('<div class="html">0</div>'), `<div class="html"><b>${escaped}</b></div>`);
  }));

test("where slots meet in one element the last one wins, whatever their selectors", async () => {
  const get = async (slots: Record<string, [string, object]>) => {
    let text = "";
    await using(slots, async (worker) => void (text = (await worker.fetch("/")).text));
    return /<header>.*<\/header>/s.exec(text)?.[0];
  };
  origin.routes["/"] = "<head></head><header><h1>x</h1></header>";
  assert.equal(await get({ a: ["h1", { text: "A" }], b: ["header h1", { text: "B" }], c: ["header > h1", { text: "C" }] }), "<header><h1>C</h1></header>");
  assert.equal(await get({ a: ["h1", { text: "A" }], b: ["header h1", { html: "<b>B</b>" }] }), "<header><h1><b>B</b></h1></header>");
  assert.equal(
    await get({ a: ["h1", { attribute: { title: "A" }, class: { add: ["one"] } }], b: ["header h1", { attribute: { title: "B" }, class: { remove: ["one"], add: ["two"] } }], c: ["header > h1", { attribute: { title: "C" } }] }),
    '<header><h1 title="C" class="two">x</h1></header>',
  );
});

test("UTF-16 that says so by its first bytes passes untouched, with its headers", () =>
  using({ a: ["h1", { text: "A" }] }, async (worker) => {
    const little = Buffer.from("\ufeff<html><head></head><h1>é</h1>", "utf16le");
    for (const page of [little, Buffer.from(little).swap16(), Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])]) {
      for (const length of [{ "content-length": page.length }, {}]) {
        origin.routes["/"] = (request, response) => {
          response.writeHead(200, { "content-type": "text/html", etag: '"e"', "cache-control": "max-age=9", ...length });
          response.write(page.subarray(0, 2), () => response.end(page.subarray(2)));
        };
        const reply = await worker.fetch("/");
        assert.ok(reply.bytes.equals(page));
        assert.equal(reply.header("etag"), '"e"');
        assert.equal(reply.header("cache-control"), "max-age=9");
        assert.equal(reply.header("content-length"), "content-length" in length ? String(page.length) : null);
      }
    }
    for (const start of ["\ufeff", "", "\xff"]) {
      origin.routes["/"] = `${start}<h1>x</h1>`;
      assert.match((await worker.fetch("/")).text, /^(\ufeff|\xff)?<h1>A<\/h1><script/);
    }
  }));

test("a part of a page that a script fetches gets its edits and no state", () =>
  using({ a: ["h1", { text: "A" }] }, async (worker) => {
    const get = async (page: string, destination: string) => {
      origin.routes["/"] = page;
      return (await worker.fetch("/", { headers: { "sec-fetch-dest": destination } })).text;
    };
    for (const page of ["<h1>x</h1>", "<h1>x</h1><select><style></style></select>", "<tr><td><h1>x</h1>", ""]) {
      assert.equal(await get(page, "empty"), page.replace("x", "A"));
      assert.match(await get(page, "document"), /idoine-state/);
    }
    for (const page of ["<head></head><h1>x</h1>", "<body><h1>x</h1>"]) {
      assert.match(await get(page, "empty"), /idoine-state/);
    }
  }));
