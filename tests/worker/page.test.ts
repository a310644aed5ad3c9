// What a visitor gets: the page of the origin, edited before its first byte leaves.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { brotliCompressSync, deflateRawSync, gzipSync } from "node:zlib";
import { startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { IPHONE, PAGE, site } from "./site.ts";

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin({ "/": PAGE, "/two": "<h1>Two</h1>", "/none": PAGE });
  worker = await startWorker({ origin: origin.url, manifest: site() });
});
after(async () => {
  await worker.dispose();
  await origin.close();
});

const heading = (html: string) => /<h1[^>]*>(.*?)<\/h1>/s.exec(html)?.[1];

test("campaign, user agent, language and country change the page's first byte", async () => {
  assert.equal(heading((await worker.fetch("/")).text), "Welcome");
  assert.equal(heading((await worker.fetch("/?utm_campaign=spring")).text), "Spring &amp; more");
  assert.equal(heading((await worker.fetch("/", { headers: { "user-agent": IPHONE } })).text), "On your phone");
  const french = await worker.fetch("/", { headers: { "accept-language": "fr-CA,fr;q=0.9,en;q=0.5" } });
  assert.equal(heading(french.text), "Été à la plage");
  assert.match(french.text, /<p class="lead">Bienvenue <b>chez nous<\/b><\/p>/);
  assert.equal(heading((await worker.fetch("/", { cf: { country: "CA" } })).text), "Hello, Canada");
});

test("local time comes from the visitor's time zone", async () => {
  const preview = await startWorker({ origin: origin.url, manifest: site(), preview: true });
  try {
    const at = async (now: string, timezone?: string) =>
      /<p id="place">(.*?)<\/p>/.exec((await preview.fetch(`http://localhost:8787/?idoine.now=${now}`, { cf: { city: "Lyon", ...(timezone && { timezone }) } })).text)?.[1];
    assert.equal(await at("2026-11-20T13:30:00Z", "Europe/Paris"), "Good afternoon, Lyon");
    assert.equal(await at("2026-07-20T12:30:00Z", "Europe/Paris"), "Good afternoon, Lyon");
    assert.equal(await at("2026-07-20T13:30:00Z", "Europe/Paris"), "-");
    assert.equal(await at("2026-07-20T08:44:00Z", "Asia/Kathmandu"), "Good afternoon, Lyon");
    assert.equal(await at("2026-11-20T13:30:00Z", "Nowhere/Land"), "-");
    assert.equal(await at("2026-11-20T13:30:00Z"), "-");
  } finally {
    await preview.dispose();
  }
});

test("browsers are asked for the client hints that some experience reads, and those decide", async () => {
  const manifest = {
    site: { id: "hints" },
    audiences: { dark_mac: "version(device.os_version) >= version('15') && device.color_scheme == 'dark'" },
    slots: { title: { selector: "h1", pages: ["/"] } },
    experiences: [{ id: "dark", type: "personalization", audience: "dark_mac", slots: { title: { text: "Dark" } } }],
  };
  const hinted = await startWorker({ origin: origin.url, manifest });
  try {
    const first = await hinted.fetch("/");
    assert.equal(first.header("accept-ch"), "Sec-CH-UA-Platform-Version, Sec-CH-Prefers-Color-Scheme");
    assert.equal(heading(first.text), "Welcome");
    const headers = { "sec-ch-ua-platform": '"macOS"', "sec-ch-ua-platform-version": '"15.1.0"', "sec-ch-prefers-color-scheme": "dark" };
    assert.equal(heading((await hinted.fetch("/", { headers })).text), "Dark");
    assert.equal((await hinted.fetch("/none")).header("accept-ch"), null);
  } finally {
    await hinted.dispose();
  }
});

test("every operation has its effect", async () => {
  const { text, state } = await worker.fetch("/?utm_campaign=ops", { cf: { city: 'A"<b>&' } });
  assert.equal(heading(text), '1 &lt; 2 &amp; "3" é');
  assert.match(text, /<p class="lead" title="a &quot;b&quot; &amp; c" data-x="A&quot;<b>&amp;"><em>lead<\/em> for A&quot;&lt;b&gt;&amp;<\/p>/);
  assert.match(text, /<img src="\/new.png\?a=1&amp;b=2" alt="New" width="4">/);
  assert.match(text, /<div class="card old wide">A<\/div><div class="card wide old">B<\/div>/);
  assert.match(text, /<div id="banner" style="color: red;display:none!important" hidden="">Sale<\/div>/);
  assert.deepEqual(state?.values, { shipping: { from: 50, text: 'for A"<b>&' } });
});

