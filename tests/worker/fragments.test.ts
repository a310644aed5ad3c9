// Fragments of the origin in a page: asked for beside it, put in as they arrive, and whatever becomes of them, the page goes on.

import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { startOrigin, startWorker } from "./harness.ts";
import type { Options, TestOrigin, TestWorker } from "./harness.ts";
import { site } from "./site.ts";

let origin: TestOrigin;
let worker: TestWorker;

const PLACES = ["content", "replace", "before", "after", "first", "last"] as const;
const everyone = (id: string, slots: object, audience?: string) => ({ id, type: "personalization", ...(audience && { audience }), slots });

before(async () => {
  origin = await startOrigin();
  worker = await startWorker({
    origin: origin.url,
    manifest: site({
      audiences: {},
      slots: {
        ...Object.fromEntries(PLACES.map((place) => [place, { selector: `.${place}`, pages: ["/places"] }])),
        one: { selector: "#one", pages: ["/"] },
        whole: { type: "page", pages: ["/"] },
        head: { selector: "h1", pages: ["/"] },
        twin: { selector: ".twin", pages: ["/twice"] },
        other: { selector: "#other", pages: ["/twice"] },
        self: { selector: "#self", pages: ["/self"] },
        queried: { selector: "#queried", pages: ["/queried"] },
        many: { selector: "i", pages: ["/many"] },
        ...Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`m${at}`, { selector: `#m${at}`, pages: ["/many"] }])),
      },
      experiences: [
        everyone("places", Object.fromEntries(PLACES.map((place) => [place, { fragment: { path: `/f/${place}`, place } }]))),
        everyone("leaves", { whole: { redirect: "/places" } }, "source.campaign == 'leave'"),
        everyone("one", { one: { fragment: "/f" }, head: { text: "Edited" }, twin: { fragment: "/f" }, other: { fragment: { path: "/f", place: "last" } } }),
        everyone("self", { self: { fragment: "/self" }, queried: { fragment: "/f?a=1&city={{ geo.city | \"none\" }}" } }),
        everyone("many", Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`m${at}`, { fragment: `/f/${at}` }]))),
      ],
    }),
  });
});
after(async () => {
  await worker.dispose();
  await origin.close();
});
beforeEach(() => {
  origin.received.length = 0;
  for (const path of Object.keys(origin.routes)) delete origin.routes[path];
  origin.routes["/"] = PAGE;
});

const START = "<html><head><title>t</title></head><body><h1>x</h1>";
const PAGE = `${START}<p>before</p><div id="one">baseline</div><p>behind</p></body></html>`;

/** What is in the body of a page, without the state. */
const bodyOf = (text: string) => /<body[^>]*>(.*)<\/body>/s.exec(text)?.[1];
const around = (inside: string) => `<h1>Edited</h1><p>before</p><div id="one">${inside}</div><p>behind</p>`;
const BASELINE = around("baseline");

/** What the Worker leaves beside what it brought around an element or its content. */
const BROUGHT = "<!--idoine-->";

const send = (body: string | Uint8Array, headers: Record<string, string> = {}, status = 200): RequestListener => (request, response) => void response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers }).end(body);

/** A promise, and what resolves it. */
function later<T>() {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}

async function logged(words: string, from: number) {
  for (let tries = 0; tries < 500; tries += 1) {
    if (worker.logs.slice(from).some((line) => line.includes(words))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`not logged: ${words}; but ${worker.logs.slice(from).join("\n")}`);
}

/** A fragment that begins and does not end; resolves when it is cut off. */
function endless(begins = true) {
  const asked = later<ServerResponse>();
  origin.routes["/f"] = (request, response) => {
    if (begins) response.writeHead(200, { "content-type": "text/html" }).write("<b>f</b>");
    asked.resolve(response);
  };
  return async () => {
    const response = await asked.promise;
    if (!response.closed) await once(response, "close", { signal: AbortSignal.timeout(10_000) });
  };
}

/** Reads a body until it has all of `words`; what it has then. */
function reading(message: IncomingMessage) {
  let text = "";
  const chunks = message[Symbol.asyncIterator]();
  return {
    async until(words: string) {
      while (!text.includes(words)) {
        const { done, value } = await chunks.next();
        if (done) assert.fail(`ended without ${words}: ${text}`);
        text += value;
      }
      return text;
    },
    async end() {
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) text += next.value;
      return text;
    },
  };
}

