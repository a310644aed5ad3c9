// The debug panel outside of a developer's machine: by a signed link of the Worker, for the browser that opened it, and for nobody else.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, before, test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { inRepository } from "../real/faces.ts";
import { startWorker, type TestWorker } from "../worker/harness.ts";
import { card, open, section } from "./fixtures/bar.ts";
import { closeBrowser, DESKTOP, visit } from "./fixtures/browser.ts";
import { page } from "./fixtures/pages.ts";
import { serve, type Site } from "./fixtures/server.ts";

const READ = "read-token-of-24-characters";
const MANIFEST = {
  site: { id: "linked", hosts: ["127.0.0.1"] },
  traits: { plan: { type: "string", purpose: "personalization" } },
  slots: { hero: { selector: "header h1" }, intro: { selector: "#intro" } },
  personas: { "A buyer": { "profile.plan": "pro", "consent.personalization": true } },
  experiences: [
    { id: "buyers", type: "personalization", audience: "profile.plan == 'pro'", slots: { hero: { text: "For buyers" } } },
    { id: "later", type: "personalization", schedule: { from: "2040-01-01T00:00:00Z" }, slots: { intro: { text: "In the forties" } } },
  ],
};

let origin: Site;
let worker: TestWorker;
before(async () => {
  mkdirSync(inRepository("dist/screenshots"), { recursive: true });
  const body = page("", '<header><h1>Welcome</h1></header><main><p id="intro">Free returns</p><a href="/two">Two</a></main>');
  origin = await serve({ "/": body, "/two": body });
  // As a live site has it: the variable that allows previews at loopback names is not set.
  worker = await startWorker({ origin: origin.origin, manifest: MANIFEST, profiles: true, vars: { IDOINE_TOKENS: `read:reader:${READ}`, IDOINE_KEY: "a secret of the Worker" } });
});
after(async () => {
  await closeBrowser();
  await worker?.dispose();
  await origin?.close();
});

const at = (path: string): string => worker.address.origin + path;

async function linkTo(path: string): Promise<string> {
  const reply = await fetch(at("/_idoine/api/preview"), { method: "POST", headers: { authorization: `Bearer ${READ}` }, body: JSON.stringify({ url: at(path), hours: 1 }) });
  return ((await reply.json()) as { url: string }).url;
}

/** What a page of the site tells of the panel. */
async function told(tab: Page): Promise<unknown> {
  await tab.waitForFunction(() => window.idoine?.debug);
  return tab.evaluate(async () => ({
    heading: document.querySelector("h1")!.textContent,
    scripts: [...document.scripts].filter(({ src }) => /bar|debug|tools/.test(src)).length,
    panels: document.querySelectorAll("idoine-bar").length,
    opens: "open" in window.idoine!.debug!,
    answers: await Promise.all(["program", "personas"].map(async (path) => (await fetch(`/_idoine/${path}`)).status)),
  }));
}
const NOTHING = { heading: "Welcome", scripts: 0, panels: 0, opens: false, answers: [404, 404] };

async function arrive(t: TestContext): Promise<Page> {
  return visit(t, DESKTOP);
}

test("without a link there is no panel, and nothing that the page or its address says brings one", async (t) => {
  const tab = await arrive(t);
  await tab.goto(at("/?idoine.profile.plan=pro&idoine.consent.personalization=true&idoine.preview=1999999999.abcdefgh.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
  assert.deepEqual(await told(tab), NOTHING);
  // Whoever loads the file all the same is told nothing by the Worker.
  await tab.evaluate(() => import(String("/_idoine/bar.js")));
  await tab.getByRole("button", { name: "Preview" }).click();
  await tab.getByRole("alert").filter({ hasText: "404" }).waitFor();
});

test("who opens a link has it, with drafts of other days and other people, on every page until it is ended", async (t) => {
  const tab = await arrive(t);
  await tab.goto(await linkTo("/"));
  await open(tab);
  assert.ok(!tab.url().includes("idoine.preview"), "the token is gone from the address");
  await tab.getByRole("button", { name: "A buyer" }).click();
  await tab.waitForURL(/idoine\.profile\.plan=pro/);
  await card(tab, "hero").getByText("buyers: its audience matched.").waitFor();
  assert.equal(await tab.textContent("h1"), "For buyers");
  await tab.getByLabel("Date and time").fill("2040-02-01T10:00");
  await tab.getByRole("button", { name: "Travel" }).click();
  await tab.getByRole("note", { name: "Time travel" }).getByText("1 Feb 2040, 10:00").waitFor();
  assert.equal(await tab.textContent("#intro"), "In the forties");
  await tab.evaluate(() => document.querySelector<HTMLElement>("a[href='/two']")!.click());
  await tab.waitForURL(/\/two\?.*idoine\.now=2040/);
  await tab.getByRole("note", { name: "Time travel" }).waitFor();
  assert.deepEqual([await tab.textContent("h1"), await tab.textContent("#intro")], ["For buyers", "In the forties"]);
  // A link shows how pages are decided, and hands out nothing that is held of anybody.
  const profile = await section(tab, "Profile");
  assert.ok(await profile.getByText("nothing that is stored of you takes part").isVisible());
  await profile.getByRole("button", { name: "Show all that is held" }).click();
  await profile.getByText("this preview is by a link, which hands out nothing").waitFor();
  await tab.screenshot({ path: inRepository("dist/screenshots/debug-link.png") });

  const other = await arrive(t);
  await other.goto(at("/?idoine.now=2040-02-01T10:00:00Z"));
  assert.deepEqual(await told(other), NOTHING);

  await tab.goto(at("/?idoine.preview=off"));
  assert.deepEqual(await told(tab), NOTHING);
});
