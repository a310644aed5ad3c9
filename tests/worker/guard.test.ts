// Pages that HTMLRewriter gives up on, half way through: the visitor gets them whole, edited up to that place.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DEEPEST, Guard, LONGEST_TAG } from "../../worker/js/guard.js";
import { startOrigin, startWorker } from "./harness.ts";
import type { TestOrigin, TestWorker } from "./harness.ts";
import { site } from "./site.ts";

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin();
  worker = await startWorker({
    origin: origin.url,
    manifest: site({ experiences: [{ id: "all", type: "personalization", slots: { title: { text: "personal" } } }] }),
    // With `x-rewriter` the isolate's own HTMLRewriter, nothing before it, says which of many pages it can take.
    around: `
      if (!request.headers.has("x-rewriter")) return worker.fetch(request, env, ctx);
      const taken = [];
      for (const page of await request.json()) {
        const rewriter = new HTMLRewriter().on("h1", { element() {} }).on("p.lead", { element() {} });
        taken.push(await rewriter.transform(new Response(page)).text().then(() => true, () => false));
      }
      return Response.json(taken);`,
  });
});
after(async () => {
  await worker.dispose();
  await origin.close();
});

/** Reads a page in pieces; where the rewriter's part ends, in bytes; undefined when it gets all. */
function stopOf(page: string | Uint8Array, ...cuts: number[]): number | undefined {
  const bytes = typeof page === "string" ? Buffer.from(page) : page;
  const guard = new Guard();
  let at = 0;
  for (const end of [...cuts, bytes.length]) {
    const { from, stop } = guard.scan(bytes.subarray(at, end));
    if (stop) {
      return at + from;
    }
    at = end;
  }
  return undefined;
}

/** Sends pieces of a page so that each is on its way before the next. */
function inPieces(path: string, pieces: (string | Uint8Array)[]) {
  origin.routes[path] = async (request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    for (const piece of pieces) {
      await new Promise((resolve) => response.write(piece, resolve));
    }
    response.end();
  };
}

const attribute = (length: number) => `<img alt="${"a".repeat(length)}">`;

/** What is before the place where the rewriter must end, and what is from there on. */
const STOPS: [string, string][] = [
  ["<select>", "<style>a{}</style><option>1</option></select>"],
  ["<select><option>1", "<noscript>x</noscript></select>"],
  ["<SELECT id='>'>", "<Title>t</Title></SELECT>"],
  ["<select><script>'<style>'</script>", "<xmp><b></xmp></select>"],
  ["<select><optgroup>", "<iframe src=x></iframe>"],
  ["<select>", "<plaintext>"],
  ["<select>", "<noembed/>x</noembed>"],
  ["<select>", "<noframes\n>x</noframes></select>"],
  ["<select><template><template></template>", "<script>1</script></template></select>"],
  ["<select><template>", "<textarea></textarea></template></select>"],
  ["<select></template></select><select>", "<style></style>"],
  ["<frameset><frame>", "<title>t</title></frameset>"],
  ["<frameset><noframes><style></noframes></frameset>", "<script>1</script>"],
  ["<!-- <select> --><select><!-- </select> -->", "<style></style>"],
  ["<svg><style><select></style></svg>", "<title>t</title>"],
  ["<svg><desc><style><select></style></desc><title/><style/><select></svg>", "<xmp>"],
  ["<math><mi><style></select></style></mi><select></math>", "<xmp>"],
  ["<math><annotation-xml encoding='text/html'><style></style><select></annotation-xml></math>", "<xmp>"],
  ["<svg><font color=red><textarea></svg></textarea><select>", "<xmp>"],
  ["<svg/><![CDATA[ ]> <select>", "<xmp>]]>"],
  ["<svg><![CDATA[ <frameset> ]]]><select>", "<style>"],
  ["<script><!--<script></script><select>--></script><select>", "<style>"],
  ["<script><!--</script><select>", "<style></style>-->"],
  ["<textarea><select></textarea><select></select><select>", "<style>"],
  ["<svg><style x=></style></svg>", "<style x= ></style>"],
];

/** Pages with the same words, and nothing in them that stops the rewriter. */
const PASSES = [
  "<select><option>1</select><style></style>",
  "<select><script>1</script></select>",
  "<select><input><style></style>",
  "<select><textarea></textarea><style></style>",
  "<select><select><style></style>",
  "<script>'<select>'</script><style></style>",
  "<script><!--<script></script><select>--></script><style></style>",
  "<style><select></style><title><frameset></title>",
  "<!--<select>--><style></style><!--><select><input><!--!> <select> --!><style></style>",
  "<!doctype html '<select>'><?php <select?><style></style></ <frameset><style></style>",
  "<svg><![CDATA[<select>]]></svg><style></style>",
  "<a title='<select>' data-x=<select x><style></style>",
  "<selects><select-one><style></style>",
  "<plaintext><select><style></style>",
  "<template><style></style></template>",
];