test("a fragment goes where its place says, the rest stays", async () => {
  for (const place of PLACES) origin.routes[`/f/${place}`] = `<b>${place} é</b>`;
  origin.routes["/places"] = `${START}${PLACES.map((place) => `<p class="${place}">x<i>y</i></p>`).join("")}</body>`;
  assert.equal(
    bodyOf((await worker.fetch("/places")).text),
    '<h1>x</h1><p class="content"><b>content é</b></p><b>replace é</b><b>before é</b><!--idoine--><p class="before">x<i>y</i></p><p class="after">x<i>y</i></p><!--idoine--><b>after é</b>' +
      '<p class="first"><!--idoine--><b>first é</b>x<i>y</i></p><p class="last">x<i>y</i><b>last é</b><!--idoine--></p>',
  );
});

test("it is asked of the origin as the page is, without what is ours, and with a query of its own", async () => {
  origin.routes["/queried"] = `${START}<p id="queried"></p></body>`;
  origin.routes["/f"] = "<b>f</b>";
  const { text } = await worker.fetch("/queried?x=y", {
    headers: { cookie: "a=1; idoine_consent=v1.personalization", "accept-encoding": "gzip, zstd", "if-none-match": '"e"', "accept-language": "fr", te: "trailers" },
    cf: { city: "a b&c=d" },
  });
  assert.match(text, /<p id="queried"><b>f<\/b><\/p>/);
  const { url, method, headers } = origin.received.find(({ url }) => url.startsWith("/f"))!;
  assert.equal(url, "/f?a=1&city=a%20b%26c%3Dd");
  assert.equal(method, "GET");
  assert.equal(headers["cookie"], "a=1");
  assert.equal(headers["accept-encoding"], "gzip");
  assert.equal(headers["if-none-match"], undefined);
  assert.equal(headers["te"], undefined);
  assert.equal(headers["x-forwarded-host"], "shop.example");
});

test("it is asked for while the page is, and the page is answered while it is", async () => {
  // Each answers when the other has been asked for.
  const asked = { page: later<void>(), fragment: later<void>() };
  origin.routes["/"] = async (request, response) => {
    asked.page.resolve();
    await asked.fragment.promise;
    response.writeHead(200, { "content-type": "text/html" }).end(PAGE);
  };
  origin.routes["/f"] = async (request, response) => {
    asked.fragment.resolve();
    await asked.page.promise;
    send("<b>f</b>")(request, response);
  };
  assert.equal(bodyOf((await worker.fetch("/")).text), around("<b>f</b>"));
});

test("what is before the element does not wait for the fragment, nor does the fragment for its own end", async () => {
  for (const [path, fragment, element] of [
    ["/", "/f", '<div id="one">'],
    ["/places", "/f/content", '<div class="content">'],
    ["/places", "/f/before", '<div class="before">'],
    ["/places", "/f/replace", "<DIV data-x CLASS=replace>"],
    ["/places", "/f/last", '<div class="last">'],
  ] as const) {
    let response: ServerResponse | undefined;
    const answer = later<void>();
    for (const place of PLACES) origin.routes[`/f/${place}`] = "<b>other</b>";
    origin.routes[fragment] = async (request, pending) => {
      response = pending;
      await answer.promise;
      response.writeHead(200, { "content-type": "text/html" }).write("<b>first</b>");
    };
    // All of the page is there at once.
    origin.routes[path] = `${START}<p>before</p>${element}baseline</div><p>behind</p></body>`;
    const body = reading(await worker.open(path));
    assert.doesNotMatch(await body.until("<p>before</p>"), /<b>first/);
    answer.resolve();
    assert.doesNotMatch(await body.until("<b>first</b>"), /behind/);
    response!.end("<b>second</b>");
    assert.match(await body.end(), /<b>first<\/b><b>second<\/b>.*<p>behind<\/p>/, element);
  }
});

