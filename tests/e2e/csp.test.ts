// Pages with a Content Security Policy, through the real Worker, in a real browser: the page is personalised, the policy is the origin's,
// what is ours violates nothing that it allows, and where it forbids the loader the page is right all the same.
import assert from "node:assert/strict";
import { after, before, test, type TestContext } from "node:test";
import { startOrigin, startWorker, type TestOrigin, type TestWorker } from "../worker/harness.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";

const NONCE = "r4nd0m";
/** The hash of the page's own script, `document.title = "own"`. */
const OWN = "document.title='own'";

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin();
  worker = await startWorker({
    origin: origin.url,
    manifest: {
      site: { id: "shop", hosts: ["127.0.0.1"] },
      slots: { title: { selector: "h1", pages: ["/*"] }, lead: { selector: "p", pages: ["/*"] }, offer: { type: "data", pages: ["/*"] } },
      experiences: [{ id: "all", type: "personalization", slots: { title: { text: "Personal" }, lead: { html: 'With <b class="ours">markup</b>' }, offer: { json: { percent: 10 } } } }],
    },
  });
});
after(async () => {
  await closeBrowser();
  await Promise.all([worker.dispose(), origin.close()]);
});

interface Seen {
  policy: string | null;
  violations: { directive: string; blocked: string; sample: string }[];
  title: string | null;
  lead: string | null;
  own: string;
  value: unknown;
}

/** Opens the page with a policy, in a header or in the page itself, and says what became of it. */
async function open(t: TestContext, policy: string, where: "header" | "meta"): Promise<Seen> {
  const meta = where === "meta" ? `<meta http-equiv="Content-Security-Policy" content="${policy}">` : "";
  const watch = `<script nonce="${NONCE}">${OWN}</script>`;
  origin.routes["/"] = (request, response) =>
    void response
      .writeHead(200, { "content-type": "text/html; charset=utf-8", ...(where === "header" && { "content-security-policy": policy }) })
      .end(`<!doctype html><html><head><meta charset="utf-8">${meta}<title>Shop</title>${watch}</head><body><h1>Welcome</h1><p>Things</p></body></html>`);
  const tab = await visit(t);
  await tab.addInitScript(() => {
    const seen: unknown[] = ((window as any).violations = []);
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) => void seen.push({ directive: effectiveDirective, blocked: blockedURI, sample }));
  });
  const reply = await tab.goto(`http://127.0.0.1:${worker.address.port}/`, { waitUntil: "load" });
  const seen = await tab.evaluate(async () => {
    await window.idoine?.ready;
    // What was blocked is told in a task of its own.
    await new Promise((resolve) => setTimeout(resolve));
    return {
      violations: (window as any).violations,
      title: document.querySelector("h1")!.textContent,
      lead: document.querySelector("p")!.innerHTML,
      own: document.title,
      value: window.idoine?.value?.("offer"),
      meta: document.querySelector<HTMLMetaElement>('meta[http-equiv="Content-Security-Policy"]')?.content,
    };
  });
  return { ...seen, policy: where === "meta" ? (seen.meta ?? null) : ((await reply!.allHeaders())["content-security-policy"] ?? null) };
}

const HASH = `'sha256-${await sha256(OWN)}'`;
async function sha256(text: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toString("base64");
}

/** Policies, whether our loader may run under them, and whether the page's own script may. */
const POLICIES: [string, { loader: boolean; own: boolean }][] = [
  [`script-src 'nonce-${NONCE}'`, { loader: true, own: true }],
  [`default-src 'none'; script-src 'nonce-${NONCE}' 'strict-dynamic'`, { loader: true, own: true }],
  [`default-src 'nonce-${NONCE}'; style-src 'none'`, { loader: true, own: true }],
  ["script-src 'self'", { loader: true, own: false }],
  [`default-src 'self'; script-src-elem 'self' ${HASH}`, { loader: true, own: true }],
  [`script-src ${HASH}`, { loader: false, own: true }],
  [`script-src ${HASH} 'strict-dynamic'`, { loader: false, own: true }],
  ["script-src 'none'", { loader: false, own: false }],
  ["default-src 'none'", { loader: false, own: false }],
  [`script-src 'nonce-${NONCE}'; require-trusted-types-for 'script'; trusted-types idoine`, { loader: true, own: true }],
  [`script-src 'nonce-${NONCE}'; require-trusted-types-for 'script'; trusted-types 'none'`, { loader: true, own: true }],
  [`script-src 'nonce-${NONCE}' 'strict-dynamic'; require-trusted-types-for 'script'`, { loader: true, own: true }],
];

for (const where of ["header", "meta"] as const) {
  test(`a policy in the ${where === "header" ? "answer's header" : "page itself"}`, async (t) => {
    for (const [policy, { loader, own }] of POLICIES) {
      const seen = await open(t, policy, where);
      assert.equal(seen.policy, policy, "the policy is the origin's, character by character");
      assert.deepEqual([seen.title, seen.lead], ["Personal", 'With <b class="ours">markup</b>'], policy);
      assert.deepEqual(seen.value, loader ? { percent: 10 } : undefined, policy);
      assert.equal(seen.own, own ? "own" : "Shop", policy);
      const ours = seen.violations.filter(({ blocked }) => /_idoine/.test(blocked));
      if (loader) {
        assert.deepEqual(ours, [], policy);
      } else {
        // Blocked as the policy says, once, and that is all.
        assert.deepEqual(ours.map(({ directive }) => directive), ["script-src-elem"], policy);
      }
      // The state is data: no policy is about it. What else was blocked is the page's own.
      assert.equal(seen.violations.length - ours.length, own ? 0 : 1, `${policy}: ${JSON.stringify(seen.violations)}`);
    }
  });
}

test("two policies, and one that only reports, stay two", async () => {
  const headers: [string, string][] = [["content-security-policy", `script-src 'nonce-${NONCE}'`], ["content-security-policy", "img-src 'self'"], ["content-security-policy-report-only", "default-src 'none'; report-uri /report"]];
  origin.routes["/"] = (request, response) => {
    for (const [name, value] of headers) response.appendHeader(name, value);
    response.setHeader("content-type", "text/html");
    response.end("<head></head><h1>Welcome</h1>");
  };
  const reply = await worker.fetch(`http://127.0.0.1:${worker.address.port}/`);
  assert.equal(reply.header("content-security-policy"), `script-src 'nonce-${NONCE}', img-src 'self'`);
  assert.equal(reply.header("content-security-policy-report-only"), "default-src 'none'; report-uri /report");
  assert.match(reply.text, new RegExp(`<script async src="/_idoine/idoine.js" nonce="${NONCE}">`));
});
