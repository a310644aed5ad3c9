// Pages in every character set of the Encoding Standard, by header and by what the page says itself: the edits are right, all other
// bytes are the origin's, and what the rewriter doesn't know passes untouched.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { site } from "./site.ts";

/** The standard's encodings and their labels. */
const LABELS: Record<string, string> = {
  "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
  ibm866: "866 cp866 csibm866 ibm866",
  "iso-8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
  "iso-8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
  "iso-8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
  "iso-8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
  "iso-8859-6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
  "iso-8859-7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek",
  "iso-8859-8": "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual",
  "iso-8859-8-i": "csiso88598i iso-8859-8-i logical",
  "iso-8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
  "iso-8859-13": "iso-8859-13 iso8859-13 iso885913",
  "iso-8859-14": "iso-8859-14 iso8859-14 iso885914",
  "iso-8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
  "iso-8859-16": "iso-8859-16",
  "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
  "koi8-u": "koi8-ru koi8-u",
  macintosh: "csmacintosh mac macintosh x-mac-roman",
  "windows-874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
  "windows-1250": "cp1250 windows-1250 x-cp1250",
  "windows-1251": "cp1251 windows-1251 x-cp1251",
  "windows-1252": "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252",
  "windows-1253": "cp1253 windows-1253 x-cp1253",
  "windows-1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254",
  "windows-1255": "cp1255 windows-1255 x-cp1255",
  "windows-1256": "cp1256 windows-1256 x-cp1256",
  "windows-1257": "cp1257 windows-1257 x-cp1257",
  "windows-1258": "cp1258 windows-1258 x-cp1258",
  "x-mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
  gbk: "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk",
  gb18030: "gb18030",
  big5: "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
  "euc-jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
  shift_jis: "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
  "euc-kr": "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949",
  "x-user-defined": "x-user-defined",
};

/** Those in which bytes of ASCII are no ASCII. */
const UNTOUCHED = "csiso2022jp iso-2022-jp csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement unicodefffe utf-16be csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le".split(" ");

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin();
  const contents = {
    add: ["#add", { class: { add: ["wide", "größe"] } }],
    remove: ["#remove", { class: { remove: ["größe"] } }],
    title: ["h1", { text: "Été “à” 語" }],
    lead: ["#lead", { html: "<b>ß</b>", attribute: { title: '"Größe" & 語 😀' } }],
    hidden: ["#hidden", { hide: true }],
    words: [".größe", { attribute: { "data-found": "1" } }],
  } as const;
  worker = await startWorker({
    origin: origin.url,
    // With `x-decode` the isolate's own TextDecoder reads some bytes, as Latin-1: those of Node know other tables than the standard's.
    around: `
      const label = request.headers.get("x-decode");
      if (label === null) return worker.fetch(request, env, ctx);
      const decoder = new TextDecoder(label, { ignoreBOM: true });
      return Response.json((await request.json()).map((text) => decoder.decode(Uint8Array.from(text, (one) => one.charCodeAt(0)))));`,
    manifest: site({
      audiences: {},
      slots: { ...Object.fromEntries(Object.entries(contents).map(([name, [selector]]) => [name, { selector, pages: ["/"] }])), data: { type: "data", pages: ["/"] } },
      experiences: [
        {
          id: "all",
          type: "personalization",
          slots: { ...Object.fromEntries(Object.entries(contents).map(([name, [, content]]) => [name, content])), data: { json: { text: "Größe 語 😀" } } },
        },
      ],
    }),
  });
});
after(async () => {
  await worker.dispose();
  await origin.close();
});

/** The bytes of a page are written as Latin-1 here. */
const latin1 = (text: string) => Buffer.from(text, "latin1");

/** What comes of a page that is sent in these pieces. */
async function get(type: string, ...pieces: (string | Uint8Array)[]) {
  origin.routes["/"] = async (request, response) => {
    response.writeHead(200, { "content-type": type, etag: '"e"' });
    for (const piece of pieces) {
      await new Promise((resolve) => response.write(typeof piece === "string" ? latin1(piece) : piece, resolve));
    }
    response.end();
  };
  const reply = await worker.fetch("/");
  return { reply, text: reply.bytes.toString("latin1") };
}

const STATE = /<script type="application\/json" id="idoine-state">(.*?)<\/script><script async(="async")? src="\/_idoine\/idoine.js"><\/script>/;

