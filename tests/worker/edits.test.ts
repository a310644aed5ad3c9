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

test("where slots meet in one element that is replaced, removed or surrounded, each does what it does alone", async () => {
  const selectors = ["h1", "header h1", "header > h1", "header :not(p)"];
  const cases: [contents: object[], expected: string][] = [
    // The last one wins where both are about the same.
    [[{ replace: "<b>A</b>" }, { replace: "<b>B</b>" }], "<b>B</b>"],
    [[{ replace: "<b>A</b>" }, { remove: true }], ""],
    [[{ remove: true }, { replace: "<b>B</b>" }], "<b>B</b>"],
    [[{ remove: true }, { remove: true }], ""],
    // What is added comes around what replaces the content, and each adds its own.
    [[{ first: "F", last: "L" }, { text: "T" }], "<h1>FTL</h1>"],
    [[{ text: "T" }, { first: "F" }, { html: "<b>H</b>" }, { last: "L" }], "<h1>F<b>H</b>L</h1>"],
    [[{ before: "1", after: "1", first: "1", last: "1" }, { before: "2", after: "2", first: "2", last: "2" }], "12<h1>21x12</h1>21"],
  ];
  for (const gone of [{ replace: "R" }, { remove: true }]) {
    const there = gone.replace ?? "";
    // Nothing is left in an element that has gone, whoever comes first; what is beside it stays.
    for (const inside of [{ text: "T" }, { html: "<b>H</b>" }, { first: "F", last: "L" }, { attribute: { title: "t" }, class: { add: ["c"] }, hide: true }]) {
      cases.push([[gone, inside], there], [[inside, gone], there]);
    }
    cases.push([[{ before: "B", after: "A" }, gone], `B${there}A`], [[gone, { before: "B", after: "A" }, { text: "T" }], `B${there}A`]);
  }
  const slots = cases.flatMap(([contents], page) => contents.map((content, at) => [`c${page}s${at}`, selectors[at]!, content, `/meet/${page}`] as const));
  const worker = await startWorker({
    origin: origin.url,
    manifest: site({
      audiences: {},
      slots: Object.fromEntries(slots.map(([name, selector, , page]) => [name, { selector, pages: [page] }])),
      experiences: [{ id: "all", type: "personalization", slots: Object.fromEntries(slots.map(([name, , content]) => [name, content])) }],
    }),
  });
  try {
    for (const [page, [contents, expected]] of cases.entries()) {
      origin.routes[`/meet/${page}`] = "<head></head><header><h1>x</h1></header>";
      const { text } = await worker.fetch(`/meet/${page}`);
      assert.equal(/<header>(.*)<\/header>/s.exec(text)?.[1]?.replaceAll("<!--idoine-->", ""), expected, JSON.stringify(contents));
    }
  } finally {
    await worker.dispose();
  }
});

test("edits within what is replaced or removed are not to be seen, and do not end it", async () => {
  origin.routes["/"] = "<head></head><body><div id=a><p>x<b>y</b></p></div><p>z</p></body>";
  const get = async (content: object) => {
    let text = "";
    await using({ a: ["#a", content], p: ["p", { text: "P", before: "B" }], b: ["b", { remove: true }] }, async (worker) => void (text = (await worker.fetch("/")).text));
    return /<script async[^>]*><\/script><\/head><body>(.*)<\/body>/s.exec(text)?.[1];
  };
  assert.equal(await get({ remove: true }), "B<!--idoine--><p>P</p>");
  assert.equal(await get({ replace: "<p>R</p>" }), "<p>R</p>B<!--idoine--><p>P</p>");
});

test("an element without an end tag does not take its parent's end with it", () =>
  using({ a: [".a", { replace: "<b>R</b>" }], b: [".b", { remove: true }] }, async (worker) => {
    const get = async (page: string) => {
      origin.routes["/"] = `<head></head><body>${page}</body>`;
      return /<\/head><body>(.*)<\/body>/s.exec((await worker.fetch("/")).text)?.[1];
    };
    assert.equal(await get('<ul><li class="a">x</ul><p>y</p>'), "<ul><b>R</b></ul><p>y</p>");
    assert.equal(await get('<div><p class="b">x</div>y'), "<div></div>y");
    assert.equal(await get('<img class="a"><br class="b"/>y'), "<b>R</b>y");
    assert.equal(await get('<svg><path class="a"/><g class="b"/><g class="b">z</g>y</svg>'), "<svg><b>R</b>y</svg>");
    assert.equal(await get('<DIV CLASS="a">x</DIV>y'), "<b>R</b>y");
  }));

test("elements take nothing that they can't hold, and what holds a page together stays", () =>
  using({ a: [".in", { first: "<i>{{ source.term }}</i>", last: "L" }], b: [".out", { before: "B", after: "A" }], c: [".gone", { remove: true }], d: [".other", { replace: "R" }] }, async (worker) => {
    const get = async (page: string) => {
      origin.routes["/"] = page;
      const { text } = await worker.fetch("/?utm_term=</script>x");
      return text.replace(/<script type="application\/json".*?<\/script><script async[^>]*><\/script>/s, "");
    };
    for (const name of RAW) {
      const page = `<head></head><body><${name} class="in">0</${name}>`;
      assert.equal(await get(page), page);
      await logged(worker, `an edit was left out: Error: first can't be the content of <${name}>`);
    }
    for (const name of ["textarea", "title"]) {
      const page = `<head></head><body><${name} class="in">0</${name}>`;
      assert.equal(await get(page), page);
    }
    for (const name of ["img", "br", "input"]) {
      const page = `<head></head><body><${name} class="in">0`;
      assert.equal(await get(page), page);
    }
    for (const page of ['<html class="out in"><head class="out"></head><body class="out">x</body></html>', '<html class="gone"><head class="gone"></head><body class="gone">x</body></html>', '<html class="other"><head class="other"></head><body class="other">x</body></html>']) {
      assert.equal(await get(page), page);
    }
    assert.equal(await get('<head class="in"></head><body class="in">x</body>'), '<head class="in"><!--idoine--><i>&lt;/script&gt;x</i>L<!--idoine--></head><body class="in"><!--idoine--><i>&lt;/script&gt;x</i>xL<!--idoine--></body>');
  }));

test("what is brought into a page in another character set is written in references", () =>
  using({ a: ["h1", { before: "<i title=\"é\">é</i>", last: "☃" }], b: ["p", { replace: "ü" }] }, async (worker) => {
    origin.routes["/"] = (request, response) => response.writeHead(200, { "content-type": "text/html" }).end(Buffer.from('<head><meta charset="iso-8859-1"></head><h1>\xe9</h1><p>x</p>', "latin1"));
    const text = (await worker.fetch("/")).bytes.toString("latin1");
    assert.match(text, /<\/head><i title="&#233;">&#233;<\/i><!--idoine--><h1>\xe9&#9731;<!--idoine--><\/h1>&#252;$/);
  }));

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
