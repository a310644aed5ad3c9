// The language-neutral cases through the browser's Wasm in Node.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as checks from "./checks.ts";
import { everyFile, loadModules } from "./files.ts";

const modules = await loadModules();

for (const { path, check, content } of everyFile()) {
  test(path, async (context) => {
    const results = checks[check](modules, content as never);
    assert.equal(results.length, content.cases.length);
    for (const [name, problem] of results) await context.test(name, () => assert.equal(problem, undefined));
  });
}

test("a case that is wrong is found", () => {
  const visitor = { url: "https://shop.example/", now: 0, headers: {}, cf: {} };
  const [[, problem]] = checks.checkContexts(modules, { cases: [{ name: "", visitor, context: { "page.path": "/other" } }] }) as [checks.Result];
  assert.equal(problem, 'page.path is "/", expected "/other"');
  const [[, refused]] = checks.checkDecisions(modules, {
    manifest: { ...checks.PLAIN_SITE, slots: { a: { selector: "p" } } },
    cases: [{ name: "", visitor, decisions: { a: "- 0 match" }, lost: { e: "page" } }],
  }) as [checks.Result];
  assert.match(String(refused), /decisions is .*no_candidate.*; e is no candidate/);
});
