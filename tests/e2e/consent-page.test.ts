// The banner and the preference centre through the real Worker, in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startOrigin, startWorker, type TestOrigin, type TestWorker } from "../worker/harness.ts";
import { problems } from "./fixtures/access.ts";
import { closeBrowser, visit } from "./fixtures/browser.ts";

let origin: TestOrigin;
let worker: TestWorker;

before(async () => {
  origin = await startOrigin();
  const said = (en: string, fr: string) => ({ en, fr });
  worker = await startWorker({
    origin: origin.url,
    manifest: {
      site: { id: "shop", hosts: ["127.0.0.1"] },
      consent: { version: 2, policy: "/privacy", ask: "banner" },
      purposes: {
        personalization: { title: said("Your own shop", "Votre boutique"), text: said("Show first what you look at.", "Montrer ce que vous regardez.") },
        analytics: { title: said("Counting", "Mesure d’audience"), text: said("Count visits.", "Compter les visites.") },
      },
      slots: { title: { selector: "h1", pages: ["/*"] } },
      experiences: [{ id: "all", type: "personalization", purpose: "personalization", slots: { title: { text: "Personal" } } }],
    },
  });
  origin.routes["/"] = (_, response) => void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end('<!doctype html><html lang="en"><head><title>Shop</title></head><body><h1>Welcome</h1><a href="/">Again</a></body></html>');
});
after(async () => {
  await closeBrowser();
  await Promise.all([worker.dispose(), origin.close()]);
});

test("the page shows the choice and keeps it, in the visitor's language, and violates nothing of its own policy", async (t) => {
  const tab = await visit(t, { locale: "fr-FR" });
  const errors: string[] = [];
  tab.on("console", (message) => /policy|trusted/i.test(message.text()) && errors.push(message.text()));
  await tab.goto(`http://127.0.0.1:${worker.address.port}/_idoine/preferences`);
  assert.equal(await tab.title(), "Vos données et vos choix");
  assert.equal(await tab.getByRole("heading", { level: 1 }).textContent(), "Vos données et vos choix");
  assert.equal(await tab.getByRole("link", { name: "Retour au site" }).getAttribute("href"), "/");
  const analytics = tab.getByRole("switch", { name: "Mesure d’audience" });
  assert.equal(await analytics.isChecked(), false);
  assert.deepEqual(await tab.context().cookies(), []);
  assert.deepEqual(await problems(tab, "idoine-preferences"), []);
  await analytics.click();
  await tab.getByRole("status").filter({ hasText: "Enregistré." }).waitFor();
  await tab.reload();
  assert.equal(await analytics.isChecked(), true);
  assert.deepEqual(errors, []);
});

test("pages that the Worker edits ask who has not chosen, once", async (t) => {
  const tab = await visit(t);
  const asked: string[] = [];
  tab.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await tab.goto(`http://127.0.0.1:${worker.address.port}/`);
  const banner = tab.getByRole("region", { name: "Your privacy" });
  await banner.getByText("Your own shop · Counting").waitFor();
  assert.deepEqual(await tab.context().cookies(), []);
  await banner.getByRole("button", { name: "Choose" }).click();
  await banner.getByRole("switch", { name: "Counting" }).check();
  await banner.getByRole("button", { name: "Save my choice" }).click();
  await banner.waitFor({ state: "detached" });
  const choice = (await tab.context().cookies()).find(({ name }) => name === "idoine_consent");
  assert.match(choice?.value ?? "", /^v2\.analytics\.-personalization\.-marketing\.2\.\d+\.v$/);
  asked.length = 0;
  await tab.reload();
  await tab.evaluate(() => new Promise((done) => requestIdleCallback(() => setTimeout(done, 200))));
  assert.ok(!asked.some((path) => path.endsWith("consent.js")), asked.join(" "));
});