test("one path is asked for once, however often it is put in", async () => {
  origin.routes["/f"] = (request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).write("<b>one");
    setTimeout(() => response.end("</b>"), 5);
  };
  origin.routes["/twice"] = `${START}<p class="twin">1</p><p class="twin">2</p><p id="other">3</p></body>`;
  assert.equal(bodyOf((await worker.fetch("/twice")).text), '<h1>x</h1><p class="twin"><b>one</b></p><p class="twin"><b>one</b></p><p id="other">3<b>one</b><!--idoine--></p>');
  assert.deepEqual(origin.received.map(({ url }) => url).sort(), ["/f", "/twice"]);
});

test("many fragments", async () => {
  for (let at = 0; at < 9; at += 1) origin.routes[`/f/${at}`] = `<b>${at}</b>`;
  origin.routes["/many"] = `${START}${Array.from({ length: 9 }, (_, at) => `<p id="m${8 - at}">x</p>`).join("")}</body>`;
  assert.equal(bodyOf((await worker.fetch("/many")).text), `<h1>x</h1>${Array.from({ length: 9 }, (_, at) => `<p id="m${8 - at}"><b>${8 - at}</b></p>`).join("")}`);
});

test("a fragment that is not there leaves the baseline, and says why in the log", async () => {
  const answers: [RequestListener, string][] = [
    ...[404, 204, 206, 301, 304, 500, 503].map((status): [RequestListener, string] => [send(status === 204 || status === 304 ? "" : "<b>f</b>", { location: "/g" }, status), `its status is ${status}`]),
    [send("{}", { "content-type": "application/json" }), "no HTML"],
    [send("f", { "content-type": "text/plain" }), "no HTML"],
    [send("<b>f</b>", { "content-encoding": "zstd" }), "no HTML"],
    [send("<b>f</b>", { "content-type": "text/html; charset=iso-2022-kr" }), "no HTML"],
    [(request) => void request.socket.destroy(), "its status is 502"],
    [send("x".repeat(5_000_000), { "content-length": "5000000" }), "it is too long"],
  ];
  for (const [listener, why] of answers) {
    const from = worker.logs.length;
    origin.routes["/f"] = listener;
    const reply = await worker.fetch("/");
    assert.equal(reply.status, 200);
    assert.equal(bodyOf(reply.text), BASELINE, why);
    await logged("fragment_left_out", from);
    await logged(why, from);
  }
  for (const place of PLACES) origin.routes[`/f/${place}`] = send("no", {}, 404);
  const page = `<h1>x</h1>${PLACES.map((place) => `<p class="${place}">x<i>y</i></p>`).join("")}`;
  origin.routes["/places"] = `<head></head><body>${page}</body>`;
  assert.equal(bodyOf((await worker.fetch("/places")).text)?.replaceAll(BROUGHT, ""), page);
});

test("a fragment that does not answer holds the page up for two seconds where it would be, and is given up", async () => {
  const from = worker.logs.length;
  const closed = endless(false);
  let end = () => {};
  origin.routes["/"] = (request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).write(PAGE.replace("</body></html>", ""));
    end = () => response.end("</body></html>");
  };
  const body = reading(await worker.open("/"));
  await body.until("<p>before</p>");
  await body.until("<p>behind</p>");
  await logged("fragment_left_out", from);
  // While the page goes on.
  await closed();
  end();
  assert.equal(bodyOf(await body.end()), BASELINE);
});

/**
 * A clock for what fragments are waited for, 2000 milliseconds or what is left of them: where nothing comes, they are over at once; where
 * something comes, it came `PACE` milliseconds later, but for the first. `/waited` tells how much that was for a page.
 */