test("every operation that brings elements or takes them away has its effect", async () => {
  const manifest = site({
    slots: {
      around: { selector: "#around", pages: ["/ops"] },
      replaced: { selector: ".replaced", pages: ["/ops"] },
      removed: { selector: "#removed", pages: ["/ops"] },
      picture: { selector: "img", pages: ["/ops"] },
      head: { selector: "head", pages: ["/ops"] },
      marked: { pages: ["/ops"] },
    },
    experiences: [
      {
        id: "ops",
        type: "personalization",
        slots: {
          around: { before: "<i>1 {{ geo.city }}</i>", first: "<i>2</i>", last: "<a href=\"/?c={{ geo.city }}\">4 é</a>", after: "<i>5</i>", class: { add: ["a"] } },
          replaced: { replace: "<h2 class=\"replaced\">{{ geo.city }}</h2>&amp;" },
          removed: { remove: true },
          picture: { before: "<b>", after: "</b>" },
          head: { last: "<meta name=\"x\">" },
          marked: { text: "found" },
        },
      },
    ],
  });
  origin.routes["/ops"] =
    '<html><head></head><body><p id="around">3<br></p><div class="replaced">old <em>x</em></div><div class="replaced"></div><div id="removed"><p>gone</p></div><img src="/a"><u data-idoine-slot="marked">x</u></body></html>';
  const ops = await startWorker({ origin: origin.url, manifest });
  try {
    const { text } = await ops.fetch("/ops", { cf: { city: "A\"<b>'&" } });
    assert.match(text, /<head><meta name="x"><!--idoine--><script type="application\/json"/);
    const city = "A&quot;&lt;b&gt;&#39;&amp;";
    const replaced = `<h2 class="replaced">${city}</h2>&amp;`;
    assert.equal(
      /<body>(.*)<\/body>/s.exec(text)?.[1],
      `<i>1 ${city}</i><!--idoine--><p id="around" class="a"><!--idoine--><i>2</i>3<br><a href="/?c=A%22%3Cb%3E%27%26">4 é</a><!--idoine--></p><!--idoine--><i>5</i>` +
        `${replaced}${replaced}<b><!--idoine--><img src="/a"><!--idoine--></b><u data-idoine-slot="marked">found</u>`,
    );
  } finally {
    await ops.dispose();
  }
});

test("a slot that is handed to the page's own code is marked, and its edits stand in the state", async () => {
  const handed = await startWorker({
    origin: origin.url,
    manifest: site({
      slots: {
        own: { selector: ".own", render: "client", pages: ["/own"] },
        idle: { selector: "#idle", render: "client", pages: ["/own"] },
        marked: { render: "client", pages: ["/own"] },
        other: { selector: "#other", pages: ["/own"] },
        value: { type: "data", pages: ["/own"] },
      },
      experiences: [
        { id: "all", type: "personalization", slots: { own: { text: "</script>{{ geo.city }}", attribute: { title: "t" } }, marked: { fragment: { path: "/f", place: "last" } }, other: { text: "edge" }, value: { json: 1 } } },
        { id: "nobody", type: "personalization", audience: "geo.country == 'XX'", slots: { idle: { hide: true } } },
      ],
    }),
  });
  const body = '<p class="own">a</p><p class="own" data-idoine-slot="mine">b</p><p id="idle">c</p><p data-idoine-slot="marked">d</p>';
  origin.routes["/own"] = `<html><head></head><body>${body}<p id="other">e</p></body></html>`;
  try {
    const reply = await handed.fetch("/own", { cf: { city: "Lyon" } });
    const marked = body.replace('class="own">a', 'class="own" data-idoine-slot="own">a').replace('id="idle"', 'id="idle" data-idoine-slot="idle"');
    assert.equal(/<body>(.*)<\/body>/s.exec(reply.text)?.[1], `${marked}<p id="other">edge</p>`);
    const state = reply.state as unknown as { values: unknown; edits: unknown; decisions: { slot: string; experience: string | null }[] };
    assert.deepEqual(state.edits, [
      { slot: "own", selector: "", op: "text", value: "</script>Lyon" },
      { slot: "own", selector: "", op: "attribute", name: "title", value: "t" },
      { slot: "marked", selector: "", op: "fragment", name: "last", value: "/f" },
    ]);
    assert.deepEqual(state.values, { value: 1 });
    assert.deepEqual(state.decisions.map(({ slot, experience }) => [slot, experience]), [["own", "all"], ["idle", null], ["marked", "all"], ["other", "all"], ["value", "all"]]);
    // Where nothing was handed over the state says nothing of it.
    assert.deepEqual(Object.keys((await worker.fetch("/?utm_campaign=ops")).state ?? {}), ["version", "decisions", "values", "selectors", "until"]);
    // Where the slots are that were won: not of one that nobody won, nor of one without an element.
    assert.deepEqual((reply.state as unknown as { selectors: unknown }).selectors, { marked: '[data-idoine-slot="marked"]', other: "#other", own: ".own" });
  } finally {
    await handed.dispose();
  }
});