/** A text of a page whose class, text and comment are `bytes`, and what it is after its edits. */
function pair(bytes: string, isUtf8: boolean, head = "") {
  const raw = (text: string) => (isUtf8 ? Buffer.from(text).toString("latin1") : text.replace(/[^\0-\x7f]/gu, (one) => `&#${one.codePointAt(0)};`));
  const start = `<html><head>${head}<title>${bytes}</title>`;
  const page = (title: string, add: string, lead: string, hide: string) =>
    `</head><body data-a='${bytes}'><!--${bytes}--><h1 id="${bytes}">${title}</h1><i id="add" class="${bytes}${add}">${bytes}</i><p id="lead"${lead}</p><p title="${bytes}" id="hidden"${hide}>${bytes}</p>${bytes}</body></html>`;
  return {
    before: start + page(bytes, "", `>${bytes}`, ""),
    after: start + page(raw("Été “à” 語"), ` wide ${raw("größe")}`, ` title="${raw('&quot;Größe&quot; &amp; 語 😀')}"><b>${raw("ß")}</b>`, ' hidden="" style="display:none!important"'),
  };
}

function assertEdited(text: string, expected: string, words: string) {
  const state = STATE.exec(text)?.[1];
  assert.ok(state, `${words}: no state in ${text.slice(0, 200)}`);
  assert.equal(JSON.parse(Buffer.from(state, "latin1").toString()).values.data.text, "Größe 語 😀", words);
  assert.equal(text.replace(STATE, ""), expected, words);
}

async function decode(encoding: string, texts: string[]): Promise<string[]> {
  return (await worker.fetch("/", { method: "POST", headers: { "x-decode": encoding }, body: JSON.stringify(texts) })).json();
}

/** All characters of an encoding beyond ASCII, as bytes and as what they are: of one byte and of two, and some of three and four. */
async function charactersOf(encoding: string): Promise<[bytes: string, character: string][]> {
  const candidates = encoding === "utf-8" ? [..."éß語😀ÿ\u00a0𝒳"].map((one) => Buffer.from(one).toString("latin1")) : [];
  for (let lead = 0x80; encoding !== "utf-8" && lead < 0x100; lead += 1) {
    candidates.push(String.fromCharCode(lead));
    for (let trail = 0x30; trail < 0x100; trail += 1) candidates.push(String.fromCharCode(lead, trail));
  }
  if (encoding === "gb18030") candidates.push("\x81\x30\x81\x30", "\x90\x30\x81\x30");
  if (encoding === "euc-jp") candidates.push("\x8f\xb0\xa1");
  const texts = await decode(encoding, candidates);
  const isOne = (text: string) => !text.includes("\ufffd") && /^[^\0-\x7f]\p{M}?$/u.test(text);
  const single = new Set(candidates.filter((one, at) => one.length === 1 && isOne(texts[at]!)));
  // Of two bytes, unless each of them is a character by itself.
  return candidates.map((one, at): [string, string] => [one, texts[at]!]).filter(([one, text]) => isOne(text) && !(one.length === 2 && single.has(one[0]!)));
}

/** Those that are written as they were read: some are there twice, or can be read and not be written. */
function writable(encoding: string, characters: [string, string][]): string[] {
  const count = new Map<string, number>();
  for (const [, text] of characters) count.set(text, (count.get(text) ?? 0) + 1);
  const isReadOnly = ([one, text]: [string, string]) => (encoding === "big5" && one.charCodeAt(0) < 0xa1) || (encoding === "shift_jis" && /\p{Co}/u.test(text));
  return characters.filter((one) => count.get(one[1]) === 1 && one[0].length <= 2 && !isReadOnly(one)).map(([one]) => one);
}

test("under each label pages are edited in their character set, by header and by meta", async () => {
  for (const [encoding, labels] of Object.entries(LABELS)) {
    const characters = writable(encoding, await charactersOf(encoding));
    const bytes = Array.from({ length: 12 }, (_, at) => characters[Math.floor((at * characters.length) / 12)]!).join("");
    for (const label of labels.split(" ")) {
      const isUtf8 = encoding === "utf-8";
      const { before, after } = pair(bytes, isUtf8);
      assertEdited((await get(`text/html; charset=${label}`, before)).text, after, `header ${label}`);
      const meta = pair(bytes, isUtf8, `<meta charset="${label}">`);
      // A page that can read its meta can't be in this one, and browsers take it for windows-1252; bytes are bytes.
      assertEdited((await get("text/html", meta.before)).text, meta.after, `meta ${label}`);
    }
  }
});

test("all characters of an encoding keep their bytes outside of the edits", async () => {
  for (const encoding of Object.keys(LABELS)) {
    const characters = await charactersOf(encoding);
    assert.ok(characters.length > (/^(gb|big5|euc|shift)/.test(encoding) ? 6000 : encoding === "utf-8" ? 6 : 40), encoding);
    const all = characters.map(([one]) => one).join("");
    const { before, after } = pair("a", encoding === "utf-8");
    const more = `<p>${all}</p><div data-all="${all}">${all}</div></body></html>`;
    const grow = (page: string) => page.replace("</body></html>", () => more);
    assertEdited((await get(`text/html; charset=${encoding}`, grow(before))).text, grow(after), encoding);
  }
});

