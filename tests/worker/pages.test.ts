// Pages of no byte, of one and of fifty million, in chunks that end anywhere: what goes out is what came in, with the edits.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { brotliCompressSync, createGunzip, gzipSync } from "node:zlib";
import { startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { site } from "./site.ts";

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin();
  worker = await startWorker({
    origin: origin.url,
    manifest: site({
      audiences: {},
      slots: Object.fromEntries(["h1", ".card", "img", "#gone", "ul", "p.lead"].map((selector, at) => [`s${at}`, { selector, pages: ["/"] }])),
      experiences: [
        {
          id: "all",
          type: "personalization",
          slots: {
            s0: { text: "Edited & é" },
            s1: { class: { add: ["wide"] } },
            s2: { attribute: { alt: "New" } },
            s3: { remove: true },
            s4: { last: "<li>z</li>" },
            s5: { before: "<hr>" },
          },
        },
      ],
    }),
  });
});
after(async () => {
  await worker.dispose();
  await origin.close();
});

/** Sends these pieces, each on its way before the next. */
function inPieces(type: string, pieces: (string | Uint8Array)[], headers: Record<string, string> = {}) {
  origin.routes["/"] = async (request, response) => {
    response.writeHead(200, { "content-type": type, ...headers });
    for (const piece of pieces) {
      await new Promise((resolve) => response.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece, resolve));
    }
    response.end();
  };
}

const STATE = /<script type="application\/json" id="idoine-state">[^<]*<\/script><script async src="\/_idoine\/idoine.js"><\/script>/;

/** What comes of the page that is there, as Latin-1, without the state, which it has once. */
async function get(words: string): Promise<string> {
  const text = (await worker.fetch("/")).bytes.toString("latin1");
  assert.equal(text.split('id="idoine-state"').length, 2, words);
  // The marks beside what was put in are for tests/worker/edits.test.ts.
  return text.replace(STATE, "").replaceAll("<!--idoine-->", "");
}

test("a page of no byte is the state alone", async () => {
  for (const type of ["text/html", "text/html; charset=utf-8", "text/html; charset=gbk", "application/xhtml+xml"]) {
    inPieces(type, []);
    assert.match((await worker.fetch("/")).text, /^<script type="application\/json" id="idoine-state">[^<]*<\/script><script async(="async")? src="\/_idoine\/idoine.js"><\/script>$/, type);
  }
});

test("a page of one byte, whichever it is, is that byte", async () => {
  for (const type of ["text/html", "text/html; charset=utf-8", "text/html; charset=shift_jis"]) {
    for (let byte = 0; byte < 256; byte += 1) {
      inPieces(type, [Uint8Array.of(byte)]);
      assert.equal(await get(`${type} ${byte}`), String.fromCharCode(byte), `${type} ${byte}`);
    }
  }
});

const ONE_BYTE = "\xe1\xac\xc4\xe4";

/** Bytes of more than one character, and of one, of each encoding; of those of several bytes with some that are ASCII by themselves. */
const BYTES: Record<string, string> = {
  "utf-8": "\xc3\xa9\xe8\xaa\x9e\xf0\x9f\x98\x80",
  shift_jis: "\x83\x5c\x94\x7c\xb1",
  gbk: "\x81\x7c\xd6\xd0\x81\x40",
  gb18030: "\x81\x30\x81\x30\xd6\xd0\x81\x5c",
  big5: "\xa5\x5c\xa4\xa4\xa4\x7c",
  "euc-jp": "\x8f\xb0\xa1\xb0\xa1\x8e\xb1",
  "euc-kr": "\x81\x41\xb0\xa1\x81\x7a",
  ...Object.fromEntries(
    ["ibm866", ...[2, 3, 4, 5, 6, 7, 8, "8-i", 10, 13, 14, 15, 16].map((part) => `iso-8859-${part}`), "koi8-r", "koi8-u", "macintosh", "windows-874", ...Array.from({ length: 9 }, (_, at) => `windows-125${at}`), "x-mac-cyrillic", "x-user-defined"].map(
      (encoding) => [encoding, ONE_BYTE],
    ),
  ),
};