test("what only the document can do is left to the page's script, by the state, with its selector", async () => {
  const rearranged = await startWorker({
    origin: origin.url,
    manifest: site({
      slots: {
        tips: { selector: "aside.tips", pages: ["/order"] },
        list: { selector: "ul", pages: ["/order"] },
        own: { render: "client", pages: ["/order"] },
      },
      experiences: [
        {
          id: "all",
          type: "personalization",
          slots: {
            tips: { move: { before: "#reviews + p:last-child" }, class: { add: ["up"] }, text: "now" },
            list: { reorder: ["li:has(> b)", ".sale"] },
            own: { move: { last: "main" }, text: "own" },
          },
        },
      ],
    }),
  });
  const rest = '<ul><li>1</li><li class="sale">2</li><li><b>3</b></li></ul><div id="reviews"></div><p>last</p></main>';
  origin.routes["/order"] = `<html><head></head><body><main><aside class="tips">then</aside>${rest}</body></html>`;
  try {
    const reply = await rearranged.fetch("/order");
    // What else the content says is done here; nothing has moved.
    assert.equal(/<body>(.*)<\/body>/s.exec(reply.text)?.[1], `<main><aside class="tips up">now</aside>${rest}`);
    assert.deepEqual((reply.state as unknown as { edits: unknown }).edits, [
      { slot: "tips", selector: "aside.tips", op: "move", name: "before", value: "#reviews + p:last-child" },
      { slot: "list", selector: "ul", op: "reorder", value: '["li:has(> b)",".sale"]' },
      { slot: "own", selector: "", op: "text", value: "own" },
      { slot: "own", selector: "", op: "move", name: "last", value: "main" },
    ]);
  } finally {
    await rearranged.dispose();
  }
});

test("the loader's element says what is captured and when a slot counts as seen, where the manifest does", async () => {
  const slots = { all: { selector: "p", pages: ["/p"] } };
  const experiences = [{ id: "all", type: "personalization", slots: { all: { text: "x" } } }];
  origin.routes["/p"] = "<html><head></head><body><p></p></body></html>";
  for (const [says, attributes] of [
    [{}, ""],
    [{ capture: [], exposure: { visible: 0.5, after_ms: 1000 } }, ""],
    [{ capture: ["pages", "web_vitals"] }, ' data-capture="pages web_vitals"'],
    [{ exposure: { visible: 0.125 } }, ' data-exposure="0.125 1000"'],
    [{ consent: { ask: "platform", platforms: ["google"] }, capture: ["scroll"], exposure: { visible: 1, after_ms: 0 } }, ' data-platforms="google" data-capture="scroll" data-exposure="1 0"'],
  ] as const) {
    const told = await startWorker({ origin: origin.url, manifest: { ...site({ slots, experiences }), ...says } });
    try {
      assert.match((await told.fetch("/p")).text, new RegExp(`<script async src="/_idoine/idoine.js"${attributes}></script>`));
    } finally {
      await told.dispose();
    }
  }
});