test("no character is lost in an attribute that is written anew", async () => {
  const references = (text: string) => text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));
  for (const encoding of Object.keys(LABELS)) {
    const characters = await charactersOf(encoding);
    for (let at = 0; at < characters.length; at += 4000) {
      const some = characters.slice(at, at + 4000);
      const { text } = await get(`text/html; charset=${encoding}`, `<p id="add" class="x${some.map(([one]) => one).join("")}">x</p>`);
      const written = /class="x([^"]*) wide [^" ]*"/.exec(text)?.[1] ?? assert.fail(`${encoding}: ${text.slice(0, 100)}`);
      const [read] = await decode(encoding, [written]);
      assert.equal(references(read!), some.map(([, one]) => one).join(""), encoding);
    }
  }
});

test("what can't be read in the declared character set is left as it is", async () => {
  for (const [encoding, bytes] of [["utf-8", "gr\xf6\xdfe"], ["shift_jis", "a\x81"], ["euc-jp", "\xa1a"], ["iso-8859-6", "\xa1"], ["windows-1257", "\xa1"]] as const) {
    const page = `<p id="add" class="${bytes}">${bytes}</p>`;
    const { text } = await get(`text/html; charset=${encoding}`, page);
    assert.equal(text.replace(STATE, ""), page, encoding);
  }
});

test("classes and selectors are compared in the page's character set", async () => {
  for (const type of ["text/html; charset=windows-1252", "text/html; charset=iso-8859-2"]) {
    const { text } = await get(type, '<p id="add" class="gr\xf6\xdfe">x</p><p id="remove" class="a gr\xf6\xdfe b">y</p><p id="remove" class="gr&#246;&#223;e">z</p>');
    assert.equal(text.replace(STATE, ""), '<p id="add" class="gr\xf6\xdfe wide" data-found="1">x</p><p id="remove" class="a b" data-found="1">y</p><p id="remove" class="">z</p>');
  }
});

test("a page that declares nothing keeps every byte, and what is put in is right in whatever it is", async () => {
  const bytes = Array.from({ length: 128 }, (_, at) => String.fromCharCode(128 + at)).join("");
  const { before, after } = pair(bytes, false);
  for (const type of ["text/html", "text/html; charset=", "text/html; charset=nonsense", "text/html;x=y"]) {
    assertEdited((await get(type, before)).text, after, type);
  }
});

test("what the rewriter doesn't know passes untouched, with its own headers", async () => {
  const assertUntouched = async (type: string, page: string | Buffer, words: string) => {
    const { reply } = await get(type, page);
    assert.ok(reply.bytes.equals(typeof page === "string" ? latin1(page) : page), words);
    assert.equal(reply.header("etag"), '"e"', words);
    assert.equal(reply.header("content-type"), type, words);
  };
  for (const label of UNTOUCHED) {
    await assertUntouched(`text/html; charset=${label}`, pair("\x1b$B$\"\x1b(B", false).before, `header ${label}`);
    // A page whose meta can be read is not in UTF-16.
    if (!/utf-16|ucs|unicode/.test(label)) {
      await assertUntouched("text/html", pair("\x1b$B$\"\x1b(B", false, `<meta charset="${label}">`).before, `meta ${label}`);
    }
  }
  const { before } = pair("x", false);
  await assertUntouched("text/html; charset=utf-8", Buffer.from(`\ufeff${before}`, "utf16le"), "UTF-16LE by its mark");
  await assertUntouched("text/html", Buffer.from(`\ufeff${before}`, "utf16le").swap16(), "UTF-16BE by its mark");
  await assertUntouched("text/html", Buffer.from(before, "utf16le"), "UTF-16LE without a mark");
});