/** A page with all sorts of things in it, and what comes of it. */
function pageOf(bytes: string, isUtf8: boolean): [before: string, after: string] {
  const title = isUtf8 ? "Edited &amp; \xc3\xa9" : "Edited &amp; &#233;";
  const parts: [string, string?][] = [
    [`<!doctype html>\r\n<html><head><title>${bytes}&amp;</title></head>\r\n<body>`],
    [`<h1 id='${bytes}'>`],
    [`a<b>${bytes}</b>&eacute;`, title],
    [`</h1\r\n>${bytes}&#x1f600;&lt`],
    [`<p CLASS="card" title=${bytes}>`, `<p CLASS="card wide" title=${bytes}>`],
    [`<!-- <h1> ${bytes} --></p>`],
    [`<img alt="${bytes}"/>`, '<img alt="New" />'],
    [`<i id=gone>${bytes}<b>&</b></i>`, ""],
    [`<script>"<h1>${bytes}</h1>"</script><ul>\r\n<li>${bytes}`],
    ["", "<li>z</li>"],
    ["</ul>"],
    ["", "<hr>"],
    [`<p class=lead>${bytes}\r\n</body></html>\r\n${bytes}`],
  ];
  return [parts.map(([before]) => before).join(""), parts.map(([before, after = before]) => after).join("")];
}

test("wherever a page is cut, in whatever character set: bytes out are bytes in, with the edits", async () => {
  for (const [number, [encoding, bytes]] of Object.entries(BYTES).entries()) {
    const [page, expected] = pageOf(bytes, encoding === "utf-8");
    const type = `text/html; charset=${encoding}`;
    inPieces(type, [page]);
    assert.equal(await get(encoding), expected, encoding);
    // Those of one byte have nothing to be cut in: for most of them some places will do, each at others.
    const isOne = bytes === ONE_BYTE && encoding !== "windows-1252";
    for (let at = isOne ? 1 + (number % 12) : 1; at < page.length; at += isOne ? 12 : 1) {
      inPieces(type, [page.slice(0, at), page.slice(at)]);
      assert.equal(await get(encoding), expected, `${encoding} cut at ${at}`);
    }
  }
});

test("in many pieces of some bytes", async () => {
  let seed = 6;
  const next = (below: number) => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) % below;
  for (const encoding of ["utf-8", "gb18030", "windows-1252"]) {
    const [page, expected] = pageOf(BYTES[encoding]!, encoding === "utf-8");
    for (const type of [`text/html; charset=${encoding}`, "text/html"]) {
      const meta = type === "text/html" ? `<meta charset=${encoding}>` : "";
      inPieces(type, [...meta, ...page]);
      assert.equal(await get(encoding), meta + expected, `${type} ${encoding} byte by byte`);
      for (let times = 0; times < 20; times += 1) {
        const pieces: string[] = [];
        for (let at = 0; at < page.length; ) pieces.push(page.slice(at, (at += 1 + next(12))));
        inPieces(type, [meta, ...pieces]);
        assert.equal(await get(encoding), meta + expected, `${type} ${encoding}: ${pieces.join("|")}`);
      }
    }
  }
});

test("compressed pages, cut anywhere", async () => {
  for (const [coding, compress] of [["gzip", gzipSync], ["br", brotliCompressSync]] as const) {
    for (const encoding of ["utf-8", "big5"]) {
      const [page, expected] = pageOf(BYTES[encoding]!, encoding === "utf-8");
      const bytes = compress(Buffer.from(page, "latin1"));
      for (let at = 1; at < bytes.length; at += 3) {
        inPieces(`text/html; charset=${encoding}`, [bytes.subarray(0, at), bytes.subarray(at)], { "content-encoding": coding });
        assert.equal(await get(coding), expected, `${coding} ${encoding} cut at ${at}`);
      }
    }
  }
});

/** Bytes that the Worker's process has in memory; undefined where that can't be told. */
function memory(): number | undefined {
  try {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      if (/^Name:\s+workerd/m.test(status) && new RegExp(`^PPid:\\s+${process.pid}$`, "m").test(status)) {
        return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
      }
    }
  } catch {
    // Not on Linux, or a process has just ended.
  }
  return undefined;
}

const MB = 1 << 20;