test("the state stands once at the end of the head and leaves its element in no way", async () => {
  const { text, state } = await worker.fetch("/?utm_campaign=ops");
  assert.match(text, /<title>Shop<\/title><script type="application\/json" id="idoine-state">[^<]*<\/script><script async src="\/_idoine\/idoine.js"><\/script><\/head>/);
  assert.equal(text.split("idoine-state").length, 2);
  assert.doesNotMatch(text, /bar\.js/);
  assert.deepEqual(state?.values, { shipping: { from: 50, text: "for </script>" } });
  assert.match(state.version, /^[0-9a-f]{16}$/);
  assert.deepEqual(state.decisions.find((decision) => decision.slot === "title"), { slot: "title", experience: "ops", variant: 1, source: "personalization", reason: "match" });
  assert.deepEqual(state.decisions.find((decision) => decision.slot === "button"), { slot: "button", experience: "button-test", variant: 0, source: "baseline", reason: "no_unit" });
  assert.deepEqual(state.decisions.find((decision) => decision.slot === "place"), { slot: "place", experience: null, variant: 0, source: "baseline", reason: "no_candidate" });
});

test("a page without a head, without its end, without a body still gets its state once", async () => {
  for (const [page, expected] of [
    ["<h1>x</h1>", /^<h1>x<\/h1><script type="application\/json"/],
    ["<html><body><h1>x</h1></body></html>", /<body><script type="application\/json"/],
    ["<html><head><title>t</title><body><h1>x</h1>", /<body><script type="application\/json"/],
    ["<html><head><script>'</head>'</script></head><h1>x</h1>", /'<\/head>'<\/script><script type="application\/json"/],
    ["", /^<script type="application\/json"/],
    ["x", /^x<script type="application\/json"/],
  ] as const) {
    origin.routes["/two"] = page;
    const { text } = await worker.fetch("/two");
    assert.match(text, expected, page);
    assert.equal(text.split("idoine-state").length, 2, page);
  }
});

test("a page that no experience concerns goes out byte for byte, with its headers", async () => {
  const bytes = Buffer.concat([Buffer.from(PAGE), Buffer.from([0, 0xff, 0xfe, 0xc3])]);
  origin.routes["/none"] = (request, response) => {
    response.writeHead(200, "Fine", {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "public, max-age=600",
      etag: '"abc"',
      "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT",
      "content-length": bytes.length,
      "x-powered-by": "test",
      vary: "Accept-Encoding",
    });
    response.end(bytes);
  };
  const reply = await worker.fetch("/none", { headers: { "if-none-match": '"other"', cookie: "idoine_consent=v1.personalization; idoine_id=12345678-abcd" } });
  assert.ok(reply.bytes.equals(bytes));
  assert.equal(reply.header("cache-control"), "public, max-age=600");
  assert.equal(reply.header("etag"), '"abc"');
  assert.equal(reply.header("last-modified"), "Thu, 01 Jan 2026 00:00:00 GMT");
  assert.equal(reply.header("content-length"), String(bytes.length));
  assert.equal(reply.header("x-powered-by"), "test");
  assert.equal(reply.header("vary"), "Accept-Encoding");
  assert.equal(origin.received.at(-1)?.headers["if-none-match"], '"other"');
});

test("an edited page is nobody else's: no validators, no public caching, everything else kept", async () => {
  origin.routes["/two"] = (request, response) => {
    response.writeHead(200, [
      ["content-type", "text/html"],
      ["cache-control", "public, max-age=600"],
      ["cdn-cache-control", "max-age=600"],
      ["expires", "Thu, 01 Jan 2037 00:00:00 GMT"],
      ["etag", '"abc"'],
      ["last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"],
      ["age", "12"],
      ["content-md5", "x"],
      ["digest", "sha-256=x"],
      ["content-length", "12"],
      ["content-language", "en"],
      ["set-cookie", "a=1; Path=/"],
      ["set-cookie", "b=2; Path=/; HttpOnly"],
      ["set-cookie", "a=3, with a comma; Path=/x"],
      ["x-frame-options", "DENY"],
    ] as unknown as string[]);
    response.end("<h1>Two</h1>");
  };
  const reply = await worker.fetch("/two", { headers: { "if-none-match": '"abc"', "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT" } });
  assert.equal(reply.header("cache-control"), "private, no-store");
  for (const name of ["etag", "last-modified", "age", "content-md5", "digest", "content-length", "expires", "cdn-cache-control"]) {
    assert.equal(reply.header(name), null, name);
  }
  assert.equal(reply.header("content-language"), "en");
  assert.equal(reply.header("x-frame-options"), "DENY");
  assert.deepEqual(reply.cookies, ["a=1; Path=/", "b=2; Path=/; HttpOnly", "a=3, with a comma; Path=/x"]);
  assert.match(reply.text, /^<h1>Two<\/h1><script/);
  const received = origin.received.at(-1);
  assert.equal(received?.headers["if-none-match"], undefined);
  assert.equal(received?.headers["if-modified-since"], undefined);
});