test("the header wins over the page, a byte order mark over both", async () => {
  const [latin, utf8] = ["gr\xf6\xdfe", Buffer.from("größe").toString("latin1")];
  for (const [type, page, isUtf8] of [
    ["text/html; charset=windows-1252", pair(latin, false, '<meta charset="utf-8">'), false],
    ["text/html; charset=utf-8", pair(utf8, true, '<meta charset="windows-1252">'), true],
    ["text/html; charset=utf-8", pair(utf8, true, '<meta charset="iso-2022-jp">'), true],
    ["text/html", pair(utf8, true, '<!-- <meta charset="gbk"> --><meta content="text/html; charset=utf-8" http-equiv="Content-Type">'), true],
    ["text/html", pair(utf8, true, "<meta charset='utf-16'>"), true],
  ] as const) {
    const { text } = await get(type, page.before);
    // The class is there already, where it can be read.
    assertEdited(text, page.after.replace(/ wide [^"]*"/, ` wide"`).replace(/(<i id="add" class="[^"]*")/, '$1 data-found="1"'), `${type} ${isUtf8}`);
  }
  const mark = "\xef\xbb\xbf";
  const { before, after } = pair(utf8.replace("gr", ""), true, '<meta charset="gbk">');
  assertEdited((await get("text/html; charset=gbk", mark + before)).text, mark + after, "mark");
});

test("XHTML tells its character set in its first line, and stays well-formed in it", async () => {
  const page = (line: string, bytes: string) => `${line}<html xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="gbk" /><title>${bytes}</title></head><body><h1>${bytes}</h1><p id="lead" class="${bytes}">x</p></body></html>`;
  for (const [line, isUtf8] of [['<?xml version="1.0" encoding="iso-8859-1"?>', false], ["<?xml version='1.0' encoding='UTF-8'?>", true], ['<?xml version="1.0"?>', true], ["", true]] as const) {
    const bytes = isUtf8 ? "\xc3\xa9" : "\xe9";
    for (const type of ["application/xhtml+xml", ...(isUtf8 ? [] : ["application/xhtml+xml; charset=windows-1252"])]) {
      const { text } = await get(type, page(line, bytes));
      assert.match(text, STATE);
      assert.match(text, /<script async="async"/);
      assert.doesNotMatch(text, /&(?!amp;|#\d+;|quot;)/);
      const title = isUtf8 ? Buffer.from("Été “à” 語").toString("latin1") : "&#201;t&#233; &#8220;&#224;&#8221; &#35486;";
      assert.ok(text.includes(`<title>${bytes}</title>`) && text.includes(`<h1>${title}</h1>`) && text.includes(`class="${bytes}"`), line);
    }
  }
});

test("in pieces, cut anywhere, a page is the same in its character set", async () => {
  for (const [encoding, bytes] of [["windows-1252", "gr\xf6\xdfe"], ["shift_jis", "\x83\x5c\x94\x5c\xb1"], ["gbk", "\x81\x7c\xd6\xd0"], ["gb18030", "\x81\x30\x81\x30\xd6\xd0"], ["big5", "\xa4\xa4\xa5\x5c"], ["euc-jp", "\x8f\xb0\xa1\xb0\xa1"], ["euc-kr", "\xb0\xa1\x81\x41"], ["utf-8", "\xf0\x9f\x98\x80\xc3\xa9"]] as const) {
    const page = `<html><head><meta charset="${encoding}"><title>${bytes}</title></head><body><h1 id="${bytes}">${bytes}</h1><i id="hidden" title='${bytes}'>${bytes}</i>\r\n&amp;${bytes}</body></html>`;
    for (const type of ["text/html", `text/html; charset=${encoding}`]) {
      const whole = (await get(type, page)).text;
      assert.match(whole, STATE);
      assert.ok(whole.includes('hidden=""') && whole.includes(encoding === "utf-8" ? "<h1 id=\"\xf0\x9f\x98\x80\xc3\xa9\">\xc3\x89t" : "&#201;t&#233;"), whole);
      for (let at = 1; at < page.length; at += 1) {
        assert.equal((await get(type, page.slice(0, at), page.slice(at))).text, whole, `${type} ${encoding} cut at ${at}`);
      }
      assert.equal((await get(type, ...page)).text, whole, `${type} ${encoding} byte by byte`);
    }
  }
});

test("a page that does not say its character set does not wait for more than its head, or for 1024 bytes", async () => {
  for (const [type, start] of [
    ["text/html", "<html><head><title>t</title></head><h1>x</h1>"],
    ["text/html", "<p>first</p>"],
    ["text/html", `<title>${"x".repeat(1024)}`],
    ["text/html", '<head><meta charset="gbk"><title>t</title>'],
    ["text/html; charset=utf-8", "<head>"],
    ["application/xhtml+xml", "<html>"],
  ] as const) {
    let finish = () => {};
    origin.routes["/"] = (request, response) => {
      response.writeHead(200, { "content-type": type }).write(start);
      finish = () => response.end("<i>end</i>");
    };
    const message = await worker.open("/");
    let text = "";
    for await (const chunk of message) {
      // Never, if the Worker waited for the rest.
      if (text === "") finish();
      text += chunk;
    }
    assert.match(text, /<i>end<\/i>/, start);
  }
});

test("a page that breaks off before its character set is known is what came of it, and broken off", async () => {
  origin.routes["/"] = (request, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-length": 5000 });
    response.write("<title>be", () => setTimeout(() => response.destroy(), 50));
  };
  const message = await worker.open("/");
  let text = "";
  await assert.rejects(async () => {
    for await (const chunk of message) text += chunk;
  });
  assert.equal(text, "<title>be");
});