const clock = (pace: number): Partial<Options> => ({
  before: `
    let ahead = 0;
    let times = 0;
    const pending = new Map();
    const { setTimeout: later, clearTimeout: forget } = globalThis;
    const now = Date.now;
    Date.now = () => now() + ahead;
    globalThis.setTimeout = (run, delay, ...rest) => {
      if (delay < 1500 || delay > 2000) return later(run, delay, ...rest);
      const id = later(() => { pending.delete(id); ahead += delay; run(...rest); }, ${pace} === 0 ? 20 : 1e8);
      pending.set(id, ++times);
      return id;
    };
    globalThis.clearTimeout = (id) => {
      if (pending.get(id) > 1) ahead += ${pace};
      pending.delete(id);
      forget(id);
    };`,
  around: `
    return new URL(request.url).pathname === "/waited" ? Response.json(ahead) : worker.fetch(request, env, ctx);`,
});

test("fragments that do not answer, or stop, hold a page up for two seconds together", async () => {
  const slots = { ...Object.fromEntries(["a", "b", "c"].map((id) => [id, { selector: `#${id}` }])) };
  for (const place of ["content", "after"]) {
    for (const begins of [false, true]) {
      const slow = await startWorker({
        origin: origin.url,
        manifest: site({ audiences: {}, slots, experiences: [everyone("all", Object.fromEntries(["a", "b", "c"].map((id) => [id, { fragment: { path: `/f/${id}`, place } }])))] }),
        ...clock(0),
      });
      try {
        for (const id of ["a", "b", "c"]) {
          origin.routes[`/f/${id}`] = (request, response) => {
            if (begins) response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).flushHeaders();
          };
        }
        origin.routes["/"] = `${START}<p id="a">1</p><p id="b">2</p><p id="c">3</p>end</body>`;
        const { text } = await slow.fetch("/");
        assert.match(text, begins && place === "content" ? /<p id="c"><\/p>end/ : /<p id="c">3<\/p>(<!--idoine-->)?end/);
        const waited = (await slow.fetch("/waited")).json<number>();
        assert.ok(waited > 0 && waited <= 2000, `${waited} for ${place} ${begins}`);
      } finally {
        await slow.dispose();
      }
    }
  }
});