test("the status is kept, and what is no whole page is left alone", async () => {
  const send = (status: number, headers: Record<string, string> = {}, body: string | undefined = "<h1>Two</h1>") => {
    origin.routes["/two"] = (request, response) => response.writeHead(status, { "content-type": "text/html", etag: '"e"', ...headers }).end(body);
    return worker.fetch("/two");
  };
  for (const status of [200, 201, 203, 404, 410]) {
    const reply = await send(status);
    assert.equal(reply.status, status);
    assert.ok(reply.state, String(status));
  }
  for (const status of [206, 300, 301, 302, 304, 307, 500, 503]) {
    const reply = await send(status, {}, status === 304 ? undefined : "<h1>Two</h1>");
    assert.equal(reply.status, status);
    assert.equal(reply.header("etag"), '"e"');
    assert.equal(reply.state, undefined, String(status));
  }
  const empty = await send(204, {}, undefined);
  assert.equal(empty.status, 204);
  for (const type of ["application/json", "text/plain", "text/html; charset=iso-2022-jp", "text/html;charset=utf-16le", "image/svg+xml"]) {
    const reply = await send(200, { "content-type": type });
    assert.equal(reply.text, "<h1>Two</h1>", type);
    assert.equal(reply.header("etag"), '"e"', type);
  }
  for (const type of ["TEXT/HTML", 'text/html; charset="UTF-8"', "text/html;x=y; Charset=utf8", "application/xhtml+xml"]) {
    assert.ok((await send(200, { "content-type": type })).state, type);
  }
});

test("HEAD, OPTIONS, POST and ranges are the origin's", async () => {
  origin.routes["/two"] = (request, response) => response.writeHead(200, { "content-type": "text/html", etag: '"e"', "x-method": request.method ?? "" }).end(request.method === "HEAD" ? undefined : "<h1>Two</h1>");
  for (const init of [{ method: "HEAD" }, { method: "OPTIONS" }, { method: "POST", body: "a=b" }, { method: "DELETE" }, { headers: { range: "bytes=0-3" } }, { headers: { "sec-fetch-dest": "image" } }]) {
    const reply = await worker.fetch("/two", init);
    assert.equal(reply.header("etag"), '"e"', JSON.stringify(init));
    assert.equal(reply.header("x-method"), init.method ?? "GET");
    assert.equal(reply.state, undefined);
  }
});

test("compressed origins: gzip and br are edited, other codings pass untouched", async () => {
  for (const [coding, compress] of [["gzip", gzipSync], ["br", brotliCompressSync]] as const) {
    origin.routes["/"] = (request, response) => response.writeHead(200, { "content-type": "text/html", "content-encoding": coding }).end(compress(PAGE));
    const reply = await worker.fetch("/?utm_campaign=spring", { headers: { "accept-encoding": "gzip, deflate, br, zstd" } });
    assert.equal(origin.received.at(-1)?.headers["accept-encoding"], "gzip, br");
    assert.equal(heading(reply.text), "Spring &amp; more", coding);
    const compressed = compress(PAGE);
    origin.routes["/none"] = (request, response) => response.writeHead(200, { "content-type": "text/html", "content-encoding": coding }).end(compressed);
    const untouched = await worker.fetch("/none", { headers: { "accept-encoding": "gzip, deflate, br, zstd" } });
    assert.equal(untouched.header("content-encoding"), coding);
    assert.ok(untouched.wire.equals(compressed), coding);
  }
  const odd = deflateRawSync(PAGE);
  origin.routes["/"] = (request, response) => response.writeHead(200, { "content-type": "text/html", "content-encoding": "zstd" }).end(odd);
  const reply = await worker.fetch("/?utm_campaign=spring");
  assert.equal(origin.received.at(-1)?.headers["accept-encoding"], "identity");
  assert.ok(reply.wire.equals(odd));
  assert.equal(reply.header("content-encoding"), "zstd");
  origin.routes["/"] = PAGE;
});

