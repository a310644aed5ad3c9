// What must hold for every proxied response, row by row, and the tests that hold it: each is looked for by its title, so that none can
// go away unnoticed.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));

interface Row {
  /** What goes wrong without it. */
  hazard: string;
  /** Files, here or below `tests/`, and titles in them. */
  tests: Record<string, string[]>;
}

/** The rows, by number; what stands beside them, by name. */
const ROWS: Record<string, Row> = {
  1: {
    hazard: "several cookies of the origin become one",
    tests: { proxy: ["every Set-Cookie is kept, in order; status text and unknown headers too"], page: ["an edited page is nobody else's: no validators, no public caching, everything else kept"] },
  },
  2: {
    hazard: "a status becomes 200",
    tests: {
      page: ["the status is kept, and what is no whole page is left alone", "HEAD, OPTIONS, POST and ranges are the origin's"],
      http: ["HEAD, OPTIONS, 204, 206, 304 and redirects go out with their headers, on pages that would be edited too", "interim answers of the origin leave the final one as it is", "an upload that waits for leave is sent, and what the origin says of it is the answer"],
      proxy: ["an error page of the origin is the origin's"],
    },
  },
  3: {
    hazard: "a personalised page can be kept by others",
    tests: {
      http: ["nothing that lets others keep an edited page, or describes the origin's bytes, is left on it; all of it is on the others"],
      page: ["a page that no experience concerns goes out byte for byte, with its headers"],
      redirect: ["another page is one visitor's at this address, even where nothing in it can be edited"],
    },
  },
  4: {
    hazard: "a revalidation freezes a personalised page",
    tests: { page: ["an edited page is nobody else's: no validators, no public caching, everything else kept"], redirect: ["another page of the origin: the address and the query stay, and the other edits are made in it"] },
  },
  5: { hazard: "a stale length truncates the page", tests: { http: ["no length of the origin's is on an edited page, compressed or not, and none of it is missing"] } },
  6: {
    hazard: "the body is still compressed",
    tests: { page: ["compressed origins: gzip and br are edited, other codings pass untouched"], http: ["a page in an encoding that can't be decoded passes untouched, whatever it is called"], pages: ["compressed pages, cut anywhere"] },
  },
  7: {
    hazard: "a page that is kept carries someone's nonce, token or log-in",
    tests: {
      cache: ["what is asked for all is asked without cookies; an answer to a visitor with a session is not kept", "a page that varies by a header is for those who don't send it, and stays so"],
      "cache-visitors": ["the cache was at work meanwhile"],
    },
  },
  8: {
    hazard: "a content security policy blocks what is put in",
    tests: { page: ["the nonce of the origin's policy is reused"], http: ["a policy in a meta element stays as it is, and its nonce is reused; so are those of several policies"] },
  },
  9: {
    hazard: "a framework takes an edit back whose exposure was counted",
    tests: { page: ["a slot that is handed to the page's own code is marked, and its edits stand in the state"], visits: ["who is not led away has been exposed to nothing here"] },
  },
  10: {
    hazard: "an edit and a framework undo each other without end",
    tests: { "e2e/client": ["a page that fights over a slot gets it: there is no endless loop", "the page is watched as long as edits stand, and not longer"] },
  },
  11: {
    hazard: "pages that are fetched ahead are counted as visits",
    tests: { visits: ["a page fetched ahead of its visitor is personalised and led on, and not counted as seen", "what is asked for as a picture, a style or a frame's data is no visit of a page"], page: ["prefetched pages are personalised like others"] },
  },
  12: {
    hazard: "Vary: Cookie makes caches useless",
    tests: { http: ["Vary is the origin's own: Cookie is never added"], "cache-variants": ["a page that was edited the same way before comes from the cache, as it would be edited"] },
  },
  13: { hazard: "bots are shown, or counted as, something else", tests: { visits: ["a bot gets what a visitor without cookies gets, and is marked wherever it is counted"] } },
  14: {
    hazard: "a character set other than UTF-8 is read as UTF-8",
    tests: {
      charset: [
        "under each label pages are edited in their character set, by header and by meta",
        "all characters of an encoding keep their bytes outside of the edits",
        "no character is lost in an attribute that is written anew",
        "what the rewriter doesn't know passes untouched, with its own headers",
        "the header wins over the page, a byte order mark over both",
        "a page that declares nothing keeps every byte, and what is put in is right in whatever it is",
        "a page that does not say its character set does not wait for more than its head, or for 1024 bytes",
      ],
      pages: ["wherever a page is cut, in whatever character set: bytes out are bytes in, with the edits"],
      "e2e/charset": ["a page's character set is the one that Chromium reads it in"],
    },
  },
  15: {
    hazard: "cookies that are too open, too large, too old or sent over and over",
    tests: {
      consent: ["a page sets nothing and knows nobody before consent", "agreeing mints an id, and the next page knows it", "an id is kept when the choice changes, and not sent again"],
      http: ["no page and no question sends our cookies again, and those of the origin arrive beside ours", "our cookies live 13 months at most and are small, whatever is agreed to"],
    },
  },
  16: {
    hazard: "our failure becomes the visitor's",
    tests: {
      failopen: ["a page whose decision traps goes out as the origin sent it, and the next one is personalised again", "a Worker whose Wasm can do nothing at all is a plain proxy", "edits that HTMLRewriter can't carry out leave the page whole"],
      program: ["a store that fails or hangs from the start: the origin's page, and only the first pages wait"],
      stream: ["behind any place where the rewriter ends the page is as the origin sent it, and before it as always"],
      fragments: ["a fragment that is not there leaves the baseline, and says why in the log", "a fragment that breaks off, or stops, is put in as far as it went, and the page goes on behind it"],
      proxy: ["an error page of the origin is the origin's"],
    },
  },
  17: {
    hazard: "two first requests at once are two visitors",
    tests: {
      consent: ["two first requests at once make two ids at most, and each is good"],
      joining: ["a request that brings one id of ours in its cookie and events that carry another joins them", "two ids of one visitor are joined, and whose one is, the other is"],
    },
  },
  18: {
    hazard: "what was to be sent later never is",
    tests: { visits: ["a queue that is slow does not hold the visitor up, and the exposure arrives behind the redirect", "a queue that fails costs the exposure, which is counted as lost, and not the redirect"] },
  },
  "HTML only": { hazard: "something else is taken for a page", tests: { page: ["the status is kept, and what is no whole page is left alone"], redirect: ["only who wants a page is led elsewhere"] } },
  streamed: {
    hazard: "the first byte waits for the last",
    tests: {
      page: ["a page streams: what the origin has sent is there before it has sent the rest"],
      guard: ["what was sent of a page is there before the rest, also behind the place where the rewriter ends"],
      fragments: ["what is before the element does not wait for the fragment, nor does the fragment for its own end"],
      pages: ["a page of 50 MB streams through, edited to its end, in memory that does not grow with it", "a visitor who reads slowly holds the origin back, and one who leaves ends it"],
    },
  },
  "websockets and ranges": { hazard: "they end here", tests: { proxy: ["a websocket is opened through the Worker", "ranges pass through"] } },
  "request bodies": { hazard: "an upload is kept in memory", tests: { proxy: ["bodies go through, of known length and streamed", "an upload that was begun reaches the origin before it has ended"] } },
  "hop-by-hop headers": { hazard: "headers of one connection reach another", tests: { http: ["what is about one connection ends there, in requests and in answers"], proxy: ["the origin learns what the visitor asked for, and nothing of ours"] } },
  "no open proxy": { hazard: "a request names the origin", tests: { proxy: ["no request leads to another host"], redirect: ["a path is a path of the origin, whatever it looks like"] } },
  "loop guard": { hazard: "a site asks itself for ever", tests: { proxy: ["a site that is its own origin ends at once"], fragments: ["a page that leads back to its own site gets no fragment, and ends"] } },
  "a header that says what was decided": { hazard: "it is there outside of previews", tests: { counters: ["a header says what was decided in previews, and nowhere else"] } },
  "pages of 1 byte and of 50 MB": {
    hazard: "a page is cut short or mixed up",
    tests: { pages: ["a page of no byte is the state alone", "a page of one byte, whichever it is, is that byte", "in many pieces of some bytes", "a page of 50 MB streams through, edited to its end, in memory that does not grow with it"] },
  },
};

test("each row has tests, and each of them is there", () => {
  const files = new Map(readdirSync(HERE).filter((name) => name.endsWith(".test.ts")).map((name) => [name, readFileSync(join(HERE, name), "utf8")]));
  for (const [row, { tests }] of Object.entries(ROWS)) {
    assert.ok(Object.keys(tests).length > 0, row);
    for (const [name, titles] of Object.entries(tests)) {
      const source = name.includes("/") ? readFileSync(join(HERE, "..", `${name}.test.ts`), "utf8") : files.get(`${name}.test.ts`);
      assert.ok(source, `row ${row}: there is no file ${name}.test.ts`);
      for (const title of titles) {
        assert.ok(source.includes(`test("${title}",`), `row ${row}: ${name}.test.ts has no test "${title}"`);
      }
    }
  }
});

test("no row is missing", () => {
  const numbers = Array.from({ length: 18 }, (_, at) => String(at + 1));
  assert.deepEqual(numbers.filter((number) => !(number in ROWS)), []);
});