test("a fragment that drips ends after ten seconds, and the page goes on behind it", async () => {
  const slow = await startWorker({
    origin: origin.url,
    manifest: site({ audiences: {}, slots: { one: { selector: "#one" }, two: { selector: "#two" } }, experiences: [everyone("both", { one: { fragment: "/f" }, two: { fragment: "/f/two" } })] }),
    ...clock(1999),
  });
  try {
    origin.routes["/f"] = async (request, response) => {
      response.on("error", () => {});
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      for (let at = 0; at < 1000 && !response.destroyed; at += 1) {
        response.write("x");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      response.end("THE END");
    };
    origin.routes["/f/two"] = "two";
    origin.routes["/"] = `${START}<div id="one">1</div><div id="two">2</div>end</body>`;
    const { text } = await slow.fetch("/");
    // The one behind it is there.
    assert.match(text, /<div id="one">x{1,999}<\/div><div id="two">two<\/div>end/);
    const waited = (await slow.fetch("/waited")).json<number>();
    assert.ok(waited > 0 && waited <= 10_000, String(waited));
  } finally {
    await slow.dispose();
  }
});

test("a fragment that breaks off, or stops, is put in as far as it went, and the page goes on behind it", async () => {
  for (const [half, expected] of [
    ["<b>half</b> text", "<b>half</b> text"],
    ["<div class='card'><ul><li>one<li>tw", "<div class='card'><ul><li>one<li>tw</ul></div>"],
    ["<b>half</b><a href='/x", "<b>half</b>"],
    ["<b>half</b><a title=\"x>", "<b>half</b>"],
    ["<b>half</b><!-- not ended", "<b>half</b>"],
    ["<b>half</b><script>let a = '</b>", "<b>half</b>"],
    ["<b>half</b><textarea>text", "<b>half</b>"],
    ["<b>half</b><style>a {", "<b>half</b>"],
    ["<svg><title/><path d='M", "<svg><title/></svg>"],
    ["<b>half</b><", "<b>half</b>"],
    ["<b>half\xc3", "<b>half</b>"],
    ["", ""],
  ] as const) {
    for (const stops of [false, half === ""]) {
      const from = worker.logs.length;
      origin.routes["/f"] = (request, response) => {
        response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-length": 100_000 }).flushHeaders();
        if (half !== "") response.write(Buffer.from(half, "latin1"));
        if (!stops) setTimeout(() => response.destroy(), 30);
      };
      assert.equal(bodyOf((await worker.fetch("/")).text), around(expected), half);
      await logged("fragment_broke_off", from);
    }
  }
});

test("a fragment's last part that does not end is left out, so that the page is none of it", async () => {
  const whole = "<div></p></body></html><script>if (a<b) '</b>'</script><style>a>b{}</style><!-- <b> --><svg><style/></svg><a x='>' y=\">\" z=>";
  for (const end of ["<!--", "<!-- -- >", "<script>", "<textarea></textare>", "<a href='>", "<a", "<", "</b", "<!doctype", "<title>x</title", "<style></style x='>"]) {
    const from = worker.logs.length;
    origin.routes["/f"] = whole + end;
    assert.equal(bodyOf((await worker.fetch("/")).text.replace("</body></html><script>if", "{}<script>if")), around(whole.replace("</body></html>", "{}")), end);
    await logged("fragment_cut", from);
  }
});

test("nothing in a fragment breaks the page off: unclosed, misplaced, odd or deeply nested", async () => {
  for (const fragment of [
    "<select><style></style><select><textarea></textarea>",
    "<frameset><title></title>",
    "<div>".repeat(100_000),
    "</div>".repeat(50_000),
    "<b><i></b></p></i></table></body></html></head>",
    "<plaintext>",
    `<img alt="${"a".repeat(900_000)}">`,
    "\0\x01\x02 <\x01>",
    `<p title${" ".repeat(1000)}id=x${"\n".repeat(1000)}class = "y">`,
    "<!doctype html><html class=x><head><title>t</title></head><body>whole page</body></html>",
    "",
    " ",
    "<!---->< a></ b></><!x><?y?><!>",
  ]) {
    origin.routes["/f"] = fragment;
    const { text } = await worker.fetch("/");
    assert.equal(text.slice(text.indexOf("<h1>Edited")), `${around(fragment)}</body></html>`, fragment.slice(0, 50));
  }
});

test("no more than a megabyte of a fragment is put in", async () => {
  for (const [unit, count] of [["<b>x</b>", 700_000], ["é", 2_500_000]] as const) {
    const from = worker.logs.length;
    origin.routes["/f"] = (request, response) => {
      response.on("error", () => {});
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      for (let at = 0; at < 100; at += 1) response.write(unit.repeat(count / 100));
      response.end();
    };
    const inside = /<div id="one">(.*)<\/div><p>behind<\/p>/s.exec(bodyOf((await worker.fetch("/")).text)!)![1]!;
    assert.ok(Buffer.byteLength(inside) <= 1 << 20 && Buffer.byteLength(inside) > 900_000, String(inside.length));
    assert.equal(inside.replaceAll(unit, "").length < unit.length, true);
    await logged("it is too long", from);
  }
});

test("compressed, and a byte at a time", async () => {
  const fragment = '<div class="a>b">Größe 語 😀</div><script>"<b>"</script><!-- c -->';
  for (const [coding, bytes] of [["gzip", gzipSync(fragment)], ["br", brotliCompressSync(fragment)]] as const) {
    origin.routes["/f"] = send(bytes, { "content-encoding": coding });
    assert.equal(bodyOf((await worker.fetch("/", { headers: { "accept-encoding": "gzip, br" } })).text), around(fragment), coding);
  }
  for (const type of ["text/html; charset=utf-8", "text/html"]) {
    const page = `<meta charset=utf-8>${PAGE}`;
    origin.routes["/"] = page;
    origin.routes["/f"] = async (request, response) => {
      response.writeHead(200, { "content-type": type });
      for (const byte of Buffer.from(fragment)) await new Promise((resolve) => response.write(Buffer.of(byte), resolve));
      response.end();
    };
    assert.equal(bodyOf((await worker.fetch("/")).text), around(fragment), type);
  }
});

test("a fragment is read in its own character set, and written in the page's", async () => {
  const words = "Größe – ß";
  const latin = Buffer.from("Gr\xf6\xdfe \x96 \xdf", "latin1");
  const utf8 = Buffer.from(words);
  const references = words.replace(/[^\0-\x7f]/gu, (one) => `&#${one.codePointAt(0)};`);
  for (const [page, type, bytes, expected] of [
    ["text/html; charset=utf-8", "text/html; charset=windows-1252", latin, words],
    ["text/html; charset=utf-8", "text/html", utf8, words],
    ["text/html; charset=utf-8", "text/html", Buffer.from(`\ufeff${words}`), words],
    ["text/html; charset=utf-8", "text/html; charset=utf-16le", Buffer.from(words, "utf16le"), words],
    ["text/html; charset=utf-8", "text/html", Buffer.from(`\ufeff${words}`, "utf16le").swap16(), words],
    ["text/html; charset=utf-8", "text/html; charset=iso-2022-jp", Buffer.from("\x1b$B8l\x1b(B", "latin1"), "語"],
    ["text/html; charset=shift_jis", "text/html; charset=utf-8", utf8, references],
    ["text/html; charset=windows-1252", "text/html", latin, references],
    ["text/html; charset=windows-1252", "text/html; charset=shift_jis", Buffer.from("\x8c\xea", "latin1"), "&#35486;"],
    ["text/html", "text/html", latin, references],
    ["text/html", "text/html; charset=utf-8", utf8, references],
  ] as const) {
    origin.routes["/"] = send(Buffer.concat([Buffer.from(START), Buffer.from([0xe9]), Buffer.from('<div id="one">x</div></body>')]), { "content-type": page });
    origin.routes["/f"] = send(bytes, { "content-type": type });
    const { bytes: out } = await worker.fetch("/");
    const inside = /\xe9<div id="one">(.*)<\/div>/s.exec(out.toString("latin1"))?.[1];
    assert.equal(Buffer.from(inside!, "latin1").toString(), expected, `${type} in ${page}`);
  }
  // By the fragment's own words, which come late, and in code, where no character reference is one.
  origin.routes["/"] = send(PAGE, { "content-type": "text/html; charset=koi8-r" });
  origin.routes["/f"] = send(Buffer.concat([Buffer.from('<meta charset="windows-1252"><script>s="'), latin, Buffer.from('"</script><style>a::after{content:"'), latin, Buffer.from('"}</style><title>'), latin, Buffer.from("</title>")]), { "content-type": "text/html" });
  const css = words.replace(/[^\0-\x7f]/gu, (one) => `\\${one.codePointAt(0)!.toString(16)} `);
  const js = words.replace(/[^\0-\x7f]/gu, (one) => `\\u${one.codePointAt(0)!.toString(16).padStart(4, "0")}`);
  assert.equal(bodyOf((await worker.fetch("/")).text), around(`<meta charset="windows-1252"><script>s="${js}"</script><style>a::after{content:"${css}"}</style><title>${references}</title>`));
});

test("a fragment's cookies and headers stay where they are", async () => {
  origin.routes["/f"] = send("<b>f</b>", { "set-cookie": "fragment=1", "x-fragment": "1" });
  const reply = await worker.fetch("/");
  assert.match(reply.text, /<b>f<\/b>/);
  assert.deepEqual(reply.cookies, []);
  assert.equal(reply.header("x-fragment"), null);
});

test("where no element wants it, or no page comes, a fragment is given up", async () => {
  const pages: [string | RequestListener, RegExp][] = [
    ["<p>nothing</p>", /<p>nothing<\/p>/],
    [send("{}", { "content-type": "application/json" }), /^\{\}$/],
    [send("<h1>x</h1>", { "content-type": "text/html; charset=utf-16" }), /<h1>x/],
    [send(Buffer.from("\ufeff<h1>x", "utf16le"), { "content-type": "text/html" }), /x/],
    [send("sorry", {}, 503), /^sorry$/],
    ["", /idoine-state/],
    [`${START}<select><style></style></select><div id="one">baseline</div>`, /<div id="one">baseline<\/div>$/],
  ];
  for (const [page, expected] of pages) {
    for (const begins of [true, false]) {
      const closed = endless(begins);
      origin.routes["/"] = page;
      assert.match((await worker.fetch("/")).text, expected);
      await closed();
    }
  }
});

test("when the visitor goes away nothing is left of the fragment", async () => {
  const closed = endless();
  const message = await worker.open("/");
  await reading(message).until("<b>f</b>");
  message.destroy();
  await closed();
});

test("when the origin breaks the page off nothing is left of the fragment", async () => {
  const closed = endless();
  origin.routes["/"] = (request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-length": 100_000 });
    response.write(START, () => setTimeout(() => response.destroy(), 30));
  };
  await assert.rejects(reading(await worker.open("/")).end());
  await closed();
});

test("who is led elsewhere asks for no fragment", async () => {
  origin.routes["/f"] = "<b>f</b>";
  const reply = await worker.fetch("/?utm_campaign=leave");
  assert.equal(reply.status, 302);
  assert.deepEqual(origin.received, []);
  // What scripts fetch as data is not led there, and gets the page.
  const data = await worker.fetch("/?utm_campaign=leave", { headers: { "sec-fetch-dest": "empty", accept: "*/*" } });
  assert.equal(bodyOf(data.text), around("<b>f</b>"));
});

test("a fragment that is the page itself is the origin's page, once", async () => {
  origin.routes["/self"] = '<p id="self">x</p>';
  assert.match((await worker.fetch("/self")).text, /^<p id="self"><p id="self">x<\/p><\/p>/);
  assert.equal(origin.received.length, 2);
});

test("a page that leads back to its own site gets no fragment, and ends", async () => {
  // An origin that asks the Worker itself, as a wrong configuration would.
  const loop = await startOrigin();
  let around: TestWorker | undefined;
  loop.routes["*"] = async (request, response) => {
    const reply = await around!.fetch(request.url!, { headers: { "x-idoine-via": request.headers["x-idoine-via"] as string } });
    response.writeHead(reply.status, { "content-type": "text/html" }).end(reply.wire);
  };
  around = await startWorker({ origin: loop.url, manifest: site({ audiences: {}, slots: { one: { selector: "#one" } }, experiences: [everyone("one", { one: { fragment: "/f" } })] }) });
  try {
    assert.equal((await around.fetch("/f")).status, 508);
    assert.ok(loop.received.length <= 2);
  } finally {
    await around.dispose();
    await loop.close();
  }
});

test("wherever the page is cut in pieces, and whatever bytes are in it, it is the same with its fragments", async () => {
  for (const place of PLACES) origin.routes[`/f/${place}`] = `<b>${place}</b>`;
  const page = `<head></head>\f\x01\f\fé<p class="content">x</p>\f<div><p class="replace">x</p></div><br class="before"><p class="after">\x01</p>\x01idoine<ul class="first"><li class="last">y</ul>\x01`;
  const pieces = (...parts: Uint8Array[]): RequestListener => async (request, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    for (const part of parts) await new Promise((resolve) => response.write(part, resolve));
    response.end();
  };
  const bytes = Buffer.from(page);
  const expected = page
    .replace('"content">x', '"content"><b>content</b>')
    .replace('<p class="replace">x</p>', "<b>replace</b>")
    .replace("<br", "<b>before</b><br")
    .replace("\x01</p>", "\x01</p><b>after</b>")
    .replace('"first">', '"first"><b>first</b>')
    .replace("y</ul>", "y<b>last</b></ul>");
  const plain = (text: string) => text.replaceAll(BROUGHT, "").replace(/<script type="application\/json".*?<\/script><script async.*?<\/script>/, "");
  for (let at = 1; at < bytes.length; at += 1) {
    origin.routes["/places"] = pieces(bytes.subarray(0, at), bytes.subarray(at));
    assert.equal(plain((await worker.fetch("/places")).text), expected, `cut at ${at}`);
  }
  origin.routes["/places"] = pieces(...Array.from(bytes, (byte) => Buffer.of(byte)));
  assert.equal(plain((await worker.fetch("/places")).text), expected);
});