test("the nonce of the origin's policy is reused", async () => {
  const script = async (headers: Record<string, string>, head = "") => {
    origin.routes["/two"] = (request, response) => response.writeHead(200, { "content-type": "text/html", ...headers }).end(`<head>${head}</head><h1>Two</h1>`);
    const reply = await worker.fetch("/two");
    assert.equal(reply.header("content-security-policy"), headers["content-security-policy"] ?? null);
    return /<script async [^>]*>/.exec(reply.text)?.[0];
  };
  const plain = '<script async src="/_idoine/idoine.js">';
  const marked = '<script async src="/_idoine/idoine.js" nonce="r4nd0m+/=">';
  assert.equal(await script({ "content-security-policy": "default-src 'self'; script-src 'strict-dynamic' 'nonce-r4nd0m+/='" }), marked);
  assert.equal(await script({ "content-security-policy": "default-src 'nonce-r4nd0m+/='" }), marked);
  assert.equal(await script({ "content-security-policy": "default-src 'nonce-other'; script-src 'self'" }), plain);
  assert.equal(await script({ "content-security-policy": "script-src 'nonce-\"><script>'" }), plain);
  assert.equal(await script({}, `<meta http-equiv="Content-Security-Policy" content="script-src 'nonce-r4nd0m+/='">`), marked);
  assert.equal(await script({}), plain);
});

test("a page in another character set that says so itself loses nothing", async () => {
  const page = Buffer.from('<head><meta charset="iso-8859-1"><title>caf\xe9</title></head><h1 class="\xe9">caf\xe9</h1><p class="lead">\xe0</p>', "latin1");
  origin.routes["/"] = (request, response) => response.writeHead(200, { "content-type": "text/html" }).end(page);
  const { bytes } = await worker.fetch("/", { headers: { "accept-language": "fr" } });
  const text = bytes.toString("latin1");
  assert.match(text, /<title>caf\xe9<\/title>/);
  assert.match(text, /<h1 class="\xe9">&#201;t&#233; &#224; la plage<\/h1>/);
  origin.routes["/"] = PAGE;
});

test("XHTML stays well-formed", async () => {
  origin.routes["/two"] = (request, response) => response.writeHead(200, { "content-type": "application/xhtml+xml" }).end('<html xmlns="http://www.w3.org/1999/xhtml"><head></head><body><h1>x</h1></body></html>');
  const { text } = await worker.fetch("/two?utm_campaign=spring");
  assert.match(text, /<script async="async" src="\/_idoine\/idoine.js"><\/script><\/head>/);
  assert.doesNotMatch(text, /&(?!amp;)/);
});

test("a page streams: what the origin has sent is there before it has sent the rest", async () => {
  let finish = () => {};
  origin.routes["/two"] = (request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.write(`<head></head><h1>Two</h1>${"<p>filler</p>".repeat(2000)}`);
    finish = () => response.end("<p>end</p>");
  };
  const message = await worker.open("/two?utm_campaign=spring");
  let text = "";
  let finished = false;
  for await (const chunk of message) {
    text += chunk;
    if (!finished && text.includes("Spring")) {
      assert.doesNotMatch(text, /<p>end<\/p>/);
      finished = true;
      finish();
    }
  }
  assert.match(text, /<p>end<\/p>$/);
});

test("prefetched pages are personalised like others", async () => {
  origin.routes["/"] = PAGE;
  const { text } = await worker.fetch("/?utm_campaign=spring", { headers: { "sec-purpose": "prefetch", "sec-fetch-dest": "document" } });
  assert.equal(heading(text), "Spring &amp; more");
});
