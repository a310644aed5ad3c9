// The edge reads a page's character set where a browser does, and as it does: real Chromium says in which one it has read each of
// some hundred pages that declare theirs in odd ways.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { charsetOf } from "../../worker/js/charset.js";
import { closeBrowser, visit } from "./fixtures/browser.ts";

after(closeBrowser);

const HTML = "text/html";
const REST = `<title>t</title></head><body><p>${"text ".repeat(300)}</p></body></html>`;

/** Types and beginnings of pages, as Latin-1. */
const PAGES: [string, string][] = [
  [`${HTML}; charset=iso-8859-2`, '<meta charset="koi8-r">'],
  [`${HTML}; charset="koi8-u"`, ""],
  [`${HTML};charset= shift_jis `, ""],
  [`${HTML}; CHARSET=Big5;x=y`, ""],
  [`${HTML}; x=y; charset=gbk; charset=utf-8`, ""],
  [`${HTML}; charset=nonsense`, '<meta charset="koi8-r">'],
  [`${HTML}; charset=`, '<meta charset="koi8-r">'],
  [`${HTML}; charset=utf-16`, '<meta charset="koi8-r">'],
  [`${HTML}; charset=koi8-r`, "\xef\xbb\xbf"],
  [HTML, '\xef\xbb\xbf<meta charset="koi8-r">'],
  [`${HTML}; charset=koi8-r`, "\xff\xfe<\0p\0>\0"],
  [HTML, "\xfe\xff\0<\0p\0>"],
  ...[
    '<meta charset="koi8-r">',
    "<meta charset=koi8-r>",
    "<meta charset='koi8-r'/>",
    "<META CharSet = KOI8-R >",
    "<meta/charset=koi8-r>",
    "<meta\ncharset=koi8-r\n>",
    "<meta name=x charset=koi8-r>",
    "<meta charset= gbk ><meta charset=koi8-r>",
    '<meta charset=" windows-1251 ">',
    "<meta charset=nonsense><meta charset=koi8-r>",
    "<meta charset=''><meta charset=koi8-r>",
    "<meta charset=utf-16>",
    "<meta charset=utf-16be>",
    "<meta charset=iso-2022-jp>",
    "<meta charset=latin1>",
    "<meta charset=sjis>",
    '<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">',
    '<meta content="text/html; charset=koi8-r" http-equiv="content-type">',
    "<meta http-equiv=content-type content=charset=koi8-r>",
    "<meta http-equiv=content-type content='text/html; charset=\"koi8-r\"; x=y'>",
    "<meta http-equiv=content-type content='text/html; charset koi8-r'><meta charset=gbk>",
    "<meta http-equiv=content-type content='text/html; charset charset=koi8-r'>",
    "<meta http-equiv=content-type content='text/html; charset = koi8-r;'>",
    "<meta http-equiv=content-type content='text/html; charset=\"koi8-r'><meta charset=gbk>",
    "<meta http-equiv=refresh content='text/html; charset=koi8-r'><meta charset=gbk>",
    "<meta content='text/html; charset=koi8-r'><meta charset=gbk>",
    "<meta charset=gbk http-equiv=content-type content='text/html; charset=koi8-r'>",
    "<!-- <meta charset=gbk> --><meta charset=koi8-r>",
    "<!--><meta charset=koi8-r>",
    "<!doctype html><html lang=ru><head data-x='>'><meta charset=koi8-r>",
    "<link title='<meta charset=gbk>'><meta charset=koi8-r>",
    "<link title=\"<meta charset=gbk>\"><meta charset=koi8-r>",
    "<metadata charset=gbk><meta charset=koi8-r>",
    "<?php <meta charset=gbk?><meta charset=koi8-r>",
    "</meta charset=gbk><meta charset=koi8-r>",
    "<link a=b/c=d><meta charset=koi8-r>",
    "<script>'<p>'</script><meta charset=koi8-r>",
    `<title>${"x".repeat(900)}</title><meta charset=koi8-r>`,
  ].map((start): [string, string] => [HTML, start]),
  [HTML, '<?xml version="1.0" encoding="koi8-r"?>'],
  [HTML, '<?xml version="1.0" encoding="gbk"?><meta charset="koi8-r">'],
  ["application/xhtml+xml", '<?xml version="1.0" encoding="koi8-r"?>'],
  ["application/xhtml+xml", "<?xml version='1.0' encoding = 'gbk'?>"],
  ["application/xhtml+xml", "<?xml version='1.0'?>"],
  ["application/xhtml+xml", ""],
  ["application/xhtml+xml; charset=koi8-r", "<?xml version='1.0' encoding='gbk'?>"],
];

/** The whole page. */
function pageOf(type: string, start: string): Buffer {
  if (/^\xff\xfe/.test(start)) {
    return Buffer.concat([Buffer.from(start, "latin1"), Buffer.from(REST, "utf16le")]);
  }
  if (/^\xfe\xff/.test(start)) {
    return Buffer.concat([Buffer.from(start, "latin1"), Buffer.from(REST, "utf16le").swap16()]);
  }
  const xml = type.startsWith("application/");
  return Buffer.from(xml ? `${start}<html xmlns="http://www.w3.org/1999/xhtml"><head>${REST}` : start + REST, "latin1");
}

test("a page's character set is the one that Chromium reads it in", async (t) => {
  const server = createServer((request, response) => {
    const [type, start] = PAGES[Number(request.url?.slice(1))] ?? [HTML, ""];
    response.writeHead(200, { "content-type": type }).end(pageOf(type, start));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const tab = await visit(t);
  for (const [at, [type, start]] of PAGES.entries()) {
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${at}`);
    const read = (await tab.evaluate(() => document.characterSet)).toLowerCase();
    const page = pageOf(type, start);
    const { encoding } = charsetOf(type, page);
    assert.equal(encoding, read, `${type} ${start}`);
    // The same, however little comes at a time; none where the head seems to end before.
    let sure = 0;
    while (!charsetOf(type, page.subarray(0, sure)).isSure) sure += 1;
    assert.ok(sure <= 1024);
    const early = charsetOf(type, page.subarray(0, sure)).encoding;
    assert.equal(early, /^<(?:metadata|script)/.test(start) ? undefined : read, `${type} ${start} by its first ${sure} bytes`);
  }
});