/** A card of some 500 bytes, and what comes of it. */
const CARD = `<div class="card"><h1>x</h1><p title="Gr\xc3\xb6\xc3\x9fe">${"text \xe8\xaa\x9e &amp; ".repeat(28)}</p></div>\r\n`;
const EDITED = CARD.replace("card", "card wide").replace("<h1>x", "<h1>Edited &amp; \xc3\xa9");
const CARDS = Math.ceil((50 * MB) / CARD.length);
/** Cards in a chunk, which ends within one. */
const CHUNK = Buffer.from(CARD.repeat(200), "latin1");

/** The page of 50 MB, in chunks that end anywhere. */
function* chunks() {
  const cut = 777;
  yield CHUNK.subarray(0, cut);
  for (let at = 200; at < CARDS; at += 200) {
    yield Buffer.concat([CHUNK.subarray(cut), CHUNK.subarray(0, cut)]);
  }
  yield CHUNK.subarray(cut);
}
const LENGTH = Math.ceil(CARDS / 200) * CHUNK.length;

/** Sends the page of 50 MB as fast as it is taken, and tells how much of it was. */
function big(compress: boolean) {
  const sent = { bytes: 0 };
  const packed = compress ? gzipSync(Buffer.concat([...chunks()]), { level: 1 }) : undefined;
  origin.routes["/"] = async (request, response) => {
    response.on("error", () => {});
    const closed = once(response, "close");
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...(packed ? { "content-encoding": "gzip" } : { "content-length": LENGTH }) });
    for (const chunk of packed ? [packed] : chunks()) {
      sent.bytes += chunk.length;
      if (!response.write(chunk)) await Promise.race([once(response, "drain"), closed]);
      if (response.destroyed) return;
    }
    response.end();
  };
  return sent;
}

test("a page of 50 MB streams through, edited to its end, in memory that does not grow with it", async (t) => {
  const expected = createHash("sha256");
  for (let at = 0; at < LENGTH / CHUNK.length; at += 1) expected.update(Buffer.from(EDITED.repeat(200), "latin1"));
  const wanted = expected.digest("hex");
  // The first two are to have all the memory that such pages need; others need no more.
  for (const [number, compress] of [false, true, false, true].entries()) {
    big(compress);
    const before = memory();
    const message = await worker.open("/", { headers: { "accept-encoding": "gzip" } });
    const hash = createHash("sha256");
    let seen = 0;
    let most = 0;
    let tail = Buffer.alloc(0);
    const plain = message.headers["content-encoding"] === "gzip" ? message.pipe(createGunzip()) : message;
    for await (const chunk of plain) {
      // The state is at the end of a page without head and body; all before it is hashed.
      tail = Buffer.concat([tail, chunk as Buffer]);
      const sure = Math.max(0, tail.length - 4096);
      hash.update(tail.subarray(0, sure));
      tail = tail.subarray(sure);
      seen += 1;
      if (seen % 50 === 0) most = Math.max(most, memory() ?? 0);
    }
    const end = tail.toString("latin1");
    assert.match(end, STATE);
    hash.update(Buffer.from(end.replace(STATE, ""), "latin1"));
    assert.equal(hash.digest("hex"), wanted, compress ? "gzip" : "plain");
    if (before !== undefined && number > 1) {
      t.diagnostic(`${compress ? "gzip" : "plain"}: ${Math.round(before / MB)} MB before, ${Math.round(most / MB)} MB at most`);
      // What is collected later comes and goes; a page that was kept whole would be there as it came in and as it goes out.
      assert.ok(most > 0 && most - before < 75 * MB, `memory grew from ${before} to ${most}`);
    }
  }
});

test("a visitor who reads slowly holds the origin back, and one who leaves ends it", async () => {
  const sent = big(false);
  const message = await worker.open("/");
  await once(message, "readable");
  // Nothing is read until the origin can't send any more.
  for (let last = -1; last !== sent.bytes; ) {
    last = sent.bytes;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(sent.bytes < 25 * MB, `${sent.bytes} bytes were sent for nobody`);
  message.destroy();
  origin.received.length = 0;
  // The Worker goes on to serve others.
  inPieces("text/html; charset=utf-8", ["<h1>x</h1>"]);
  assert.equal(await get("after"), "<h1>Edited &amp; \xc3\xa9</h1>");
});