test("the guard ends where the rewriter gives up, wherever the page is cut in pieces", () => {
  for (const [head, rest] of STOPS) {
    const page = `<h1>x</h1>é${head}${rest}`;
    const length = Buffer.byteLength(page);
    const expected = length - Buffer.byteLength(rest);
    assert.equal(stopOf(page), expected, page);
    for (let at = 0; at <= length; at += 1) {
      assert.equal(stopOf(page, at), expected, `${page} cut at ${at}`);
      assert.equal(stopOf(page, at, Math.min(at + 1, length), Math.min(at + 3, length)), expected, `${page} cut from ${at}`);
    }
    assert.equal(stopOf(page, ...Array.from({ length }, (_, at) => at)), expected, `${page} byte by byte`);
  }
  for (const page of PASSES) {
    const length = Buffer.byteLength(page);
    assert.equal(stopOf(page), undefined, page);
    for (let at = 0; at <= length; at += 1) {
      assert.equal(stopOf(page, at), undefined, `${page} cut at ${at}`);
    }
    assert.equal(stopOf(page, ...Array.from({ length }, (_, at) => at)), undefined, `${page} byte by byte`);
  }
});

/** Numbers that look random and are the same in each run. */
function random(seed: number) {
  return (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

test("it stops where workerd's rewriter gives up, and nowhere else", async () => {
  const names = "select option template style script title textarea xmp noscript noframes iframe plaintext frameset svg math desc mi annotation-xml font p br b input foreignObject".split(" ");
  const odd = ["<!--", "-->", "--!>", "<![CDATA[", "]]>", "</", "<", ">", "'", '"', "<!x>", "<?x>", "<!-", "--", "text", "/>", "=", " "];
  const attributes = ["", "", "", " a='>'", " color=red", " encoding=text/html", "/", " x=", ' t="<select>"', "\n"];
  const next = random(20261120);
  const of = (list: string[]) => list[next(list.length)]!;
  // Few names at a time, so that tags meet their end tags.
  const pages = Array.from({ length: 4000 }, () => {
    const some = Array.from({ length: 2 + next(4) }, () => of(names));
    const token = () => (next(4) === 0 ? of(odd) : next(3) === 0 ? `</${of(some)}>` : `<${of(some)}${of(attributes)}>`);
    return (next(2) === 0 ? "<select>" : "") + Array.from({ length: 3 + next(14) }, token).join("");
  });
  const all = [...pages, ...PASSES, ...STOPS.map(([head, rest]) => head + rest)];
  const reply = await worker.fetch("/", { method: "POST", headers: { "x-rewriter": "1" }, body: JSON.stringify(all) });
  const taken = reply.json<boolean[]>();
  assert.ok(taken.filter((one) => !one).length > 200, "pages that stop the rewriter");
  for (const [at, page] of all.entries()) {
    // Whether the rewriter gives up behind a tag such as `<style x=>` depends on its selectors.
    if (stopOf(page) === undefined || !/=\s*>/.test(page)) {
      assert.equal(stopOf(page) === undefined, taken[at], page);
    }
    const some = Array.from({ length: 5 }, () => next(page.length + 1)).sort((a, b) => a - b);
    assert.equal(stopOf(page, ...some), stopOf(page), `${page} cut at ${some}`);
  }
});

const START = "<html><head><title>Shop</title></head><body><h1>x</h1>";

test("a page that the rewriter would give up on arrives whole, edited up to there", async () => {
  for (const [head, rest] of STOPS) {
    const end = `${rest}<h1>y</h1>\0\xff`;
    origin.routes["/two"] = `${START}${head}`;
    const usual = await worker.fetch("/two");
    assert.match(usual.text, /<script[^>]*idoine-state.*<h1>personal<\/h1>/s);
    const page = Buffer.concat([Buffer.from(START + head), Buffer.from(end, "latin1")]);
    const expected = Buffer.concat([usual.bytes, Buffer.from(end, "latin1")]);
    inPieces("/two", [page]);
    assert.ok((await worker.fetch("/two")).bytes.equals(expected), head + rest);
  }
});

test("so it does in pieces, cut anywhere", async () => {
  const next = random(7);
  const [head, rest] = ["<select><option>1</option>", "<style>a{}</style></select><h1>y</h1>"];
  const page = `${START}${head}${rest}`;
  const { text } = await (inPieces("/two", [page]), worker.fetch("/two"));
  assert.match(text, /idoine-state/);
  assert.ok(text.endsWith(`<h1>personal</h1>${head}${rest}`));
  for (let at = 1; at < page.length; at += 1) {
    inPieces("/two", [page.slice(0, at), page.slice(at)]);
    assert.equal((await worker.fetch("/two")).text, text, `cut at ${at}`);
  }
  for (let times = 0; times < 50; times += 1) {
    const cuts = [0, ...Array.from({ length: 8 }, () => next(page.length)).sort((a, b) => a - b), page.length];
    inPieces("/two", cuts.slice(1).map((end, at) => page.slice(cuts[at], end)).filter(Boolean));
    assert.equal((await worker.fetch("/two")).text, text, `cut at ${cuts}`);
  }
});

test("without a head or a body the state is at the end of the whole page", async () => {
  origin.routes["/two"] = "<h1>x</h1><select><style>a{}</style><option>1</option></select>";
  assert.match((await worker.fetch("/two")).text, /^<h1>personal<\/h1><select><style>a\{\}<\/style><option>1<\/option><\/select><script type="application\/json" id="idoine-state">.*<\/script><script async [^>]*><\/script>$/);
});

test("a tag that is too long goes past the rewriter, a long one through it", async () => {
  for (const [length, isEdited] of [[900_000, true], [LONGEST_TAG + 1, false], [5_000_000, false]] as const) {
    const middle = attribute(length);
    assert.equal(stopOf(START + middle) === undefined, isEdited);
    inPieces("/two", [`${START}${middle}<h1>y</h1></body>`]);
    const { text } = await worker.fetch("/two");
    assert.match(text.slice(0, 5000), /idoine-state.*<h1>personal<\/h1>/s);
    assert.ok(text.endsWith(`${middle}<h1>${isEdited ? "personal" : "y"}</h1></body>`), String(length));
  }
  const bogus = `</ ${"a".repeat(5_000_000)}>`;
  inPieces("/two", [`${START}${bogus}<h1>y</h1>`]);
  assert.ok((await worker.fetch("/two")).text.endsWith(`${bogus}<h1>y</h1>`));
});

test("a usual page of 300 KB is what the rewriter makes of it, to the last byte", async () => {
  let page = START;
  while (page.length < 300_000) {
    page += `<div class="card" id="p${page.length}"><a href='/${page.length}?a=1&b=2'><img src=/${page.length}.jpg alt="A > B"></a><p>Größe 1 < 2</p><select><option>1</select><script>if (a<b) c("</p>");</script><svg viewBox="0 0 1 1"><path d="M0 0"/><title>t</title></svg></div>\n`;
  }
  page += "<!-- end --></body></html>";
  assert.equal(stopOf(page), undefined);
  origin.routes["/two"] = page;
  const { text } = await worker.fetch("/two");
  assert.equal(text.replace(/<script type="application\/json".*?<\/script><script async.*?<\/script>/, "").replace("<h1>personal<", "<h1>x<"), page);
});

test("comments, scripts and text may be of any length", async () => {
  for (const middle of [`<!--${"a".repeat(5_000_000)}-->`, `<script>${"a<b".repeat(1_000_000)}</script>`, "a".repeat(5_000_000)]) {
    inPieces("/two", [`${START}${middle}<h1>y</h1>`]);
    assert.ok((await worker.fetch("/two")).text.endsWith(`${middle}<h1>personal</h1>`), middle.slice(0, 10));
  }
});

test("elements inside each other, however many, are no end of the page", async () => {
  for (const [count, isEdited] of [[DEEPEST - 10, true], [DEEPEST + 10, false], [100_000, false]] as const) {
    const middle = "<p>a".repeat(count);
    inPieces("/two", [`${START}${middle}<h1>y</h1>`]);
    assert.ok((await worker.fetch("/two")).text.endsWith(`${middle}<h1>${isEdited ? "personal" : "y"}</h1>`), String(count));
  }
  const closed = "<ul><li>a<li>b</ul><br><img>".repeat(20_000);
  inPieces("/two", [`${START}${closed}<h1>y</h1>`]);
  assert.ok((await worker.fetch("/two")).text.endsWith(`${closed}<h1>personal</h1>`));
});

test("what was sent of a page is there before the rest, also behind the place where the rewriter ends", async () => {
  for (const middle of ["<select></select>", "<select><style></style></select>"]) {
    let goOn = () => {};
    origin.routes["/two"] = async (request, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      for (const piece of [`${START}<i>1</i>${middle}`, "<i>2</i>", "<i>3</i>"]) {
        const asked = new Promise<void>((resolve) => (goOn = resolve));
        response.write(piece);
        await asked;
      }
      response.end();
    };
    let text = "";
    let seen = 0;
    for await (const chunk of await worker.open("/two")) {
      text += chunk;
      // Never, if the Worker waited for more.
      if (text.includes(`<i>${seen + 1}</i>`)) {
        seen += 1;
        goOn();
      }
    }
    assert.equal(seen, 3);
  }
});

test("an origin that breaks off behind the place where the rewriter ends breaks off for the visitor", async () => {
  let breakOff = () => {};
  origin.routes["/two"] = (request, response) => {
    response.writeHead(200, { "content-type": "text/html", "content-length": 100_000 });
    response.write(`${START}<select><style></style>`);
    breakOff = () => response.destroy();
  };
  const message = await worker.open("/two");
  await assert.rejects(async () => {
    for await (const chunk of message) {
      assert.ok(chunk.length > 0);
      breakOff();
    }
  });
});
